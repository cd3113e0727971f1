"""A system prompt has more fixed text than a request should carry.

## Bad

```yaml repeat=120
kind: prompts
templates:
  support:
    version: 1
    system: |
      Answer every question of the customer politely, shortly, precisely, and from the pages of the shop only.
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
      Answer every question of the customer politely, shortly, precisely, and from the pages of the shop only.
intents:
  faq: {template: support, max_output_tokens: 300}
otherwise: {max_output_tokens: 1k}
```

## Why

Every call pays for every token of its system prompt. Prompts grow by one instruction per incident and are never cut:
one published prompt went from 2,100 tokens to 650 without a change in quality. Reported above 2,000 tokens by estimate.
Reference material belongs into retrieved context, and what only one intent needs into that intent's template. (The bad
example stands for the same line 120 times over.)
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Severity
from costpol.inference.tokens import estimate_tokens
from costpol.lint.facts import Facts
from costpol.policy.bundle import Bundle
from costpol.policy.templates import template_parts

CODE, NAME, SEVERITY = "CP705", "template-bloat", Severity.WARNING
NEEDS: tuple[str, ...] = ()

_MOST = 2000


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    for name, template in bundle.prompts.templates.items() if bundle.prompts else ():
        tokens = estimate_tokens("".join(text for text, _ in template_parts(template.system)))
        if tokens > _MOST:
            yield Diagnostic(
                CODE, NAME, SEVERITY, template.at("system"),
                f"template `{name}` has about {tokens} tokens of fixed text",
                help="cut what repeats itself, and give intents that need less a template of their own",
                why="every call pays for all of them",
                label=f"more than {_MOST}",
            )  # fmt: skip
