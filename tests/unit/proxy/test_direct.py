"""The short way to a provider, against a server that writes down the bytes that come."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from multidict import CIMultiDict
from yarl import URL

from costpol.commands import CallFailed
from costpol.proxy.direct import LARGEST, post
from costpol.proxy.upstream import Upstream, open_session, read_whole, returned_headers, returned_kind
from costpol.runtime.endpoint import Endpoint

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
SILENCE = b"silence"
HEADERS = (("Content-Type", "application/json"), ("Authorization", "Bearer ours"), ("Accept-Encoding", "identity"))


class Provider:
    """Answers every request with the next of `answers`, and closes the connection after one that is empty."""

    def __init__(self, answers: list[bytes]) -> None:
        self.answers = answers
        self.requests: list[bytes] = []
        self.connections = 0
        self.writer: asyncio.StreamWriter | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writer = writer
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(length))
                answer = self.answers.pop(0)
                if answer == SILENCE:
                    await reader.read()
                writer.write(answer)
                if answer != ANSWER:
                    break
        except asyncio.IncompleteReadError:
            pass
        writer.close()


def asked(
    answers: list[bytes] | Provider, scenario: Callable[[Upstream, Endpoint], Awaitable[Any]]
) -> tuple[Any, Provider]:
    provider = Provider(answers) if isinstance(answers, list) else answers

    async def main() -> tuple[Any, Provider]:
        server = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, open_session() as session:
            endpoint = Endpoint(URL(f"http://127.0.0.1:{port}/v1/chat/completions?version=2"), HEADERS, False)
            return await scenario(Upstream(session), endpoint), provider

    return asyncio.run(main())


async def ask(upstream: Upstream, endpoint: Endpoint, body: bytes = b"{}") -> Any:
    response = await upstream.send(endpoint, body, (), 5.0)
    return response if isinstance(response, CallFailed) else await read_whole(response)


def test_the_request_is_its_headers_the_host_the_length_and_the_body() -> None:
    answer, provider = asked([ANSWER], lambda upstream, endpoint: ask(upstream, endpoint, b'{"a":1}'))
    assert answer == b"{}"
    head, _, body = provider.requests[0].partition(b"\r\n\r\n")
    line, *headers = head.split(b"\r\n")
    assert line == b"POST /v1/chat/completions?version=2 HTTP/1.1"
    assert sorted(header.split(b": ")[0].lower() for header in headers) == [
        b"accept-encoding", b"authorization", b"content-length", b"content-type", b"host",
    ]  # fmt: skip
    assert body == b'{"a":1}'


def test_a_connection_is_used_again() -> None:
    async def scenario(upstream: Upstream, endpoint: Endpoint) -> list[Any]:
        return [await ask(upstream, endpoint) for _ in range(5)]

    answers, provider = asked([ANSWER] * 5, scenario)
    assert answers == [b"{}"] * 5
    assert provider.connections == 1


def test_both_ways_share_their_connections() -> None:
    async def scenario(upstream: Upstream, endpoint: Endpoint) -> list[Any]:
        return [await ask(upstream, endpoint, b"x" * size) for size in (2, LARGEST + 1, 2)]

    answers, provider = asked([ANSWER] * 3, scenario)
    assert answers == [b"{}"] * 3
    assert provider.connections == 1


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200", b"not http at all\r\n\r\n", ANSWER[:-1]])
def test_an_answer_that_breaks_off_is_broken_and_not_asked_for_again(answer: bytes) -> None:
    failure, provider = asked([answer, ANSWER], ask)
    assert failure == CallFailed("broken")
    assert len(provider.requests) == 1


def test_after_a_broken_answer_comes_a_new_connection() -> None:
    async def scenario(upstream: Upstream, endpoint: Endpoint) -> list[Any]:
        return [await ask(upstream, endpoint) for _ in range(2)]

    answers, provider = asked([b"HTTP/1.1 200", ANSWER], scenario)
    assert answers == [CallFailed("broken"), b"{}"]
    assert provider.connections == 2


def test_a_provider_that_takes_no_connection_is_unreachable() -> None:
    with socket.socket() as listening, socket.socket() as first, socket.socket() as second:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for filling in (first, second):  # the queue of those that wait to be accepted is full now
            filling.setblocking(False)
            filling.connect_ex(listening.getsockname())
        url = URL(f"http://127.0.0.1:{listening.getsockname()[1]}/v1")

        async def main() -> None:
            async with open_session() as session:
                timeout = aiohttp.ClientTimeout(total=None, sock_connect=0.05)
                with pytest.raises(aiohttp.ConnectionTimeoutError):
                    await post(session, url, CIMultiDict(), b"{}", timeout=timeout, loop=asyncio.get_running_loop())

        asyncio.run(main())


def test_a_session_that_is_closed_sends_nothing() -> None:
    async def main() -> Any:
        async with open_session() as session:
            upstream = Upstream(session)
        return await upstream.send(Endpoint(URL("http://127.0.0.1:1/v1"), HEADERS, False), b"{}", (), 1.0)

    assert asyncio.run(main()) == CallFailed("broken")


def test_who_gives_up_leaves_no_connection_behind() -> None:
    async def scenario(upstream: Upstream, endpoint: Endpoint) -> Any:
        task = asyncio.ensure_future(ask(upstream, endpoint))
        connector = upstream._session.connector
        assert connector is not None
        while not connector._acquired:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return [*connector._acquired], [*connector._conns]

    left, _ = asked([SILENCE], scenario)
    assert left == ([], [])


@pytest.mark.parametrize("size", [2, LARGEST + 1])
def test_what_a_provider_says_unasked_is_nobody_s_answer(size: int) -> None:
    provider = Provider([ANSWER] * 3)

    async def scenario(upstream: Upstream, endpoint: Endpoint) -> list[Any]:
        answers = [await ask(upstream, endpoint)]
        assert provider.writer is not None
        provider.writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil")
        connector = upstream._session.connector
        assert connector is not None
        ((idle, _),) = (each for pool in connector._conns.values() for each in pool)
        while not idle.should_close:
            await asyncio.sleep(0.001)
        return [*answers, *[await ask(upstream, endpoint, b"x" * size) for _ in range(2)]]

    answers, _ = asked(provider, scenario)
    assert answers == [b"{}"] * 3
    assert provider.connections == 2


@pytest.mark.parametrize("size", [LARGEST + 1, 2**20, 8 * 2**20])
def test_a_provider_that_does_not_read_is_not_waited_for(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    class Deaf(Provider):
        async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.writer = writer

    monkeypatch.setattr("costpol.proxy.upstream.CONNECT_SECONDS", 0.05)
    deaf = Deaf([])

    async def scenario(upstream: Upstream, endpoint: Endpoint) -> Any:
        failure = await upstream.send(endpoint, b"x" * size, (), 0.05)
        assert deaf.writer is not None
        deaf.writer.transport.abort()
        return failure

    failure, _ = asked(deaf, scenario)
    assert failure == CallFailed("timeout")


def test_a_small_answer_that_unpacks_into_a_large_one_is_broken() -> None:
    packed = gzip.compress(bytes(2**20))
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed)

    async def scenario(upstream: Upstream, endpoint: Endpoint) -> Any:
        response = await upstream.send(endpoint, b"{}", (), 5.0)
        assert not isinstance(response, CallFailed)
        return await read_whole(response, limit=2**19)

    assert asked([head + packed], scenario)[0] == CallFailed("broken")


def test_headers_that_hold_what_no_header_may_are_not_passed_on() -> None:
    lines = b"x-request-id: a\x7fb\r\nopenai-one: a\x01\r\nopenai-two: caf\xe9\tau lait\r\ncontent-type: a\x7f\r\n"
    answer = b"HTTP/1.1 400 Bad Request\r\n" + lines + b"content-length: 0\r\n\r\n"

    async def scenario(upstream: Upstream, endpoint: Endpoint) -> Any:
        response = await upstream.send(endpoint, b"{}", (), 5.0)
        assert not isinstance(response, CallFailed)
        return returned_headers(response), returned_kind(response)

    assert asked([answer], scenario)[0] == ([(b"openai-two", b"caf\xe9\tau lait")], "application/json")


@pytest.mark.parametrize("size", [2, LARGEST + 1])
def test_what_a_proxy_would_not_carry_never_reached_the_provider(size: int) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    async def main() -> Any:
        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        proxy = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server, open_session() as session:
            endpoint = Endpoint(URL("https://provider.example/v1"), HEADERS, False, proxy)
            return await Upstream(session).send(endpoint, b"x" * size, (), 5.0)

    assert asyncio.run(main()) == CallFailed("unreachable")
