"""A cache that does not say who shares an answer can give one tenant's answer to another.

## Bad

```yaml
kind: cache
intents:
  faq: {threshold: 0.95, ttl: 24h}
```

## Good

```yaml
kind: cache
intents:
  faq: {threshold: 0.95, ttl: 24h, scope: tenant}
```

## Why

The same question often has another answer for another tenant: another contract, other documents, another user. What an
answer may be shared by is a decision that somebody has to make and a reviewer has to see, so it has no default. Until
it is made, nothing of the intent is cached.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Severity
from costpol.lint.caching import cached, declared
from costpol.lint.facts import Facts
from costpol.policy.bundle import Bundle

CODE, NAME, SEVERITY = "CP301", "cache-without-scope", Severity.ERROR
NEEDS: tuple[str, ...] = ()


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    for caching in cached(bundle):
        if caching.node.scope is None:
            personal = any(intent.personal for _, intent in declared(bundle, caching.intents))
            shared = "add `scope: tenant`, or `scope: user` where answers are personal"
            yield Diagnostic(
                CODE, NAME, SEVERITY, caching.node.span,
                f"the cache of {caching.label} does not say who shares an answer",
                help="add `scope: user`" if personal else shared,
                why="an answer made for one tenant could be given to another",
                label="no `scope`",
            )  # fmt: skip
