"""HTTP messages over ASGI: reading a body that is bounded in size and time, sending an answer in two messages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from typing import Any

import msgspec

from costpol.providers.openai import error_body
from costpol.proxy.identity import Denied
from costpol.proxy.patience import Patience
from costpol.units import format_size

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
Task = asyncio.Task[Any]

JSON = (b"content-type", b"application/json")
EVENT_STREAM = (b"content-type", b"text/event-stream; charset=utf-8")
CONTROLS = bytes((*range(9), *range(10, 32), 127))
"""What the value of a header may not hold."""
DEFAULT_BODY_LIMIT = 10 * 2**20
BODY_SECONDS = 60.0
"""How long a body may take at most; half of it is always granted."""
_THROWN_AWAY = 64 * 2**20
"""Bytes of a body that is refused that are still taken: a client that is sending when the connection ends may never see
why it did."""
_PAUSE_SECONDS = 0.5
"""A client that sends nothing for so long is no longer sending."""

_KINDS = {401: "authentication_error", 403: "permission_error", 429: "insufficient_quota"}


class ClientLeftError(Exception):
    """The client closed the connection before its request was whole."""


def join_headers(pairs: Collection[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Headers by name. One that is repeated has all its values, as a list: none of them may pass for the only one."""
    headers = dict(pairs)
    if len(headers) != len(pairs):
        headers.clear()
        for name, value in pairs:
            headers[name] = headers[name] + b", " + value if name in headers else value
    return headers


def own_task(loop: asyncio.AbstractEventLoop | None = None) -> Task:
    """The task that answers this request; quicker where the running loop is known."""
    task = asyncio.current_task(loop)
    assert task is not None  # noqa: S101 - a coroutine of the server runs in a task
    return task


async def read_body(
    receive: Receive, headers: Mapping[bytes, bytes], limit: int, patience: Patience, task: Task
) -> bytes | Denied:
    """The body of a request, read in `task`. `patience` ends the wait for it. Raises `ClientLeftError`."""
    length = headers.get(b"content-length", b"")
    too_large = length.isdigit() and int(length) > limit
    if too_large and b"expect" in headers:  # it waits to be asked for
        return _too_large(limit)
    late = _Late(task)
    patience.begin(late, late.stop)
    try:
        body = None if too_large else await _read(receive, limit)
        if body is None:
            too_large = True
            await _throw_away(receive)
            return _too_large(limit)
        return body
    except asyncio.CancelledError:
        if not late.stopped or task.uncancel():
            raise
        if too_large:
            return _too_large(limit)
        return Denied(408, "request_timeout", "the request body did not arrive in time")
    finally:
        patience.end(late)


async def _read(receive: Receive, limit: int) -> bytes | None:
    """All of a body; `None` as soon as it is larger than the limit."""
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeftError
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            return None
        more = message.get("more_body", False)
    return b"".join(parts) if len(parts) > 1 else parts[0]


async def _throw_away(receive: Receive) -> None:
    """Take the rest of a body, as long as it comes and is bearable."""
    size, more = 0, True
    while more and size < _THROWN_AWAY:
        try:
            message = await asyncio.wait_for(receive(), _PAUSE_SECONDS)
        except TimeoutError:
            return
        if message["type"] == "http.disconnect":
            raise ClientLeftError
        size += len(message.get("body", b""))
        more = message.get("more_body", False)


class _Late:
    """One who reads a body, to be stopped when it takes too long."""

    __slots__ = ("_task", "stopped")

    def __init__(self, task: Task) -> None:
        self._task = task
        self.stopped = False

    def stop(self) -> None:
        self.stopped = True
        self._task.cancel()


async def send_answer(send: Send, status: int, headers: Headers, body: bytes) -> None:
    """A whole answer. `headers` lack only the length."""
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def send_json(send: Send, status: int, content: object, headers: Headers | None = None) -> None:
    """An answer that is JSON."""
    await send_answer(send, status, [JSON, *(headers or ())], msgspec.json.encode(content))


async def send_error(
    send: Send,
    status: int,
    message: str,
    code: str | None = None,
    *,
    headers: Headers | None = None,
    param: str | None = None,
) -> None:
    """An error in the shape of OpenAI's API."""
    body = error_body(status, message, error_kind(status), code, param)
    await send_answer(send, status, [JSON, *(headers or ())], body)


def error_kind(status: int) -> str:
    """The `type` of an error, by its status."""
    return _KINDS.get(status, "invalid_request_error" if status < 500 else "server_error")


def _too_large(limit: int) -> Denied:
    return Denied(413, "request_too_large", f"the request body is larger than {format_size(limit)}")
