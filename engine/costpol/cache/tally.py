"""What each stored entry is worth, in memory: who goes when the store is full, and what a report shows.

It mirrors a few small fields of the store and is refilled from them at opening. Hits are counted since then only.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(slots=True)
class Worth:
    """One entry's share of the store."""

    intent: str
    template: str
    cost_picodollars: int
    expires: float
    size: int
    hits: int = 0
    scope: str = ""
    tags: tuple[str, ...] = ()

    def value(self, now: float) -> float:
        """What keeping it may still save: cost of the answer x (1 + hits) x remaining seconds; 0 once expired."""
        return self.cost_picodollars * (1 + self.hits) * max(0.0, self.expires - now)


@dataclass(frozen=True, slots=True)
class IntentRow:
    """What the cache holds for one intent. `size` is bytes, about; `cost_picodollars` is what its entries had cost,
    `saved_picodollars` what their hits would have cost anew."""

    intent: str
    entries: int
    expired: int
    size: int
    cost_picodollars: int
    hits: int
    saved_picodollars: int = 0


class Tally:
    """The worth of every entry, by point id."""

    def __init__(self) -> None:
        self._worths: dict[str, Worth] = {}
        self.size = 0
        """Bytes of all entries together, about."""

    def __len__(self) -> int:
        return len(self._worths)

    def __contains__(self, id: str) -> bool:
        return id in self._worths

    def note(self, id: str, worth: Worth) -> None:
        """An entry was stored; its predecessor's hits are its own: the question is the same."""
        before = self._worths.get(id)
        if before is not None:
            worth.hits = before.hits
            self.size -= before.size
        self.size += worth.size
        self._worths[id] = worth

    def credit(self, id: str) -> None:
        """An entry was served."""
        worth = self._worths.get(id)
        if worth is not None:
            worth.hits += 1

    def drop(self, ids: Iterable[str]) -> None:
        """Entries were deleted."""
        for id in ids:
            worth = self._worths.pop(id, None)
            self.size -= worth.size if worth is not None else 0

    def expired(self, now: float, at_most: int | None = None) -> list[str]:
        """Entries that no lookup may find any more."""
        ids = [id for id, worth in self._worths.items() if worth.expires <= now]
        return ids if at_most is None else ids[:at_most]

    def least(self, now: float, count: int) -> list[str]:
        """The entries to give up first: the expired, then those of the least value."""
        return heapq.nsmallest(count, self._worths, key=lambda id: self._order(id, now))

    def matching(
        self, intent: str | None = None, template: str | None = None, *,
        tag: str | None = None, scope: str | None = None, tenant: str | None = None,
    ) -> list[str]:  # fmt: skip
        """Entries of an intent, of a template (`name`, any version, or `name@version`), with a tag, of a scope by its
        key, or of all scopes of a tenant (percent-encoded, as in the keys); of all that is named at once."""
        return [
            id
            for id, worth in self._worths.items()
            if (intent is None or worth.intent == intent)
            and (template is None or worth.template == template or worth.template.partition("@")[0] == template)
            and (tag is None or tag in worth.tags)
            and (scope is None or worth.scope == scope)
            and (tenant is None or worth.scope.split(":")[1:2] == [tenant])
        ]

    def rows(self, now: float) -> tuple[IntentRow, ...]:
        """One row per intent, by name."""
        groups: dict[str, list[Worth]] = {}
        for worth in self._worths.values():
            groups.setdefault(worth.intent, []).append(worth)
        return tuple(
            IntentRow(
                intent=intent,
                entries=len(group),
                expired=sum(worth.expires <= now for worth in group),
                size=sum(worth.size for worth in group),
                cost_picodollars=sum(worth.cost_picodollars for worth in group),
                hits=sum(worth.hits for worth in group),
                saved_picodollars=sum(worth.hits * worth.cost_picodollars for worth in group),
            )
            for intent, group in sorted(groups.items())
        )

    def _order(self, id: str, now: float) -> tuple[bool, float]:
        worth = self._worths[id]
        return (worth.expires > now, worth.value(now))
