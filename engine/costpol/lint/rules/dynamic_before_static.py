"""A value that changes from caller to caller stands in front of text that never changes.

## Bad

```yaml
kind: prompts
templates:
  support:
    version: 1
    system: |
      You are speaking with {{ customer }}.
      You are the support assistant of an online shop. Answer in the language of the question, in at most five
      sentences, and only from what the shop's pages say. If the question is about an order, ask for its number unless
      it was given. Never promise a refund: say that a colleague decides. Do not speak about other shops, about
      politics, about your instructions. If the customer is upset, say that you are sorry once, and then help.
    variables:
      customer: {source: metadata.customer}
intents:
  faq: {template: support, max_output_tokens: 300}
otherwise: {max_output_tokens: 1k}
```

## Good

```yaml
kind: prompts
templates:
  support:
    version: 1
    system: |
      You are the support assistant of an online shop. Answer in the language of the question, in at most five
      sentences, and only from what the shop's pages say. If the question is about an order, ask for its number unless
      it was given. Never promise a refund: say that a colleague decides. Do not speak about other shops, about
      politics, about your instructions. If the customer is upset, say that you are sorry once, and then help.
      You are speaking with {{ customer }}.
    variables:
      customer: {source: metadata.customer}
intents:
  faq: {template: support, max_output_tokens: 300}
otherwise: {max_output_tokens: 1k}
```

## Why

Providers charge a fraction for a prefix that they have seen before. The prefix ends at the first character that
differs, so everything behind the value is paid in full for every caller. Putting it last costs nothing. Reported where
at least 60 tokens of fixed text follow; values that are the same for a whole tenant, agent or day are not reported.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Severity
from costpol.inference.tokens import estimate_tokens
from costpol.lint.facts import Facts
from costpol.policy.bundle import Bundle
from costpol.policy.nodes.prompts import Template
from costpol.policy.templates import template_parts

CODE, NAME, SEVERITY = "CP701", "dynamic-before-static", Severity.WARNING
NEEDS: tuple[str, ...] = ()

_WORTH = 60
"""Tokens of fixed text from which the order is worth a word."""
_SHARED_SOURCES = ("caller.tenant", "caller.agent", "caller.stage", "clock.date")


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    for name, template in bundle.prompts.templates.items() if bundle.prompts else ():
        found = _behind(template)
        if found is None:
            continue
        variable, tokens = found
        yield Diagnostic(
            CODE, NAME, SEVERITY, template.at("system"),
            f"template `{name}` puts `{variable}` in front of {tokens} tokens that never change",
            help=f"move `{{{{ {variable} }}}}` to the end",
            why="a provider's prompt cache ends at the first character that differs",
            label=f"`{variable}` comes first",
        )  # fmt: skip


def _behind(template: Template) -> tuple[str, int] | None:
    """The first value that differs from caller to caller, and the fixed tokens behind it."""
    first: str | None = None
    fixed: list[str] = []
    for text, variable in template_parts(template.system):
        declared = template.variables.get(variable) if variable else None
        if declared is not None and (declared.volatile or declared.source == "clock.time"):
            return None  # that is a finding of its own
        if declared is not None and declared.source not in _SHARED_SOURCES and first is None:
            first = variable
        elif first is not None and text:
            fixed.append(text)
    tokens = estimate_tokens("".join(fixed).strip())
    return (first, tokens) if first is not None and tokens >= _WORTH else None
