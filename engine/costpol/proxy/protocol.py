"""uvicorn's HTTP protocol for answers that are whole, heads that do not end, and clients of HTTP/1.0.

uvicorn writes the head of an answer before its body, and checks each header by two patterns. An answer of costpol has a
dozen headers, most of them the same from one request to the next: it is checked and written as one.
"""

from __future__ import annotations

from asyncio import TimerHandle, Transport
from collections import deque
from collections.abc import Awaitable
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from costpol.providers.openai import error_body
from costpol.proxy.messages import CONTROLS, error_kind

MAX_HEAD_BYTES = 64 * 2**10
HEAD_SECONDS = 30.0
"""From the connection, or from its first byte, until a head is whole: one that never ends would hold its connection."""

_NOWHERE: Any = deque(maxlen=0)
"""Takes headers that are not kept."""
_FRAMING = (b"content-length", b"transfer-encoding")


class Protocol(HttpToolsProtocol):
    """One connection of a client. For `uvicorn.Config(http=...)`."""

    _fruitless = 0
    """Bytes that came, at most, since a head was whole or a part of a body had come."""
    _in_head = False
    _late: TimerHandle | None = None
    """Ends a connection whose head is not whole in time."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """A client connects, and must send a head."""
        super().connection_made(transport)
        self._hurry()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        self._relax()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on. What is not HTTP is refused, and a head that does not end."""
        self._unset_keepalive_if_required()
        self._fruitless += len(data)
        try:
            try:
                self.parser.feed_data(data)
            except HttpParserUpgrade as upgrade:
                self._decline(data[upgrade.args[0] :])
        except HttpParserError:
            self._refuse(400, "what came over this connection is not HTTP", "invalid_http")
            return
        if self._fruitless > MAX_HEAD_BYTES:
            self._refuse_head()
        elif self._in_head and self._late is None:  # most heads come in one piece, and need no timer
            self._hurry()

    def on_message_begin(self) -> None:
        """The first byte of a request has come."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head of a request is whole. What trails its body is none of it, and is not kept."""
        if self._fruitless > MAX_HEAD_BYTES and self._head_size() > MAX_HEAD_BYTES:
            self._refuse_head()
            raise ValueError("the head is too large")  # ends the parser
        self._fruitless = 0
        self._in_head = False
        self._relax()
        super().on_headers_complete()
        self.headers = _NOWHERE

    def on_body(self, body: bytes) -> None:
        """A part of the body of the latest request."""
        self._fruitless = 0
        cycle = self.cycle
        if cycle.response_complete:
            return
        cycle.body += body
        if len(cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _decline(self, rest: bytes) -> None:
        """Go on as if no other protocol had been asked for: the parser took the head for all of the request, but `rest`
        is its body. Java's client asks so whenever there is no TLS."""
        cycle = self.cycle
        framing = [b"%b: %b\r\n" % each for each in cycle.scope["headers"] if each[0] in _FRAMING]
        cycle.keep_alive = False
        cycle.more_body = True
        self.parser = HttpRequestParser(_Body(self))
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # it goes unread
        self.parser.feed_data(b"POST / HTTP/1.1\r\nconnection: close\r\n%b\r\n" % b"".join(framing))
        self.parser.feed_data(rest)

    def _hurry(self) -> None:
        self._late = self.loop.call_later(HEAD_SECONDS, self._refuse_late)

    def _relax(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _refuse_late(self) -> None:
        self._late = None
        if self._fruitless:
            self._refuse(
                408, f"the head of the request was not whole after {HEAD_SECONDS:g} seconds", "request_timeout"
            )
        else:  # a browser connects ahead: it has nothing to be told
            self.transport.close()

    def _refuse_head(self) -> None:
        self._refuse(431, "the head of the request is larger than 64 KiB", "request_headers_too_large")

    def _refuse(self, status: int, message: str, code: str) -> None:
        if self.transport.is_closing():
            return
        answering = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if not answering and not self.pipeline:  # else these bytes would pass for a part of an answer
            body = error_body(status, message, error_kind(status), code)
            head = b"%bcontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
            self.transport.write(head % (STATUS_LINE[status], len(body)) + body)
        self.transport.close()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        super()._start_asgi_task(cycle, _Answering(cycle, app))


class _Body:
    """Takes the body of a request whose head another parser has read."""

    def __init__(self, protocol: Protocol) -> None:
        self.on_body = protocol.on_body
        self.on_message_complete = protocol.on_message_complete


class _Answering:
    """The application, asked for one answer. Its head is held until the first bytes of its body, as ASGI has it."""

    __slots__ = ("_app", "_cycle", "_start")

    def __init__(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._cycle, self._app = cycle, app
        self._start: Any = None

    def __call__(self, scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        return self._app(scope, receive, self.send)  # type: ignore[no-any-return]

    async def send(self, message: Any) -> None:
        """An ASGI message of the answer."""
        start = self._start
        if start is None and message["type"] == "http.response.start":
            self._start = message
            return
        self._start = None
        if self._cycle.waiting_for_100_continue:  # whether the body comes is up to the client: what follows is unclear
            self._cycle.keep_alive = False
        if start is not None and not message.get("more_body", False) and self._write(start, message.get("body", b"")):
            return
        if self._cycle.scope["http_version"] == "1.0":  # it knows no chunks: the connection's end ends the answer
            self._cycle.chunked_encoding = False
            self._cycle.expected_content_length = len(message.get("body", b""))
        if start is not None:
            await self._cycle.send(start)
        await self._cycle.send(message)

    def _write(self, start: Any, body: bytes) -> bool:
        """Write a whole answer, if nothing about it or its connection is out of the ordinary; else it is uvicorn's."""
        cycle = self._cycle
        if cycle.response_started or cycle.disconnected or not cycle.keep_alive or cycle.flow.write_paused:
            return False
        lines = [*map(b": ".join, cycle.default_headers), *map(b": ".join, start["headers"]), b""]
        head = STATUS_LINE[start["status"]] + b"\r\n".join(lines)
        if (
            b"\r\ncontent-length: %d\r\n" % len(body) not in head
            or b"\r\nconnection: " in head
            or len(head.translate(None, CONTROLS)) + 2 * len(lines)
            != len(head)  # two end each line, and a value holds one
            or cycle.scope["method"] == "HEAD"
        ):
            return False
        cycle.response_started = cycle.response_complete = True
        cycle.transport.write(b"%b\r\n%b" % (head, body))
        cycle.message_event.set()
        cycle.on_response()
        return True
