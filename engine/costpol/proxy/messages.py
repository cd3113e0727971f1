"""HTTP messages over ASGI: reading a body that is bounded in size and time, sending an answer in two messages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

import msgspec

from costpol.providers.openai import error_body
from costpol.proxy.identity import Denied

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

JSON = (b"content-type", b"application/json")
EVENT_STREAM = (b"content-type", b"text/event-stream; charset=utf-8")
DEFAULT_BODY_LIMIT = 10 * 2**20
BODY_SECONDS = 60.0

_KINDS = {401: "authentication_error", 403: "permission_error", 429: "insufficient_quota"}


class ClientLeftError(Exception):
    """The client closed the connection before its request was whole."""


async def read_body(receive: Receive, headers: Mapping[bytes, bytes], limit: int) -> bytes | Denied:
    """The body of a request. Raises `ClientLeftError`."""
    length = headers.get(b"content-length", b"")
    if length.isdigit() and int(length) > limit:
        return _too_large(limit)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientLeftError
            body: bytes = message.get("body", b"")
            if not message.get("more_body"):
                return body if len(body) <= limit else _too_large(limit)
            parts, size = [body], len(body)
            while message.get("more_body"):
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientLeftError
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > limit:
                    return _too_large(limit)
            return b"".join(parts)
    except TimeoutError:
        return Denied(408, "request_timeout", f"the request body did not arrive within {BODY_SECONDS:.0f} seconds")


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
    return Denied(413, "request_too_large", f"the request body is larger than {limit:,} bytes")
