"""An intent whose cache gives wrong answers more often than in one hit of a hundred.

## Bad

```text
intent `faq`: 200 hits judged, 8 wrong
```

## Good

```text
intent `faq`: 200 hits judged, 1 wrong
```

## Why

A wrong answer costs more than the call that it saved. Hits are judged where the log names the right answer of both
questions (`answer_id`). Where the policy states `max_wrong_hits`, that is the limit. Three wrong hits at least make a
finding.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from costpol.diagnostics import Diagnostic, Severity
from costpol.evaluate.seen import Seen
from costpol.policy.bundle import Bundle
from costpol.policy.nodes.cache import IntentCache

CODE, NAME, SEVERITY = "CP409", "wrong-cache-hits", Severity.WARNING

_MOST = Decimal("0.01")
_LEAST_HITS = 3


def check(bundle: Bundle, seen: Seen) -> Iterator[Diagnostic]:
    cache = bundle.cache
    if cache is None:
        return
    for name, group in seen.savings.intents.items():
        node = cache.intents.get(name, cache.otherwise)
        declared = node.max_wrong_hits if isinstance(node, IntentCache) else None
        most = _MOST if declared is None else declared
        wrong, judged = group.cache.wrong_hits, group.cache.judged
        if wrong >= _LEAST_HITS and wrong > most * judged:
            span = cache.name_at("intents", name) if name in cache.intents else cache.at("otherwise")
            yield Diagnostic(
                CODE, NAME, SEVERITY, span, f"{wrong:,} of {judged:,} judged hits for `{name}` gave a wrong answer",
                help="raise its `threshold`, add guards, or split the intent",
                why="a wrong answer costs more than the call that it saved",
                label=f"more than {most * 100:.3g}% are wrong",
            )  # fmt: skip
