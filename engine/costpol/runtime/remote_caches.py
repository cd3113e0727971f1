"""The answer caches that lie on a server: connected once, shared by the policies that use them, left alone while they
fail.

Such a cache is never the reason that a caller gets no answer: while its server is away the cache is bypassed, at once
after a few failures, and upkeep looks in the background whether it is back.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from costpol.cache.connection import TROUBLES, Connection, open_client
from costpol.commands import Entry, Failed, Hit, LookupExact, LookupSimilar, Store
from costpol.errors import AwayError, ProvisionError, StoreError
from costpol.runtime.breaker import Breaker

if TYPE_CHECKING:
    from qdrant_client import AsyncQdrantClient

    from costpol.cache.qdrant import QdrantCache

RESTING = Failed("store-resting")
"""The answer while a server that kept failing is left alone."""

FAILURES, REST = 3, 30.0
"""Calls in a row that may fail before a server is left alone, and for how many seconds. Upkeep looks more often whether
it is back, so that hardly a request finds out."""

PATIENCE = 2.0
"""Seconds that the start of a sidecar waits for a server that says nothing."""

_SWEPT_AT_ONCE = 500

_log = logging.getLogger("costpol.cache")


class GuardedCache:
    """A cache that is not asked while its server fails, nor before its collection was seen to fit."""

    def __init__(self, cache: QdrantCache, elapsed: Callable[[], float]) -> None:
        self.cache = cache
        self.trouble: str | None = None
        """Why it is bypassed, in words for an operator."""
        self._breaker = Breaker(FAILURES, REST)
        self._elapsed = elapsed
        self._fits = False

    async def lookup_exact(self, c: LookupExact) -> Hit | Failed | None:
        """As the cache; `RESTING` while it is left alone."""
        found: Hit | Failed | None = await self._ask(self.cache.lookup_exact, c)
        return found

    async def lookup_similar(self, c: LookupSimilar) -> tuple[Hit, ...] | Failed:
        """As the cache; `RESTING` while it is left alone."""
        found: tuple[Hit, ...] | Failed = await self._ask(self.cache.lookup_similar, c)
        return found

    async def store(self, c: Store) -> Failed | None:
        """As the cache; `RESTING` while it is left alone."""
        kept: Failed | None = await self._ask(self.cache.store, c)
        return kept

    def credit(self, entry: Entry) -> None:
        """An entry was served."""
        self.cache.credit(entry)

    def keep(self, max_entries: int) -> None:
        """From now on so many entries."""
        self.cache.max_entries = max_entries

    async def connect(self) -> None:
        """See that the collection is there and fits. Raises `ProvisionError`; `StoreError` where the server is away."""
        await self.cache.prepare()
        self._fits = True
        self._went_well()

    def leave_alone(self, why: str) -> None:
        """Bypass it until upkeep has connected."""
        self._fits = False
        self._complain(why)

    async def keep_up(self, now: float) -> None:
        """Connect again where that failed before; delete what has expired, a part at a time."""
        if not self._fits or self._breaker.state(self._elapsed()) != "closed":
            try:
                await self.connect()
            except (StoreError, ProvisionError) as error:
                self.leave_alone(error.message)
                return
        try:
            await self.cache.sweep(now, _SWEPT_AT_ONCE)
        except StoreError as error:  # it may be busy with the callers, whom it has answered
            _log.warning("upkeep of the answer store failed: %s", error.message)

    async def _ask(self, call: Callable[[Any], Awaitable[Any]], command: Any) -> Any:
        if not self._fits or not self._breaker.allows(self._elapsed()):
            return RESTING
        answer = await call(command)
        if type(answer) is Failed and answer in TROUBLES:
            now = self._elapsed()
            self._breaker.failed(now)
            if self._breaker.state(now) != "closed":
                self._complain(f"{self.cache.where} does not answer: {answer.reason}")
        else:
            self._went_well()
        return answer

    def _went_well(self) -> None:
        self._breaker.succeeded()
        if self.trouble is not None:
            self.trouble = None
            _log.warning("%s answers again", self.cache.where)

    def _complain(self, why: str) -> None:
        if why != self.trouble:
            self.trouble = why
            _log.error("%s; the cache is bypassed meanwhile", why)


@dataclass(slots=True)
class _Shared:
    cache: GuardedCache
    users: int = 0


Key = tuple[Connection, str]
"""Which cache: where it lies, and the embedder it is of."""


@dataclass(slots=True)
class RemoteCaches:
    """Those of one process. `elapsed` is a clock that only goes forward, in seconds."""

    elapsed: Callable[[], float] = time.monotonic
    opener: Callable[[Connection], AsyncQdrantClient] = open_client
    _open: dict[Key, _Shared] = field(default_factory=dict)
    _left: list[GuardedCache] = field(default_factory=list)
    """Nobody uses them any more; their connections are still to be closed."""
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def acquire(self, key: Key, dimension: int, max_entries: int, *, patient: bool) -> GuardedCache:
        """A cache, connected at its first use. Each call asks for one `release`.

        One whose server is away is bypassed until it is back where the caller is `patient`, and it is not waited for
        longer than `PATIENCE`; else it raises `AwayError`.
        Raises `ProvisionError` where the collection does not fit or the client is not installed.
        """
        async with self._turn:
            shared = self._open.get(key)
            if shared is None:
                shared = self._open[key] = _Shared(await self._connected(key, dimension, max_entries, patient))
            shared.users += 1
            return shared.cache

    def release(self, key: Key) -> None:
        """Say that a policy is done with a cache; after the last one upkeep closes its connections."""
        shared = self._open[key]
        shared.users -= 1
        if shared.users == 0:
            self._left.append(self._open.pop(key).cache)

    def trouble(self) -> str | None:
        """Why a cache in use is bypassed now; `None` where none is."""
        return next((shared.cache.trouble for shared in self._open.values() if shared.cache.trouble is not None), None)

    async def keep_up(self, now: float) -> None:
        """Upkeep of all of them."""
        await self._close_left()
        for shared in list(self._open.values()):
            await shared.cache.keep_up(now)

    async def close(self) -> None:
        """Let go of all connections."""
        self._left += [shared.cache for shared in self._open.values()]
        self._open.clear()
        await self._close_left()

    async def _connected(self, key: Key, dimension: int, max_entries: int, patient: bool) -> GuardedCache:
        connection, embedder_id = key
        client = await asyncio.to_thread(self.opener, connection)
        from costpol.cache.qdrant import QdrantCache

        cache = GuardedCache(QdrantCache(client, connection, embedder_id, dimension, max_entries), self.elapsed)
        try:
            async with asyncio.timeout(PATIENCE if patient else None):
                await cache.connect()
        except TimeoutError:
            cache.leave_alone(f"{cache.cache.where} has not answered within {PATIENCE:g} s")
        except StoreError as error:
            if not patient:
                self._left.append(cache)
                raise AwayError(
                    error.message, "see that the server runs and can be reached from here, or correct the `url`"
                ) from error
            cache.leave_alone(error.message)
        except BaseException:
            self._left.append(cache)
            raise
        return cache

    async def _close_left(self) -> None:
        while self._left:
            await self._left.pop().cache.close()
