"""Answers to requests that offer tools are shared, and no exclusion names a tool.

## Bad

```yaml
kind: cache
intents:
  faq: {threshold: 0.95, ttl: 24h, scope: tenant, tools: true}
```

## Good

```yaml
kind: cache
intents:
  faq: {threshold: 0.95, ttl: 24h, scope: tenant, tools: true}
---
kind: personalization
exclusions:
  - {tools: [lookup_invoice, process_refund]}
```

## Why

A request that offers tools may be answered from what a tool has just looked up about one customer. `tools: true` lets
similar requests share such an answer. The policy has to say which tools make an answer personal; where none does, let
the scope be `user`.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Severity
from costpol.lint.caching import cached
from costpol.lint.facts import Facts
from costpol.policy.bundle import Bundle

CODE, NAME, SEVERITY = "CP305", "tool-call-cached", Severity.WARNING
NEEDS: tuple[str, ...] = ()


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    if bundle.personalization is None or any(exclusion.tools for exclusion in bundle.personalization.exclusions):
        return
    for caching in cached(bundle):
        if caching.shared and caching.node.tools:
            yield Diagnostic(
                CODE, NAME, SEVERITY, caching.node.at("tools"),
                f"answers to {caching.label} are shared although tools may have made them",
                help="add an exclusion such as `tools: [lookup_invoice]`, or write `scope: user`",
                why="a tool may have looked up one customer's data, and no exclusion names a tool",
                label="requests that offer tools, too",
            )  # fmt: skip
