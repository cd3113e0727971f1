"""Answers of the protocol as they come over a socket: the same bytes that uvicorn writes for any ASGI application."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from costpol.proxy import protocol
from costpol.proxy.messages import send_answer
from costpol.proxy.protocol import MAX_HEAD_BYTES, Protocol


class App:
    """Answers by its path."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[list[tuple[bytes, bytes]]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        self.headers.append([*scope["headers"]])
        if path != "/early":
            body = b""
            while True:
                message = await receive()
                body += message.get("body", b"")
                if not message.get("more_body"):
                    break
            self.bodies.append(body)
        if path == "/stream":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
            for part in (b"one", b"two"):
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        elif path == "/closing":
            await send_answer(send, 413, [(b"connection", b"close")], b"no more")
        elif path == "/split":
            await send_answer(send, 200, [(b"x-rule", b"a\r\nset-cookie: evil=1")], b"fine")
        elif path == "/short":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
            await send({"type": "http.response.body", "body": b"four"})
        elif path == "/stalled":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"one", "more_body": True})
            await receive()
        elif path == "/defect":
            raise RuntimeError("a defect")
        else:
            await send_answer(send, 200, [(b"x-rule", b"r")], b"fine")


@pytest.fixture
def served(serve: Callable[..., Any]) -> Any:
    return serve(App(), Protocol)


def talk(served: Any, *sent: bytes, until: bytes | None = None) -> bytes:
    """What comes back, until the connection ends or `until` has come."""
    with socket.create_connection(("127.0.0.1", served.port), 10) as connection:
        for part in sent:
            connection.sendall(part)
        got = b""
        while until is None or until not in got:
            part = connection.recv(65536)
            if not part:
                return got
            got += part
        return got


def ask(path: str, version: str = "1.1", method: str = "POST", extra: str = "") -> bytes:
    return f"{method} {path} HTTP/{version}\r\nhost: h\r\n{extra}content-length: 2\r\n\r\nhi".encode()


