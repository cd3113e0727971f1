"""uvicorn's HTTP protocol for answers that are whole, heads that do not end, and clients of HTTP/1.0.

uvicorn writes the head of an answer before its body, and checks each header by two patterns. An answer of costpol has a
dozen headers, most of them the same from one request to the next: it is checked and written as one.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from costpol.providers.openai import error_body
from costpol.proxy.messages import error_kind

MAX_HEAD_BYTES = 64 * 2**10


class Protocol(HttpToolsProtocol):
    """One connection of a client. For `uvicorn.Config(http=...)`."""

    _head = 0
    """Bytes of a head that is not whole yet."""

    def data_received(self, data: bytes) -> None:
        """Read on. A head that does not end is refused."""
        super().data_received(data)
        if self.cycle is not None and self.cycle.scope is self.scope:  # the head of the latest request is whole
            self._head = 0
            return
        self._head += len(data)
        if self._head > MAX_HEAD_BYTES:
            self._refuse(431, "the head of the request is larger than 64 KiB", "request_headers_too_large")

    def send_400_response(self, msg: str) -> None:
        """What came is not HTTP."""
        self._refuse(400, "what came over this connection is not HTTP", "invalid_http")

    def _refuse(self, status: int, message: str, code: str) -> None:
        if self.transport.is_closing():
            return
        body = error_body(status, message, error_kind(status), code)
        head = b"%bcontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        self.transport.write(head % (STATUS_LINE[status], len(body)) + body)
        self.transport.close()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        super()._start_asgi_task(cycle, _Answering(cycle, app))


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
        headers = [*cycle.default_headers, *start["headers"]]
        head = b"".join([STATUS_LINE[start["status"]], *[b"%b: %b\r\n" % header for header in headers]])
        lines = len(headers) + 1
        if (
            b"\r\ncontent-length: %d\r\n" % len(body) not in head
            or b"\r\nconnection: " in head
            or not head.count(b"\r") == head.count(b"\n") == lines  # a value that breaks its line
            or b"\0" in head
            or cycle.scope["method"] == "HEAD"
        ):
            return False
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.transport.write(b"%b\r\n%b" % (head, body))
        cycle.message_event.set()
        cycle.on_response()
        return True
