"""Answers of the protocol as they come over a socket: the same bytes that uvicorn writes for any ASGI application."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from costpol.proxy.messages import send_answer
from costpol.proxy.protocol import MAX_HEAD_BYTES, Protocol


class App:
    """Answers by its path."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
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
