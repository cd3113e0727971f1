"""The embedded answer cache: one Qdrant Edge shard answers exact repeats and similar questions.

An exact repeat is a read by id, a similar question a nearest-vector search filtered on scope, partition, intent and
life. Whatever is read must itself say that it belongs to the asker before it leaves this module.

One thread, the event loop's, uses a cache. Calls are made inline: see `shard` for why a thread would not help.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from costpol.cache.admission import UNFIT, fits, hits, refuses, repeats
from costpol.cache.collection import Collection, damaged, open_collection
from costpol.cache.recent import Recent
from costpol.cache.record import PLACE, TALLIED, UNTIL, pack, place, point_id, unpack
from costpol.cache.renewal import Renewal
from costpol.cache.tally import IntentRow, Tally, Worth
from costpol.commands import Entry, Failed, Hit, LookupExact, LookupSimilar, Store
from costpol.errors import DiskFullError, StoreError

if TYPE_CHECKING:
    from costpol.commands import Vector

DEFAULT_MAX_ENTRIES = 50_000
"""The size at which a filtered search still takes a fraction of a millisecond on one core."""

_EVICTED_SHARE = 50
"""One part in fifty goes when the store is full: finding the least valuable costs a pass over all of them."""

_FLUSH_EVERY = 5000
"""Stores between two flushes: bounds the write-ahead log and the time that reopening takes. A flush takes about 10 ms
on an idle disk, up to 200 ms on a busy one, whatever there is to write: so not more often."""

_WORN = 2
"""A shard is worn once it takes this many times the bytes of its entries, and `slack` more."""

_log = logging.getLogger("costpol.cache")


class EdgeCache:
    """The answer cache of one embedder. Commands are answered, failures as `Failed`; upkeep raises `StoreError`."""

    def __init__(self, collection: Collection, tally: Tally, dimension: int, max_entries: int) -> None:
        self.max_entries = max_entries
        self.slack = 128 * 2**20
        """Bytes on the disk that are not worth a renewal."""
        self.trouble: str | None = None
        """Why nothing can be read or kept now."""
        self._full = False
        self._collection = collection
        self._renewal: Renewal | None = None
        self._tally = tally
        self._recent = Recent()
        self._dimension = dimension
        self._unflushed = 0
        self._worn = self._is_worn()

    # Commands

    def lookup_exact(self, c: LookupExact) -> Hit | Failed | None:
        """The unexpired entry of exactly this identity."""
        id = point_id(f"{c.partition}/{c.question}/{c.scope.key}")
        if id not in self._tally:
            return None
        try:
            payload = self._collection.shard.read(id)
        except StoreError as error:
            return self._failed("lookup", error)
        entry = unpack(payload) if payload is not None else None
        return Hit(entry, 1.0) if entry is not None and repeats(entry, c) else None

    def lookup_similar(self, c: LookupSimilar) -> tuple[Hit, ...] | Failed:
        """The unexpired entries nearest to a vector, inside one partition, scope and intent, nearest first."""
        if not fits(c.vector, self._dimension):
            return UNFIT
        try:
            found = self._collection.shard.nearest(
                c.vector, c.limit, equal=(PLACE, place(c.scope, c.partition, c.intent)), above=(UNTIL, c.now)
            )
            return hits(zip(self._entries([id for id, _ in found]), [cosine for _, cosine in found], strict=True), c)
        except StoreError as error:
            return self._failed("lookup", error)

    def _entries(self, ids: list[UUID]) -> list[Entry | None]:
        """The entries of these ids; `None` for one that is gone or damaged."""
        entries = self._recent.get([id.int for id in ids])
        missing = [str(id) for id, entry in zip(ids, entries, strict=True) if entry is None]
        if missing:
            payloads = self._collection.shard.read_many(missing)
            for number, id in enumerate(ids):
                if entries[number] is None and (payload := payloads.get(str(id))) is not None:
                    entry = entries[number] = unpack(payload)
                    if entry is not None:
                        self._recent.keep(id.int, entry)
        return entries

    def store(self, c: Store) -> Failed | None:
        """Keep an answer, replacing the one of the same identity. A full store gives up its least valuable entries."""
        refused = refuses(c, self._dimension)
        if refused is not None:
            return refused
        entry = c.entry
        id = point_id(entry.id)
        try:
            payload = pack(entry)
            self._put(id, c.vector, payload)
            self._tally.note(id, _worth(payload))
            if len(self._tally) > self.max_entries:
                excess = len(self._tally) - self.max_entries
                self._forget(self._tally.least(entry.created, max(excess, self.max_entries // _EVICTED_SHARE)))
            self._unflushed += 1
            if self._unflushed >= _FLUSH_EVERY:
                self.flush()
        except StoreError as error:
            return self._failed("store", error)
        if self.trouble is not None:
            self._recovered()
        return None

    def credit(self, entry: Entry) -> None:
        """An entry was served, which makes it worth more when the store is full."""
        self._tally.credit(point_id(entry.id))

    # Upkeep

    def keep(self, max_entries: int, quantized: bool | None) -> None:
        """From now on so many entries, with or without 8-bit vectors; `None` leaves those as they are."""
        self.max_entries = max_entries
        if quantized is not None and quantized is not self._collection.quantized:
            self._abandon()  # the next shard is begun as what is no longer wanted
            self._collection.quantized = quantized
            self._worn = self._is_worn()

    def sweep(self, now: float, at_most: int | None = None) -> int:
        """Delete expired entries and say how many; `at_most` bounds the pause (about 20 us per entry).

        A worn store is renewed along the way, a hundred entries per sweep.
        """
        deleted = self._forget(self._tally.expired(now, at_most))
        if self._full:  # there is room again, or forgetting would have failed
            self._recovered()
        self._renew()
        return deleted

    def purge(
        self, intent: str | None = None, template: str | None = None, id: str | None = None, everything: bool = False,
        *, tag: str | None = None, scope: str | None = None, tenant: str | None = None, dry_run: bool = False,
    ) -> int:  # fmt: skip
        """Delete entries and say how many: the one of an `Entry.id` or `Entry.reference`, all, or those of an intent, a
        template (`name` or `name@version`), a tag, a scope by its key, a tenant as keys spell it, whatever of it is
        named. Naming nothing deletes nothing; a dry run only counts."""
        ids: list[str] = []
        if id is not None:
            ids = [one for one in (id, point_id(id)) if one in self._tally][:1]
        elif everything or any(each is not None for each in (intent, template, tag, scope, tenant)):
            ids = self._tally.matching(intent, template, tag=tag, scope=scope, tenant=tenant)
        return len(ids) if dry_run else self._forget(ids)

    def find(self, reference: str) -> Entry | None:
        """The entry of an `Entry.reference`, expired or not. Raises `StoreError`."""
        payload = self._collection.shard.read(reference) if reference in self._tally else None
        return None if payload is None else unpack(payload)

    def count(self) -> int:
        """How many entries are stored, expired ones that were not swept yet included."""
        return len(self._tally)

    def stats(self, now: float) -> tuple[IntentRow, ...]:
        """What is stored, one row per intent."""
        return self._tally.rows(now)

    def flush(self) -> None:
        """Write everything through to the disk, so that it survives a power cut, too."""
        self._collection.shard.flush()
        self._unflushed = 0
        self._worn = self._is_worn()

    def close(self) -> None:
        """Flush and let go of the files. Closing twice is no error."""
        try:
            if self._unflushed:
                self.flush()
        finally:
            self._abandon()
            self._collection.close()

    def _put(self, id: str, vector: Vector | None, payload: dict[str, Any]) -> None:
        self._recent.drop((UUID(id).int,))
        self._collection.shard.put([(id, vector, payload)])
        if self._renewal is not None:
            try:
                self._renewal.shard.put([(id, vector, payload)])
            except StoreError as error:
                self._abandon(error)

    def _forget(self, ids: list[str]) -> int:
        self._recent.drop([UUID(id).int for id in ids])
        self._collection.shard.delete(ids)
        self._tally.drop(ids)
        if self._renewal is not None:
            try:
                self._renewal.shard.delete(ids)
            except StoreError as error:
                self._abandon(error)
        return len(ids)

    def _is_worn(self) -> bool:
        try:
            allocated = self._collection.allocated()
        except OSError as error:  # a folder that cannot be read now is asked again at the next flush
            _log.warning("the size of the answer cache cannot be told: %s", error.strerror)
            return False
        if self._collection.quantized is not self._collection.manifest.quantized:
            return True
        vectors = len(self._tally) * self._dimension * (1 if self._collection.quantized else 4)
        return allocated > _WORN * (self._tally.size + vectors) + self.slack

    def _renew(self) -> None:
        try:
            if self._renewal is not None:
                if self._renewal.step():
                    self._renewal = None
            elif self._worn:
                self._worn = False  # asked again at the next flush
                self._renewal = Renewal(self._collection)
        except StoreError as error:
            self._abandon(error)

    def _abandon(self, error: StoreError | None = None) -> None:
        if error is not None:
            _log.warning("renewal of the answer cache put off: %s", error.message)
        renewal, self._renewal = self._renewal, None
        if renewal is not None:
            renewal.shard.close()

    def _failed(self, what: str, error: StoreError) -> Failed:
        # The engine's words may quote data, so they go to the operator's log and not into the decision.
        if self.trouble is None:
            _log.warning("answer cache %s failed: %s", what, error.message)
        self.trouble, self._full = error.message, isinstance(error, DiskFullError)
        return Failed(f"cache-{what}-failed")

    def _recovered(self) -> None:
        self.trouble, self._full = None, False
        _log.warning("the answer cache works again")


def open_cache(
    directory: Path,
    embedder_id: str,
    dimension: int,
    max_entries: int = DEFAULT_MAX_ENTRIES,
    quantized: bool | None = None,
) -> EdgeCache:
    """The cache of one embedder under a data folder, made where there is none.

    A `quantized` one keeps its vectors as 8-bit numbers; what is kept otherwise is rewritten while it serves, `None`
    leaves it as it is.

    Raises `ProvisionError` where it cannot be used and `StoreLockedError` where another process has it open.
    """
    collection = open_collection(directory, embedder_id, dimension, ((PLACE,), (UNTIL,)), quantized)
    tally = Tally()
    try:
        for id, payload in collection.shard.walk(TALLIED):
            tally.note(id, _worth(payload))
    except (StoreError, KeyError, TypeError, ValueError) as error:
        collection.close()
        raise damaged(collection.place, "its entries cannot be read") from error
    return EdgeCache(collection, tally, dimension, max_entries)


def _worth(payload: dict[str, object]) -> Worth:
    return Worth(
        intent=str(payload["intent"]),
        template=str(payload["template"]),
        cost_picodollars=int(payload["cost"]),  # type: ignore[call-overload]
        expires=float(payload["expires"]),  # type: ignore[arg-type]
        size=int(payload["size"]),  # type: ignore[call-overload]
        scope=str(payload["scope"]),
        tags=tuple(payload.get("tags") or ()),  # type: ignore[arg-type]
    )
