"""What becomes of a call to a server: an answer, or a reason, in bounded time."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from costpol.cache.connection import (
    REFUSED,
    TIMEOUT,
    UNAUTHORIZED,
    UNAVAILABLE,
    UNREACHABLE,
    Connection,
    ask,
    open_client,
)
from costpol.cache.qdrant import QdrantCache
from costpol.commands import Entry, Failed, LookupExact, LookupSimilar, Scope, Store
from costpol.errors import ProvisionError, StoreError

VECTOR = np.eye(4, dtype=np.float32)[0]
GLOBAL = Scope("global", "global")
KEPT = Entry("p", "q", GLOBAL, "faq", "", b"{}", "m", 0.0, 10.0, 1)
COMMANDS = [
    ("lookup_exact", LookupExact("p", "q", GLOBAL, 1.0)),
    ("lookup_similar", LookupSimilar(VECTOR, "p", GLOBAL, "faq", 1.0, 5)),
    ("store", Store(KEPT, VECTOR)),
]


@contextmanager
def listener(backlog: int = 8) -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=backlog) as opened:
        yield opened


def closed_port() -> int:
    with listener() as opened:
        port: int = opened.getsockname()[1]
        return port


def all_replies(connection: Connection) -> list[Any]:
    """What every command is answered, over one client."""
    pytest.importorskip("qdrant_client")

    async def main() -> list[Any]:
        cache = QdrantCache(open_client(connection), connection, "e", 4)
        try:
            return [await getattr(cache, name)(command) for name, command in COMMANDS]
        finally:
            await cache.close()

    return asyncio.run(main())


@pytest.mark.parametrize("grpc", [False, True])
def test_a_closed_port_is_a_reason(grpc: bool) -> None:
    port = closed_port()
    connection = Connection(f"http://127.0.0.1:{port}", timeout=30.0, grpc_port=port if grpc else None)
    assert all_replies(connection) == [UNREACHABLE] * 3


@pytest.mark.parametrize("grpc", [False, True])
def test_a_server_that_never_answers_is_given_up_after_the_timeout(grpc: bool) -> None:
    with listener() as silent:
        port = silent.getsockname()[1]
        connection = Connection(f"http://127.0.0.1:{port}", timeout=0.05, grpc_port=port if grpc else None)
        assert all_replies(connection) == [TIMEOUT] * 3


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 500 x\r\ncontent-length: 0\r\n\r\n", UNAVAILABLE),
        (b"HTTP/1.1 503 x\r\ncontent-length: 0\r\n\r\n", UNAVAILABLE),
        (b"HTTP/1.1 429 x\r\ncontent-length: 0\r\n\r\n", UNAVAILABLE),
        (b"HTTP/1.1 429 x\r\nretry-after: 3\r\ncontent-length: 0\r\n\r\n", UNAVAILABLE),
        (b"HTTP/1.1 401 x\r\ncontent-length: 0\r\n\r\n", UNAUTHORIZED),
        (b"HTTP/1.1 403 x\r\ncontent-length: 0\r\n\r\n", UNAUTHORIZED),
        (b"HTTP/1.1 404 x\r\ncontent-length: 0\r\n\r\n", REFUSED),
        (b"HTTP/1.1 200 x\r\ncontent-length: 6\r\n\r\n<html>", REFUSED),
        (b"HTTP/1.1 200 x\r\ncontent-length: 2\r\n\r\n{}", REFUSED),
        (b"HTTP/1.1 200 x\r\ncontent-length: 17\r\n\r\n{\"result\":[5,{}]}", REFUSED),
        (b"HTTP/1.1 200 x\r\ncontent-length: 999\r\n\r\n{}", UNREACHABLE),
        (b"not http at all\r\n\r\n", UNREACHABLE),
        (b"", UNREACHABLE),
    ],
)  # fmt: skip
def test_whatever_a_server_answers_is_a_reason(answer: bytes, reason: Failed) -> None:
    pytest.importorskip("qdrant_client")

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async def main() -> list[Any]:
        server = await asyncio.start_server(respond, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            connection = Connection(f"http://127.0.0.1:{port}", timeout=30.0)
            cache = QdrantCache(open_client(connection), connection, "e", 4)
            replies = [await getattr(cache, name)(command) for name, command in COMMANDS]
            await cache.close()
            return replies

    assert asyncio.run(main()) == [reason] * 3


def test_a_defect_here_is_not_taken_for_the_server_s() -> None:
    pytest.importorskip("qdrant_client")

    async def broken() -> None:
        raise AttributeError("a misspelled name")

    with pytest.raises(AttributeError):
        asyncio.run(ask(broken(), 30.0))


def test_a_caller_who_leaves_is_not_held_up() -> None:
    pytest.importorskip("qdrant_client")

    async def main() -> None:
        with listener() as silent:
            connection = Connection(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=3600.0)
            cache = QdrantCache(open_client(connection), connection, "e", 4)
            asked = asyncio.create_task(cache.lookup_exact(COMMANDS[0][1]))  # type: ignore[arg-type]
            await asyncio.sleep(0)
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked
            await cache.close()

    asyncio.run(main())


def test_a_missing_client_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "qdrant_client", None)
    with pytest.raises(ProvisionError, match="not installed") as refused:
        open_client(Connection("http://127.0.0.1:6333"))
    assert "pip install 'costpol[qdrant]'" in (refused.value.help or "")


def test_a_key_is_never_shown() -> None:
    assert "hush" not in repr(Connection("http://127.0.0.1:6333", "hush"))


def test_what_goes_without_tls_is_said_aloud(caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("qdrant_client")
    near, far = Connection("http://127.0.0.1:6333", "hush"), Connection("http://qdrant.internal:6333", "hush")
    for connection in (near, replace(far, url="https://qdrant.internal:6333")):
        asyncio.run(open_client(connection).close())
    assert not caplog.records
    asyncio.run(open_client(far).close())
    assert "without TLS" in caplog.text
    assert "hush" not in caplog.text


def test_preparing_tells_a_server_that_is_away_from_one_that_will_not_have_us() -> None:
    pytest.importorskip("qdrant_client")
    away = Connection(f"http://127.0.0.1:{closed_port()}")

    async def prepare(connection: Connection) -> None:
        cache = QdrantCache(open_client(connection), connection, "e", 4)
        try:
            await cache.prepare()
        finally:
            await cache.close()

    with pytest.raises(StoreError, match="does not answer: store-unreachable"):
        asyncio.run(prepare(away))

    async def refused(status: bytes, key: str | None) -> None:
        async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 " + status + b" x\r\ncontent-length: 0\r\n\r\n")
            writer.close()

        async with await asyncio.start_server(respond, "127.0.0.1", 0) as server:
            await prepare(Connection(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", key))

    for status, key, message in [
        (b"401", None, "asks for a key"),
        (b"403", "wrong", "does not accept the key"),
        (b"404", None, "does not answer as a Qdrant server does"),
    ]:
        with pytest.raises(ProvisionError, match=message) as error:
            asyncio.run(refused(status, key))
        assert error.value.help
