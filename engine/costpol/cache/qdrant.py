"""The answer cache of many sidecars: a collection on a Qdrant server.

Payloads, filters and checks are those of the embedded cache. What differs: nobody holds a tally of all entries, so
size, worth and expiry are looked after in the background, a page of points at a time. Ids are digests, so a page in
their order is a random sample, and the least valuable of a sample are nearly the least valuable of all.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from costpol.cache.admission import UNFIT, fits, hits, refuses, repeats
from costpol.cache.connection import UNREACHABLE, Connection, ask
from costpol.cache.layout import FAMILY, HITS, SCOPE, TENANT, VECTOR, collection_name, prepare_collection
from costpol.cache.record import PLACE, TALLIED, UNTIL, pack, place, point_id, unpack
from costpol.cache.tally import IntentRow, Tally, Worth
from costpol.commands import Entry, Failed, Hit, LookupExact, LookupSimilar, Store
from costpol.errors import StoreError

if TYPE_CHECKING:
    from qdrant_client import AsyncQdrantClient, models

UNSPELLABLE = Failed("cache-store-failed")
"""Of an answer that is no text."""

DEFAULT_MAX_ENTRIES = 50_000

_PAGE = 1000
"""Points per call of upkeep."""
_PAGES = 5
"""Pages that one sweep looks through for entries to give up."""
_GIVEN_UP = 4
"""At most one part in four of a page goes: of a sample, the rest is not surely worth less than what others hold."""
_MAX_CREDITS = 10_000
"""Entries whose hits wait to be written; beyond, hits are not counted."""
_UPKEEP_SECONDS = 5.0
_OVERSAMPLING = 2.0
"""How many times as many candidates as asked for are compared again by their full vectors."""

_T = TypeVar("_T")


class QdrantCache:
    """The answer cache of one embedder. Commands are answered, failures as `Failed`; upkeep raises `StoreError`.

    The connection's `timeout` bounds a command; upkeep has more time.
    """

    def __init__(
        self,
        client: AsyncQdrantClient,
        connection: Connection,
        embedder_id: str,
        dimension: int,
        max_entries: int = DEFAULT_MAX_ENTRIES,
    ) -> None:
        from qdrant_client import models

        self.max_entries = max_entries
        self.name = collection_name(connection.collection, embedder_id)
        self.where = f"the answer store `{connection.url}`"
        self._client = client
        self._connection = connection
        self._dimension = dimension
        self._models = models
        self._params = (
            models.SearchParams(quantization=models.QuantizationSearchParams(rescore=True, oversampling=_OVERSAMPLING))
            if connection.quantized
            else None
        )
        self._credits: dict[str, int] = {}
        self._next: Any = None
        """Where the walk for entries to give up goes on."""
        self._closed = False

    async def prepare(self) -> None:
        """See that the collection is there and fits. Raises `ProvisionError`; `StoreError` where the server is away."""
        await prepare_collection(self._client, self._connection, self.name, self._dimension)

    # Commands

    async def lookup_exact(self, c: LookupExact) -> Hit | Failed | None:
        """The unexpired entry of exactly this identity."""
        if self._closed:
            return UNREACHABLE
        id = point_id(f"{c.partition}/{c.question}/{c.scope.key}")
        found = await ask(self._client.retrieve(self.name, [id], with_vectors=False), self._connection.timeout)
        if isinstance(found, Failed):
            return found
        entry = unpack(found[0].payload or {}) if found else None
        return Hit(entry, 1.0) if entry is not None and repeats(entry, c) else None

    async def lookup_similar(self, c: LookupSimilar) -> tuple[Hit, ...] | Failed:
        """The unexpired entries nearest to a vector, inside one partition, scope and intent, nearest first."""
        if not fits(c.vector, self._dimension):
            return UNFIT
        if self._closed:
            return UNREACHABLE
        if not _spellable(c.scope.key):
            return ()
        m = self._models
        within = [
            self._equal(SCOPE, c.scope.key),
            self._equal(PLACE, place(c.scope, c.partition, c.intent)),
            m.FieldCondition(key=UNTIL, range=m.Range(gt=c.now)),
        ]
        found = await ask(
            self._client.query_points(
                self.name, query=c.vector.tolist(), using=VECTOR, limit=c.limit, query_filter=m.Filter(must=within),
                search_params=self._params,
            ),
            self._connection.timeout,
        )  # fmt: skip
        if isinstance(found, Failed):
            return found
        return hits([(unpack(point.payload or {}), point.score) for point in found.points], c)

    async def store(self, c: Store) -> Failed | None:
        """Keep an answer, replacing the one of the same identity."""
        refused = refuses(c, self._dimension)
        if refused is not None:
            return refused
        if self._closed:
            return UNREACHABLE
        entry = c.entry
        try:
            payload = pack(entry)
        except StoreError:
            return UNSPELLABLE
        if not all(_spellable(value) for value in payload.values() if isinstance(value, str)):
            return UNSPELLABLE
        payload |= {FAMILY: entry.template.partition("@")[0], TENANT: _tenant(entry.scope.key), HITS: 0}
        vector: Any = {} if c.vector is None else {VECTOR: c.vector.tolist()}
        point = self._models.PointStruct(id=point_id(entry.id), vector=vector, payload=payload)
        kept = await ask(self._client.upsert(self.name, [point], wait=True), self._connection.timeout)
        return kept if isinstance(kept, Failed) else None

    def credit(self, entry: Entry) -> None:
        """An entry was served, which makes it worth more when the store is full. Written down by the next sweep."""
        id = point_id(entry.id)
        if id in self._credits or len(self._credits) < _MAX_CREDITS:
            self._credits[id] = self._credits.get(id, 0) + 1

    # Upkeep

    async def sweep(self, now: float, at_most: int | None = None) -> int:
        """Delete expired entries, `at_most` so many, and say how many; write down what was served; give up the least
        valuable entries of a store that is too full, a part of them per sweep."""
        m = self._models
        dead = m.FieldCondition(key=UNTIL, range=m.Range(lte=now))
        deleted = 0
        while at_most is None or deleted < at_most:
            limit = _PAGE if at_most is None else min(_PAGE, at_most - deleted)
            points, _ = await self._page(None, m.Filter(must=[dead]), (), limit)
            if points:  # one that is stored anew meanwhile lives
                await self._delete(m.Filter(must=[m.HasIdCondition(has_id=[point.id for point in points]), dead]))
                deleted += len(points)
            if len(points) < limit:
                break
        await self._write_credits()
        await self._give_up(now)
        return deleted

    async def purge(
        self, intent: str | None = None, template: str | None = None, id: str | None = None, everything: bool = False,
        *, tag: str | None = None, scope: str | None = None, tenant: str | None = None, dry_run: bool = False,
    ) -> int:  # fmt: skip
        """Delete entries and say how many: the one of an `Entry.id` or `Entry.reference`, all, or those of an intent, a
        template (`name` or `name@version`), a tag, a scope by its key, a tenant as keys spell it, whatever of it is
        named. Naming nothing deletes nothing; a dry run only counts."""
        m = self._models
        must: list[Any] = []
        if id is not None:
            must.append(m.HasIdCondition(has_id=[_as_point(id)]))
        elif not everything:
            named = {"intent": intent, "tags": tag, SCOPE: scope, TENANT: tenant}
            must += [self._equal(field, value) for field, value in named.items() if value is not None]
            if template is not None:
                must.append(m.Filter(should=[self._equal("template", template), self._equal(FAMILY, template)]))
            if not must:
                return 0
        meant = m.Filter(must=must)
        count = await self._counted(meant)
        if count and not dry_run:
            await self._delete(meant)
        return count

    async def find(self, reference: str) -> Entry | None:
        """The entry of an `Entry.reference`, expired or not. Raises `StoreError`."""
        found = await self._upkeep(self._client.retrieve(self.name, [_as_point(reference)]))
        return unpack(found[0].payload or {}) if found else None

    async def count(self) -> int:
        """How many entries are stored, expired ones that were not swept yet included."""
        return await self._counted(None)

    async def stats(self, now: float) -> tuple[IntentRow, ...]:
        """What is stored, one row per intent. Walks through all of it."""
        tally = Tally()
        offset = None
        while True:
            points, offset = await self._page(offset, None, (*TALLIED, HITS))
            for point in points:
                _note(tally, point)
            if offset is None:
                return tally.rows(now)

    async def close(self) -> None:
        """Let go of the connections. Closing twice is no error."""
        if not self._closed:
            self._closed = True
            await self._client.close()

    async def _write_credits(self) -> None:
        """Add what was served since to what the server has counted. Two who do so at once may lose one's count."""
        credits, self._credits = self._credits, {}
        ids = list(credits)
        for start in range(0, len(ids), _PAGE):
            batch = ids[start : start + _PAGE]
            found = await self._upkeep(self._client.retrieve(self.name, batch, with_payload=[HITS]))
            for number, of in _by_hits(found, credits).items():
                only = self._models.Filter(must=[self._models.HasIdCondition(has_id=of)])  # who is gone is no error
                await self._upkeep(self._client.set_payload(self.name, payload={HITS: number}, points=only))

    async def _give_up(self, now: float) -> None:
        excess = await self._counted(None) - self.max_entries
        for _ in range(_PAGES):
            if excess <= 0:
                return
            points, self._next = await self._page(self._next, None, (*TALLIED, HITS))
            if not points:
                continue  # the walk begins anew
            tally = Tally()
            for point in points:
                _note(tally, point)
            least: list[Any] = [*tally.least(now, min(excess, math.ceil(len(points) / _GIVEN_UP)))]
            await self._delete(self._models.Filter(must=[self._models.HasIdCondition(has_id=least)]))
            excess -= len(least)

    async def _page(
        self, offset: Any, within: models.Filter | None, fields: Sequence[str], limit: int = _PAGE
    ) -> tuple[list[models.Record], Any]:
        return await self._upkeep(
            self._client.scroll(
                self.name, scroll_filter=within, limit=limit, offset=offset, with_payload=list(fields) or False,
                with_vectors=False,
            )
        )  # fmt: skip

    async def _counted(self, within: models.Filter | None) -> int:
        return (await self._upkeep(self._client.count(self.name, count_filter=within, exact=True))).count

    async def _delete(self, meant: models.Filter) -> None:
        await self._upkeep(self._client.delete(self.name, points_selector=self._models.FilterSelector(filter=meant)))

    async def _upkeep(self, call: Awaitable[_T]) -> _T:
        answer = await ask(call, _UPKEEP_SECONDS)
        if isinstance(answer, Failed):
            raise StoreError(f"{self.where} does not answer: {answer.reason}")
        return answer

    def _equal(self, field: str, value: str) -> models.FieldCondition:
        return self._models.FieldCondition(key=field, match=self._models.MatchValue(value=value))


