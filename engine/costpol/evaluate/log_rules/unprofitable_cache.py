"""A cache that never hits, or whose embeddings cost more than its hits save.

## Bad

```text
intent `faq`: 300 lookups, no hit
semantic cache: saved 0.10 USD, cost 0.25 USD itself
```

## Good

```text
intent `faq`: 300 lookups, 40 hits
semantic cache: saved 0.90 USD, cost 0.25 USD itself
```

## Why

Every lookup takes time, and with a paid embedder money, before the model is asked all the same. A cache that never hits
usually has an identity that never repeats: a date or a name in the system prompt, other sampling settings with each
call, a caller without a tenant. Looked at from 200 lookups of an intent on.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Severity
from costpol.evaluate.seen import Seen
from costpol.policy.bundle import Bundle
from costpol.units import format_usd, usd

CODE, NAME, SEVERITY = "CP408", "unprofitable-cache", Severity.INFO

_LOOKUPS = 200


def check(bundle: Bundle, seen: Seen) -> Iterator[Diagnostic]:
    cache = bundle.cache
    if cache is None:
        return
    for lever in seen.savings.levers:
        if lever.name == "semantic-cache" and lever.own_cost > max(lever.saved, 0):
            saved, cost = format_usd(usd(lever.saved), 4), format_usd(usd(lever.own_cost), 4)
            yield Diagnostic(
                CODE, NAME, SEVERITY, cache.at("embedder"), f"the semantic cache saved {saved} and cost {cost} itself",
                help="leave `threshold` out where questions do not repeat, or use the built-in embedder",
                why="exact repeats hit without any embedding", label="costs more than it saves",
            )  # fmt: skip
    for name, group in seen.savings.intents.items():
        if group.cache.lookups >= _LOOKUPS and group.cache.hits == 0:
            span = cache.name_at("intents", name) if name in cache.intents else cache.at("otherwise")
            yield Diagnostic(
                CODE, NAME, SEVERITY, span, f"{group.cache.lookups:,} lookups for `{name}` found nothing",
                help="write `off`, or see with `costpol explain` what differs from one request to the next",
                why="every lookup takes time before the model is asked all the same", label="never hits",
            )  # fmt: skip