def split(answer: bytes) -> tuple[bytes, list[bytes], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    return status, lines, body


def test_a_whole_answer_has_its_head_its_length_and_the_date(served: Any) -> None:
    status, lines, body = split(talk(served, ask("/whole"), until=b"fine"))
    assert (status, body) == (b"HTTP/1.1 200 OK", b"fine")
    assert {b"x-rule: r", b"content-length: 4"} < set(lines)
    assert any(line.startswith(b"date: ") for line in lines)


def test_a_connection_answers_one_request_after_the_other_also_when_they_come_at_once(served: Any) -> None:
    got = talk(served, ask("/whole") * 3 + ask("/whole", extra="connection: close\r\n"))
    assert got.count(b"HTTP/1.1 200 OK") == got.count(b"\r\n\r\nfine") == 4
    assert served.app.bodies == [b"hi"] * 4


def test_a_stream_comes_in_chunks_with_its_head_before_them(served: Any) -> None:
    _, lines, body = split(talk(served, ask("/stream"), until=b"0\r\n\r\n"))
    assert b"transfer-encoding: chunked" in lines
    assert body == b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"


def test_http_1_0_gets_no_chunks(served: Any) -> None:
    _, lines, body = split(talk(served, ask("/stream", "1.0")))
    assert b"transfer-encoding: chunked" not in lines
    assert b"connection: close" in lines
    assert body == b"onetwo"
    _, lines, body = split(talk(served, ask("/whole", "1.0")))
    assert b"content-length: 4" in lines
    assert body == b"fine"


def test_head_asks_for_no_body(served: Any) -> None:
    _, lines, body = split(talk(served, ask("/whole", method="HEAD", extra="connection: close\r\n")))
    assert b"content-length: 4" in lines
    assert body == b""


def test_the_application_may_end_the_connection(served: Any) -> None:
    _, lines, body = split(talk(served, ask("/closing")))
    assert b"connection: close" in lines
    assert body == b"no more"


@pytest.mark.parametrize("path", ["/split", "/defect", "/short"])
def test_an_answer_that_would_be_malformed_is_not_sent(served: Any, path: str) -> None:
    got = talk(served, ask(path))
    assert b"evil" not in got
    assert not got or got.startswith((b"HTTP/1.1 500 ", b"HTTP/1.1 200 OK\r\ndate"))
    assert b"fine" not in got


def test_a_client_that_waits_to_be_told_is_told_to_go_on(served: Any) -> None:
    asked = ask("/whole", extra="expect: 100-continue\r\nconnection: close\r\n")
    head, _, body = asked.partition(b"\r\n\r\n")
    with socket.create_connection(("127.0.0.1", served.port), 10) as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        got = b""
        while part := connection.recv(65536):
            got += part
    assert got.endswith(b"\r\n\r\nfine")


def test_an_answer_before_the_body_was_read_ends_the_exchange(served: Any) -> None:
    got = talk(served, ask("/early", extra="expect: 100-continue\r\nconnection: close\r\n"))
    assert got.startswith(b"HTTP/1.1 200 OK")
    assert b"100 Continue" not in got


@pytest.mark.parametrize("rubbish", [b"\x16\x03\x01\x02\x00\x01", b"hello\r\n\r\n", b"POST / HTTP/9\r\n\r\n"])
def test_what_is_not_http_gets_an_error_that_says_so(served: Any, rubbish: bytes) -> None:
    status, lines, body = split(talk(served, rubbish))
    assert status == b"HTTP/1.1 400 Bad Request"
    assert b"connection: close" in lines
    assert json.loads(body)["error"]["code"] == "invalid_http"


def test_a_head_that_does_not_end_is_refused(served: Any) -> None:
    line = b"x-more: " + b"a" * 1000 + b"\r\n"
    status, _, body = split(talk(served, b"POST /whole HTTP/1.1\r\n", line * (MAX_HEAD_BYTES // 1000)))
    assert status.startswith(b"HTTP/1.1 431 ")
    assert json.loads(body)["error"]["code"] == "request_headers_too_large"


def test_a_large_head_that_ends_is_read(served: Any) -> None:
    extra = "connection: close\r\n" + f"x-more: {'a' * 1000}\r\n" * (MAX_HEAD_BYTES // 1100)
    assert talk(served, ask("/whole", extra=extra)).endswith(b"fine")
    assert served.app.bodies == [b"hi"]


def test_who_was_refused_before_going_on_may_not_send_another_request(served: Any) -> None:
    """Whether the body still comes is unclear, and with it where the next request begins."""
    _, lines, body = split(talk(served, ask("/early", extra="expect: 100-continue\r\n")[:-2]))
    assert b"connection: close" in lines
    assert body == b"fine"


UPGRADE = "connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\n"


@pytest.mark.parametrize("cuts", [(), (60,), (-2,), (-1,)])
def test_an_upgrade_is_answered_as_the_plain_request_that_it_is(served: Any, cuts: tuple[int, ...]) -> None:
    request, parts = ask("/whole", extra=UPGRADE), []
    for cut in cuts:
        parts.append(request[:cut])
        request = request[cut:]
    _, lines, body = split(talk(served, *parts, request))
    assert served.app.bodies == [b"hi"]
    assert b"connection: close" in lines
    assert body == b"fine"


def test_an_upgrade_may_have_chunks_or_nothing_or_more_than_is_read(served: Any) -> None:
    chunked = (
        f"POST /whole HTTP/1.1\r\nhost: h\r\n{UPGRADE}transfer-encoding: chunked\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\n\r\n"
    )
    empty = f"GET /whole HTTP/1.1\r\nhost: h\r\n{UPGRADE}\r\n"
    for request in (chunked.encode(), empty.encode(), ask("/whole", extra=UPGRADE) * 2, ask("/whole") + empty.encode()):
        assert talk(served, request).endswith(b"\r\n\r\nfine")
    assert served.app.bodies == [b"hi", b"", b"hi", b"hi", b""]


def test_what_trails_a_body_is_no_header(served: Any) -> None:
    head = b"POST /whole HTTP/1.1\r\nhost: h\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
    assert talk(served, head + b"2\r\nhi\r\n0\r\nx-costpol-tenant: theirs\r\n\r\n").endswith(b"fine")
    assert [name for name, _ in served.app.headers[0]] == [b"host", b"connection", b"transfer-encoding"]


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


def come(*pieces: bytes, app: App | None = None) -> Wire:
    """What became of a connection on which `pieces` came, each of them in one read."""

    async def main() -> Wire:
        wire = Wire()
        config = uvicorn.Config(app or App(), http=Protocol, ws="none", lifespan="off", log_level="critical")  # type: ignore[arg-type]
        connection = Protocol(config, ServerState(), {})
        connection.connection_made(wire)
        for piece in pieces:
            if not wire.closed:
                connection.data_received(piece)
                for _ in range(10):  # the application answers
                    await asyncio.sleep(0)
        closed = wire.closed
        connection.connection_lost(None)
        await asyncio.sleep(0)
        wire.closed = closed
        return wire

    return asyncio.run(main())


def head_of(size: int) -> bytes:
    bare = b"POST /whole HTTP/1.1\r\nx-more: \r\ncontent-length: 2\r\n\r\n"
    return bare.replace(b"x-more: ", b"x-more: " + b"a" * (size - len(bare)))


@pytest.mark.parametrize("pieces", [1, 2, 1000])
def test_the_size_of_a_head_is_what_counts_and_not_how_it_comes(pieces: int) -> None:
    for size, answer in ((MAX_HEAD_BYTES - 100, b"HTTP/1.1 200 "), (MAX_HEAD_BYTES + 100, b"HTTP/1.1 431 ")):
        request = head_of(size) + b"hi"
        length = -(-len(request) // pieces)
        wire = come(*[request[start : start + length] for start in range(0, len(request), length)])
        assert wire.written.startswith(answer)
        assert wire.closed == (answer != b"HTTP/1.1 200 ")


def test_a_large_body_is_no_part_of_the_next_head() -> None:
    large = b"POST /whole HTTP/1.1\r\ncontent-length: 200000\r\n\r\n" + b"x" * 200_000
    app, following = App(), ask("/whole")
    wire = come(large + following[:9], following[9:], app=app)
    assert wire.written.count(b"HTTP/1.1 200 ") == 2
    assert [len(body) for body in app.bodies] == [200_000, 2]


@pytest.mark.parametrize("endless", [b"x: " + b"a" * 1000, b"a" * 1000, b"x: y\r\n" * 200])
def test_what_trails_a_body_ends(endless: bytes) -> None:
    request = b"POST /whole HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n"
    assert come(request, *[endless] * (MAX_HEAD_BYTES // len(endless) - 1)).closed is False
    assert come(request, *[endless] * (MAX_HEAD_BYTES // len(endless) + 1)).closed


@pytest.mark.parametrize("rubbish", [b"\0\r\n\r\n", b"GET / HTTP/1.1\r\nx: " + b"a" * MAX_HEAD_BYTES])
def test_no_error_is_written_into_an_answer_that_has_begun(rubbish: bytes) -> None:
    wire = come(ask("/stalled"), rubbish)
    assert wire.closed
    assert wire.written.endswith(b"\r\n\r\n3\r\none\r\n")
    assert come(ask("/stalled") + ask("/whole"), rubbish).written.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("begun", [b"POST /whole HT", b"POST /whole HTTP/1.1\r\nhost: h\r\nx-mo"])
def test_a_head_that_never_ends_loses_its_connection(monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.0)
    wire = come(begun)
    assert wire.closed
    assert wire.written.startswith(b"HTTP/1.1 408 ")
    assert json.loads(wire.written.split(b"\r\n\r\n", 1)[1])["error"]["code"] == "request_timeout"


def test_the_next_head_on_a_connection_must_end_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.0)
    wire = come(ask("/whole"), ask("/whole")[:9])
    assert wire.closed
    assert wire.written.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in wire.written


def test_who_says_nothing_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.0)
    wire = come(b"")
    assert wire.closed
    assert wire.written == b""


def test_a_request_that_came_in_time_takes_as_long_as_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.0)
    assert come(ask("/stalled")).closed is False
    assert come(ask("/whole")[:-1]).closed is False  # its body is not all there