def _note(tally: Tally, point: models.Record) -> None:
    """What is damaged is never served: it counts as long expired, and goes first."""
    payload = point.payload or {}
    try:
        worth = Worth(
            intent=str(payload["intent"]),
            template=str(payload["template"]),
            cost_picodollars=int(payload["cost"]),
            expires=float(payload["expires"]),
            size=int(payload["size"]),
            hits=int(payload[HITS]),
        )
    except (KeyError, TypeError, ValueError):
        worth = Worth(intent="", template="", cost_picodollars=0, expires=0.0, size=0)
    tally.note(str(point.id), worth)


def _by_hits(found: Sequence[models.Record], credits: Mapping[str, int]) -> dict[int, list[Any]]:
    """Points by how often they have been served by now."""
    groups: dict[int, list[Any]] = {}
    for point in found:
        before = (point.payload or {}).get(HITS)
        number = (before if isinstance(before, int) else 0) + credits[str(point.id)]
        groups.setdefault(number, []).append(str(point.id))
    return groups


def _tenant(scope: str) -> str:
    """The tenant of a scope's key, as it is spelled there."""
    return scope.split(":")[1] if ":" in scope else ""


def _as_point(name: str) -> str:
    """The point of an `Entry.id` or an `Entry.reference`."""
    try:
        return str(UUID(name))
    except ValueError:
        return point_id(name)


def _spellable(text: str) -> bool:
    """Whether it can go over the wire; JSON can name half a surrogate pair, UTF-8 cannot."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
