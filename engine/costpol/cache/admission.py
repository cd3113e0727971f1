"""What goes into an answer store, and what comes out of it, whichever store it is.

INVARIANT: an entry is given only to who asks with its very scope and partition, before its expiry. A store's filters
find it; here it must itself say so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from costpol.commands import Entry, Failed, Hit, LookupExact, LookupSimilar, Store

if TYPE_CHECKING:
    from costpol.commands import Vector

UNFIT = Failed("vector-unfit")
TOO_LARGE = Failed("entry-too-large")

_LARGEST_ENTRY = 4 * 2**20
"""Bytes of body and text: Edge's write-ahead log takes segments of 32 MiB, a server requests of as much."""


def fits(vector: Vector, dimension: int) -> bool:
    """Whether it is a unit vector of this many dimensions. Asked before an engine sees it: Edge writes a refused update
    ahead all the same, and none refuses NaN."""
    return vector.shape == (dimension,) and abs(float(vector @ vector) - 1.0) < 1e-3


def refuses(c: Store, dimension: int) -> Failed | None:
    """Why an answer is not kept; `None` where it may be."""
    if c.vector is not None and not fits(c.vector, dimension):
        return UNFIT
    return TOO_LARGE if len(c.entry.body) + len(c.entry.text) > _LARGEST_ENTRY else None


def repeats(entry: Entry, c: LookupExact) -> bool:
    """Whether an entry is the one of exactly this identity, and lives."""
    return entry.expires > c.now and (entry.partition, entry.question, entry.scope) == (
        c.partition,
        c.question,
        c.scope,
    )


def hits(found: Iterable[tuple[Entry | None, float]], c: LookupSimilar) -> tuple[Hit, ...]:
    """Those of the entries found, with their cosines, that lie where somebody looks for a similar one, and live. In
    one step: twenty calls would take as long as what they compare."""
    now, partition, scope, intent = c.now, c.partition, c.scope, c.intent
    return tuple(
        [
            Hit(entry, similarity if similarity < 1.0 else 1.0)
            for entry, similarity in found
            if entry is not None
            and entry.expires > now
            and entry.partition == partition
            and entry.scope == scope
            and entry.intent == intent
        ]
    )
