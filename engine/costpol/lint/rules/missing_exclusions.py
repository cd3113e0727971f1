"""Answers are shared, and nothing in the policy says which requests are personal.

## Bad

```yaml
kind: cache
intents:
  faq: {threshold: 0.95, ttl: 24h, scope: tenant}
---
kind: personalization
```

## Good

```yaml
kind: cache
intents:
  faq: {threshold: 0.95, ttl: 24h, scope: tenant}
---
kind: personalization
exclusions:
  - {phrases: [my account, my order]}
  - {tools: [lookup_invoice]}
```

## Why

Exclusions keep requests about one person's own things out of the shared cache. Left out, they fail open, and a file
that was half written or not deployed looks just the same. `exclusions: []` says that there is nothing personal in this
traffic, in a place where a reviewer sees it.

A cache whose every scope is `user` shares nothing and needs no exclusions.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Severity
from costpol.lint.caching import cached
from costpol.lint.facts import Facts
from costpol.policy.bundle import Bundle

CODE, NAME, SEVERITY = "CP307", "missing-exclusions", Severity.ERROR
NEEDS: tuple[str, ...] = ()


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    if bundle.personalization is not None:
        return
    shared = next((caching for caching in cached(bundle) if caching.shared), None)
    if shared is not None:
        yield Diagnostic(
            CODE, NAME, SEVERITY, shared.node.at("scope"),
            "answers are shared, and no file says which requests are personal",
            help="add a file with `kind: personalization` and `exclusions:`, which may be `[]`",
            why="requests about one person's own things would be answered from the shared cache",
            label="shared from here on",
        )  # fmt: skip
