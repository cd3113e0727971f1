"""A cache without a time to live would give an answer for ever.

## Bad

```yaml
kind: cache
intents:
  faq: {threshold: 0.95, scope: tenant}
```

## Good

```yaml
kind: cache
intents:
  faq: {threshold: 0.95, scope: tenant, ttl: 24h}
```

## Why

Every answer is overtaken some day, and nobody remembers which ones are kept. How long an answer holds depends on what
it is about, so there is no default. Until it is written, nothing of the intent is cached.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Severity
from costpol.lint.caching import cached, declared
from costpol.lint.facts import Facts
from costpol.policy.bundle import Bundle

CODE, NAME, SEVERITY = "CP403", "cache-without-ttl", Severity.ERROR
NEEDS: tuple[str, ...] = ()


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    for caching in cached(bundle):
        if caching.node.ttl is None:
            live = any(intent.volatility == "live" for _, intent in declared(bundle, caching.intents))
            yield Diagnostic(
                CODE, NAME, SEVERITY, caching.node.span, f"the cache of {caching.label} never forgets an answer",
                help="add `ttl: 15m`" if live else "add `ttl: 24h`, or less where answers change sooner",
                why="an answer that was right once would be given for ever",
                label="no `ttl`",
            )  # fmt: skip
