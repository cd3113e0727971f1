"""Caches on a server, as policies and requests meet them."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from costpol.cache.connection import Connection
from costpol.commands import Entry, Failed, Hit, LookupExact, Scope, Store
from costpol.errors import ProvisionError
from costpol.runtime.remote_caches import FAILURES, REST, RESTING, RemoteCaches

qdrant_client = pytest.importorskip("qdrant_client")
pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning")

GLOBAL = Scope("global", "global")
KEPT = Entry("p", "q", GLOBAL, "faq", "", b"{}", "m", 0.0, 10.0, 1)
EXACT = LookupExact("p", "q", GLOBAL, 1.0)
CONNECTION = Connection("http://qdrant.test:6333", timeout=30.0)
KEY = (CONNECTION, "e/1")


@dataclass
class Server:
    """A server that can be switched off; its data outlives that. Counts how often it was asked while it was off."""

    inner: Any = field(default_factory=lambda: qdrant_client.AsyncQdrantClient(":memory:"))
    away: bool = False
    asked: int = 0
    closed: int = 0

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: Any, **named: Any) -> Any:
            if self.away:
                self.asked += 1
                raise qdrant_client.http.exceptions.ResponseHandlingException(ConnectionRefusedError("refused"))
            return await getattr(self.inner, name)(*arguments, **named)

        return call

    async def close(self) -> None:
        self.closed += 1


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def caches(server: Server, clock: Clock | None = None) -> RemoteCaches:
    return RemoteCaches(clock or Clock(), lambda connection: server)  # type: ignore[arg-type,return-value]


def test_a_hit_after_a_store() -> None:
    async def main() -> None:
        remote = caches(Server())
        cache = await remote.acquire(KEY, 4, 100, patient=False)
        assert await cache.lookup_exact(EXACT) is None
        assert await cache.store(Store(KEPT, None)) is None
        assert await cache.lookup_exact(EXACT) == Hit(KEPT, 1.0)
        assert remote.trouble() is None

    asyncio.run(main())


def test_a_cache_is_connected_once_and_closed_after_its_last_user() -> None:
    async def main() -> None:
        server = Server()
        remote = caches(server)
        first = await remote.acquire(KEY, 4, 100, patient=False)
        assert await remote.acquire(KEY, 4, 50, patient=False) is first
        assert first.cache.max_entries == 100
        first.keep(50)
        assert first.cache.max_entries == 50
        remote.release(KEY)
        await remote.keep_up(1.0)
        assert not server.closed
        remote.release(KEY)
        await remote.keep_up(1.0)
        assert server.closed == 1
        await remote.close()
        assert server.closed == 1

    asyncio.run(main())


def test_a_dead_server_costs_nothing_after_a_few_failures() -> None:
    async def main() -> None:
        server, clock = Server(), Clock()
        remote = caches(server, clock)
        cache = await remote.acquire(KEY, 4, 100, patient=False)
        server.away = True
        reasons = [await cache.lookup_exact(EXACT) for _ in range(50)]
        assert reasons[:FAILURES] == [Failed("store-unreachable")] * FAILURES
        assert reasons[FAILURES:] == [RESTING] * (50 - FAILURES)
        assert server.asked == FAILURES
        assert "`http://qdrant.test:6333` does not answer: store-unreachable" in (remote.trouble() or "")
        clock.now += REST
        assert [await cache.store(Store(KEPT, None)) for _ in range(3)] == [
            Failed("store-unreachable"),
            RESTING,
            RESTING,
        ]

    asyncio.run(main())


def test_what_is_wrong_with_one_answer_says_nothing_of_the_server() -> None:
    async def main() -> None:
        remote = caches(Server())
        cache = await remote.acquire(KEY, 4, 100, patient=False)
        broken = Store(Entry("p", "q", GLOBAL, "faq", "", b"\xff", "m", 0.0, 10.0, 1), None)
        assert [await cache.store(broken) for _ in range(20)] == [Failed("cache-store-failed")] * 20
        assert await cache.store(Store(KEPT, None)) is None
        assert remote.trouble() is None

    asyncio.run(main())


def test_upkeep_finds_a_server_that_is_back_before_any_request_does() -> None:
    async def main() -> None:
        server = Server()
        remote = caches(server)
        cache = await remote.acquire(KEY, 4, 100, patient=False)
        await cache.store(Store(KEPT, None))
        server.away = True
        for _ in range(FAILURES):
            await cache.lookup_exact(EXACT)
        await remote.keep_up(1.0)
        assert await cache.lookup_exact(EXACT) == RESTING
        server.away = False
        await remote.keep_up(1.0)
        assert remote.trouble() is None
        assert await cache.lookup_exact(EXACT) == Hit(KEPT, 1.0)

    asyncio.run(main())


def test_a_collection_that_somebody_deleted_is_made_again() -> None:
    async def main() -> None:
        server = Server()
        remote = caches(server)
        cache = await remote.acquire(KEY, 4, 100, patient=False)
        await server.inner.delete_collection(cache.cache.name)
        for _ in range(FAILURES):
            assert await cache.lookup_exact(EXACT) == Failed("store-refused")
        await remote.keep_up(1.0)
        assert await cache.lookup_exact(EXACT) is None
        assert await cache.store(Store(KEPT, None)) is None

    asyncio.run(main())


def test_at_the_start_a_server_that_is_away_is_bypassed_until_it_is_there(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        server = Server(away=True)
        remote = caches(server)
        cache = await remote.acquire(KEY, 4, 100, patient=True)
        asked = server.asked
        assert await cache.lookup_exact(EXACT) == RESTING
        for _ in range(5):
            await remote.keep_up(1.0)
        assert await cache.lookup_exact(EXACT) == RESTING
        server.away = False
        assert await cache.lookup_exact(EXACT) == RESTING, "nobody has seen yet whether its collection fits"
        assert asked < server.asked
        await remote.keep_up(1.0)
        assert await cache.lookup_exact(EXACT) is None

    asyncio.run(main())
    complaints = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(complaints) == 1, "an outage is one line"


def test_at_the_start_a_silent_server_is_waited_for_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("costpol.runtime.remote_caches.PATIENCE", 0.05)

    class Silent(Server):
        async def silence(self, *arguments: Any, **named: Any) -> Any:
            await asyncio.Event().wait()

        def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
            return self.silence if self.away else super().__getattr__(name)

    async def main() -> None:
        server = Silent(away=True)
        remote = caches(server)
        cache = await remote.acquire(KEY, 4, 100, patient=True)
        assert await cache.lookup_exact(EXACT) == RESTING
        assert remote.trouble() == "the answer store `http://qdrant.test:6333` has not answered within 0.05 s"
        server.away = False
        await remote.keep_up(1.0)
        assert await cache.lookup_exact(EXACT) is None
        await remote.close()

    asyncio.run(main())


def test_later_a_server_that_is_away_is_refused_and_nothing_stays_open() -> None:
    async def main() -> None:
        server = Server(away=True)
        remote = caches(server)
        with pytest.raises(ProvisionError, match="does not answer") as refused:
            await remote.acquire(KEY, 4, 100, patient=False)
        assert refused.value.help
        await remote.keep_up(1.0)
        assert server.closed == 1

    asyncio.run(main())


@pytest.mark.parametrize("patient", [True, False])
def test_a_collection_that_does_not_fit_is_refused_even_by_the_patient(patient: bool) -> None:
    async def main() -> None:
        server = Server()
        remote = caches(server)
        await remote.acquire(KEY, 4, 100, patient=False)
        remote.release(KEY)
        with pytest.raises(ProvisionError, match=r"has 4 dimensions .* has 8") as refused:
            await remote.acquire(KEY, 8, 100, patient=patient)
        assert "curl -X DELETE http://qdrant.test:6333/collections/costpol-" in (refused.value.help or "")
        await remote.close()
        assert server.closed == 2

    asyncio.run(main())


def test_a_collection_found_unfit_later_stays_bypassed() -> None:
    async def main() -> None:
        server = Server()
        other = caches(server)
        await other.acquire(KEY, 4, 100, patient=False)
        server.away = True
        remote = caches(server)
        cache = await remote.acquire(KEY, 8, 100, patient=True)
        server.away = False
        await remote.keep_up(1.0)
        assert await cache.lookup_exact(EXACT) == RESTING
        assert "has 4 dimensions" in (remote.trouble() or "")

    asyncio.run(main())


def test_upkeep_deletes_what_has_expired() -> None:
    async def main() -> None:
        remote = caches(Server())
        cache = await remote.acquire(KEY, 4, 100, patient=False)
        await cache.store(Store(KEPT, None))
        await remote.keep_up(KEPT.expires - 1)
        assert await cache.cache.count() == 1
        await remote.keep_up(KEPT.expires)
        assert await cache.cache.count() == 0

    asyncio.run(main())


def test_a_silent_server_holds_up_only_the_first_few() -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
            server, clock = Server(), Clock()
            remote = caches(server, clock)
            cache = await remote.acquire(KEY, 4, 100, patient=False)
            from costpol.cache.connection import open_client

            connection = Connection(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.05)
            cache.cache._client, cache.cache._connection = open_client(connection), connection
            replies = [await cache.lookup_exact(EXACT) for _ in range(1000)]
            assert replies == [Failed("store-timeout")] * FAILURES + [RESTING] * (1000 - FAILURES)
            await remote.close()

    asyncio.run(main())
