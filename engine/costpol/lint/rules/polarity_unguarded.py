"""Similar questions share an answer although their numbers or their negation may differ.

## Bad

```yaml
kind: cache
intents:
  faq: {threshold: 0.95, ttl: 24h, scope: tenant, guards: [entities]}
```

## Good

```yaml
kind: cache
intents:
  faq: {threshold: 0.95, ttl: 24h, scope: tenant, guards: [numbers, negation]}
```

## Why

"Enable two-factor login" and "disable two-factor login" are nearer to each other than most paraphrases, and so are two
questions that differ in one number. No threshold cures it; comparing the numbers and the negation of both texts does.
All guards are on where `guards` is left out.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Severity
from costpol.lint.caching import cached
from costpol.lint.facts import Facts
from costpol.policy.bundle import Bundle

CODE, NAME, SEVERITY = "CP402", "polarity-unguarded", Severity.WARNING
NEEDS: tuple[str, ...] = ()

_NEEDED = ("numbers", "negation")


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    for caching in cached(bundle):
        missing = [guard for guard in _NEEDED if guard not in caching.node.guards]
        if not caching.node.alike or not missing:
            continue
        guards = ", ".join((*missing, *caching.node.guards))
        yield Diagnostic(
            CODE, NAME, SEVERITY, caching.node.at("guards"),
            f"similar questions to {caching.label} hit although their {' or '.join(missing)} may differ",
            help=f"write `guards: [{guards}]`, or leave `guards` out for all of them",
            why="questions that ask for the opposite are nearer to each other than most paraphrases",
            label=f"no `{'`, no `'.join(missing)}`",
        )  # fmt: skip
