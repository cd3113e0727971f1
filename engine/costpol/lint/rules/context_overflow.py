"""A rule sends more tokens than any of its models takes.

## Bad

```yaml
kind: models
providers:
  openai: {type: openai, base_url: https://api.openai.com/v1, key: $OPENAI_API_KEY}
models:
  small-model: {provider: openai, price: {input: 0.10 USD, output: 0.40 USD}, context: 16k}
  large-model: {provider: openai, price: {input: 2 USD, output: 8 USD}, context: 1M}
tiers: {small: small-model, strong: large-model}
---
kind: routing
default: strong # costpol: ignore[CP505] long documents by default
rules:
  - {name: letters, when: {tokens: {max: 20k}}, route: small}
```

## Good

```yaml
kind: models
providers:
  openai: {type: openai, base_url: https://api.openai.com/v1, key: $OPENAI_API_KEY}
models:
  small-model: {provider: openai, price: {input: 0.10 USD, output: 0.40 USD}, context: 16k}
  large-model: {provider: openai, price: {input: 2 USD, output: 8 USD}, context: 1M}
tiers: {small: small-model, strong: large-model}
---
kind: routing
default: strong # costpol: ignore[CP505] long documents by default
rules:
  - {name: letters, when: {tokens: {max: 15k}}, route: small}
```

## Why

A provider refuses a request that is longer than the model's context window, and the caller gets nothing. The rule says
how many tokens it takes, and every model of its route declares fewer. Models without `context` are not judged.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Related, Severity, Span
from costpol.lint.facts import Facts
from costpol.lint.targets import models
from costpol.policy.bundle import Bundle
from costpol.policy.nodes.matcher import When

CODE, NAME, SEVERITY = "CP507", "context-overflow", Severity.ERROR
NEEDS: tuple[str, ...] = ()


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    for rule in bundle.routing.rules:
        targets = models(bundle, rule.route)
        windows = [(model.context, name, model) for name, model in targets if model.context is not None]
        if not windows or len(windows) < len(targets):
            continue
        window, name, model = max(windows, key=lambda each: each[0])
        admitted = _admitted(rule.when)
        if admitted is not None and admitted[0] > window:
            yield Diagnostic(
                CODE, NAME, SEVERITY, admitted[1],
                f"rule `{rule.name}` takes requests of {admitted[0]} tokens, and `{rule.route}` takes {window}",
                help=f"write `max: {window}` or less, or route longer requests to a model that takes them",
                why="the provider refuses what does not fit into the context window",
                label=f"more than {window}",
                related=(Related(model.at("context"), f"the context window of `{name}`"),),
            )  # fmt: skip


def _admitted(when: When) -> tuple[int, Span] | None:
    """The number of tokens that the conditions expressly let in: the upper bound, else the lower."""
    for part in (when, *when.all):
        if part.tokens is not None and part.tokens.max is not None:
            return part.tokens.max, part.tokens.at("max")
    for part in (when, *when.all):
        if part.tokens is not None and part.tokens.min is not None:
            return part.tokens.min, part.tokens.at("min")
    return None
