"""A rule asks for something that none of its models can do.

## Bad

```yaml
kind: models
providers:
  openai: {type: openai, base_url: https://api.openai.com/v1, key: $OPENAI_API_KEY}
models:
  small-model: {provider: openai, price: {input: 0.10 USD, output: 0.40 USD}, lacks: [tools]}
  large-model: {provider: openai, price: {input: 2 USD, output: 8 USD}}
tiers: {small: small-model, strong: large-model}
---
kind: routing
default: small
rules:
  - {name: deep-work, when: {message: {words: [analyze]}}, route: strong}
  - {name: agent-steps, when: {tools: [search]}, route: small}
```

## Good

```yaml
kind: models
providers:
  openai: {type: openai, base_url: https://api.openai.com/v1, key: $OPENAI_API_KEY}
models:
  small-model: {provider: openai, price: {input: 0.10 USD, output: 0.40 USD}, lacks: [tools]}
  large-model: {provider: openai, price: {input: 2 USD, output: 8 USD}}
tiers: {small: small-model, strong: large-model}
---
kind: routing
default: small
rules:
  - {name: agent-steps, when: {tools: [search]}, route: strong}
```

## Why

A request is never sent to a model that lacks what it needs, so a rule that only takes such requests saves nothing: all
of them go elsewhere, or fail.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Related, Severity, Span
from costpol.lint.facts import Facts
from costpol.lint.targets import models
from costpol.policy.bundle import Bundle
from costpol.policy.nodes.matcher import When

CODE, NAME, SEVERITY = "CP509", "capability-mismatch", Severity.ERROR
NEEDS: tuple[str, ...] = ()

_SAID = {"tools": "tools", "json": "JSON output", "images": "attachments", "streaming": "streaming"}


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    for rule in bundle.routing.rules:
        targets = models(bundle, rule.route)
        if not targets:
            continue
        for need, span in _needs(rule.when):
            if all(need in model.lacks for _, model in targets):
                name, model = targets[0]
                yield Diagnostic(
                    CODE, NAME, SEVERITY, span,
                    f"rule `{rule.name}` takes only requests with {_SAID[need]}, and `{rule.route}` cannot serve them",
                    help="route them to a model that can, or drop the entry from `lacks`",
                    why="requests are never sent to a model that lacks what they need",
                    label=f"needs {_SAID[need]}",
                    related=(Related(model.at("lacks"), f"`{name}` lacks `{need}`"),),
                )  # fmt: skip


def _needs(when: When) -> Iterator[tuple[str, Span]]:
    """What every request that meets the conditions needs."""
    for part in (when, *when.all):
        if part.tools is not None and part.tools != "none":
            yield "tools", part.at("tools")
        if part.output and "text" not in part.output:
            yield "json", part.at("output")
        if part.attachments:
            yield "images", part.at("attachments")
        if part.stream:
            yield "streaming", part.at("stream")
