"""Answers are kept for longer than they stay right.

## Bad

```yaml
kind: intents
intents:
  faq: {examples: [what is the return policy]}
  pricing: {examples: [how much is the premium plan], volatility: daily}
---
kind: cache
intents:
  pricing: {threshold: 0.95, ttl: 7d, scope: tenant}
```

## Good

```yaml
kind: intents
intents:
  faq: {examples: [what is the return policy]}
  pricing: {examples: [how much is the premium plan], volatility: daily}
---
kind: cache
intents:
  faq: {threshold: 0.95, ttl: 7d, scope: tenant}
  pricing: {threshold: 0.95, ttl: 24h, scope: tenant}
```

## Why

An intent says how fast its right answers change. Answers to a `live` intent are stale after a quarter of an hour, those
to a `daily` one after a day; a longer `ttl` gives answers that are known to be wrong.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Related, Severity
from costpol.lint.caching import cached, declared
from costpol.lint.facts import Facts
from costpol.policy.bundle import Bundle
from costpol.units import format_duration

CODE, NAME, SEVERITY = "CP404", "ttl-exceeds-freshness", Severity.WARNING
NEEDS: tuple[str, ...] = ()

_FRESH = {"live": 15 * 60.0, "daily": 24 * 3600.0}
"""Seconds for which an answer is taken to stay right."""


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    for caching in cached(bundle):
        ttl = caching.node.ttl
        if ttl is None:
            continue
        changing = [(name, intent) for name, intent in declared(bundle, caching.intents) if intent.volatility in _FRESH]
        name, intent = min(changing, key=lambda pair: _FRESH[pair[1].volatility], default=(None, None))
        if intent is None or ttl <= _FRESH[intent.volatility]:
            continue
        limit = format_duration(_FRESH[intent.volatility])
        yield Diagnostic(
            CODE, NAME, SEVERITY, caching.node.at("ttl"),
            f"answers to `{name}` are kept for {format_duration(ttl)}, longer than they stay right",
            help=f"write `ttl: {limit}` or less",
            why=f"the intent is `volatility: {intent.volatility}`",
            label=f"more than {limit}",
            related=(Related(intent.at("volatility"), "how fast its answers change"),),
        )  # fmt: skip
