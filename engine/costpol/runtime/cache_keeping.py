"""What people do to a cache that is open: look into it, take answers back, say that one was wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct

from costpol.errors import UsageError
from costpol.pipeline.identity import identity_part
from costpol.units import short_usd

if TYPE_CHECKING:
    from costpol.cache.store import AnswerStore, Later
    from costpol.runtime.judge import CacheJudge

_T = TypeVar("_T")


class Selection(Struct, frozen=True):
    """Which answers; all that is named must hold. `scope` is a key (`tenant:acme`), `id` an entry's reference."""

    intent: str | None = None
    template: str | None = None
    tag: str | None = None
    id: str | None = None
    tenant: str | None = None
    scope: str | None = None
    all: bool = False

    def __post_init__(self) -> None:
        """Raises `UsageError` for nothing, and for what excludes each other."""
        named = [each for each in (self.intent, self.template, self.tag, self.tenant, self.scope) if each is not None]
        kinds = bool(named) + (self.id is not None) + self.all
        if kinds == 0:
            raise UsageError(
                "nothing says which answers to purge", "name an intent, template, tag, id, tenant or scope, or `--all`"
            )
        if kinds > 1:
            raise UsageError("an id, or all, goes with nothing else", "name either that or what the answers share")


async def purge(cache: AnswerStore, selection: Selection, *, dry_run: bool = False) -> int:
    """Delete the selected answers, and say how many; a dry run only counts. Raises `StoreError`."""
    tenant = None if selection.tenant is None else identity_part(selection.tenant)
    return await _came(cache.purge(
        selection.intent, selection.template, selection.id, selection.all, tag=selection.tag, scope=selection.scope,
        tenant=tenant, dry_run=dry_run,
    ))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """An answer that was taken back. `verdicts` is how many of its servings taught the cache that they were wrong."""

    intent: str
    model: str
    created: float
    verdicts: int


async def report_wrong(cache: AnswerStore, judge: CacheJudge | None, id: str) -> Withdrawn | None:
    """Take back an answer that somebody found wrong, and let the cache learn from it; `None` where it is not kept.

    Raises `StoreError`.
    """
    entry = await _came(cache.find(id))
    if entry is None:
        return None
    await _came(cache.purge(id=id))
    verdicts = 0 if judge is None else judge.report_wrong(entry.id)
    return Withdrawn(entry.intent, entry.model, entry.created, verdicts)


async def describe_cache(cache: AnswerStore, now: float) -> dict[str, Any]:
    """What a cache holds, in all and per intent, as plain data. Dollars are exact; hits count since it was opened."""
    intents = {
        row.intent or "otherwise": {
            "entries": row.entries,
            "expired": row.expired,
            "bytes": row.size,
            "hits": row.hits,
            "cost_usd": short_usd(row.cost_picodollars),
            "saved_usd": short_usd(row.saved_picodollars),
        }
        for row in await _came(cache.stats(now))
    }
    return {"max_entries": cache.max_entries, **summed(intents.values()), "intents": intents}


def summed(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Rows of figures added up, name by name."""
    kept = list(rows)
    names = ("entries", "expired", "bytes", "hits", "cost_usd", "saved_usd")
    return {name: sum((row[name] for row in kept), Decimal(0) if name.endswith("_usd") else 0) for name in names}


async def _came(reply: Later[_T]) -> _T:
    return await reply if isinstance(reply, Awaitable) else reply
