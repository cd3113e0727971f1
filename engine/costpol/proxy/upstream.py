"""The way to the providers: one pool of connections, bytes out and bytes in.

Nothing is retried here: what to try next is the policy's decision. Answers are asked for uncompressed, because a stream
that passes by is read on its way, and compressing a few hundred bytes saves nobody anything.
"""

from __future__ import annotations

import asyncio
import io
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import aiohttp
from aiohttp.client_proto import ResponseHandler
from multidict import CIMultiDict

from costpol.commands import CallFailed
from costpol.proxy.direct import LARGEST, post
from costpol.proxy.messages import CONTROLS

if TYPE_CHECKING:
    from costpol.runtime.endpoint import Endpoint

CONNECT_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 4.0
"""Shorter than the five seconds after which common self-hosted servers close an idle connection: a request sent into a
closing connection fails, and may not be sent again."""
CONNECTIONS = 1000
MAX_ANSWER_BYTES = 64 * 2**20

_LARGE = 2**20
_RETURNED = (b"x-request-id", b"retry-after", b"retry-after-ms", b"x-should-retry", b"openai-", b"x-ratelimit-")
_RETURNED_FIRST = frozenset(name[0] for each in _RETURNED for name in (each, each.upper()))


def open_session() -> aiohttp.ClientSession:
    """The pool that all policies share. Must be made inside the running event loop, and closed by its owner."""
    connector = aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=KEEP_ALIVE_SECONDS, ttl_dns_cache=60)
    connector._factory = partial(_Connection, loop=asyncio.get_running_loop())  # type: ignore[assignment]
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), skip_auto_headers=("User-Agent", "Accept")
    )


class _Connection(ResponseHandler):
    """Is not used again once a provider has said something since its answer ended: it would pass for the next answer,
    that one for the one after it, and so on."""

    def is_connected(self) -> bool:
        """Asked before it is used again."""
        return not self.should_close and super().is_connected()


class Upstream:
    """Sends requests through a session and turns every way in which that can fail into a `CallFailed`.

    To be made in the event loop that it serves: to ask which one runs takes a call of the system each time.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self.loop = asyncio.get_running_loop()

    async def send(
        self, endpoint: Endpoint, body: bytes, headers: tuple[tuple[str, str], ...], timeout: float
    ) -> aiohttp.ClientResponse | CallFailed:
        """The head of the answer, whatever its status. `timeout` is seconds until the first byte, and between bytes.

        `headers` are the caller's that are passed on; the endpoint's own come on top.
        """
        outgoing = _headers(endpoint.headers)
        if headers:
            outgoing = outgoing.copy()
            outgoing.update(headers)
        try:
            if len(body) <= LARGEST and endpoint.proxy is None:
                return await post(
                    self._session, endpoint.url, outgoing, body, timeout=_timeout(timeout), loop=self.loop
                )
            async with asyncio.timeout(timeout + CONNECT_SECONDS):  # `sock_read` begins once all has been written
                return await self._session.post(
                    endpoint.url,
                    data=body if len(body) < _LARGE else io.BytesIO(body),
                    headers=outgoing,
                    timeout=_timeout(timeout),
                    allow_redirects=False,
                    proxy=endpoint.proxy,
                )
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            return failure_of(error)


async def read_whole(response: aiohttp.ClientResponse, limit: int = MAX_ANSWER_BYTES) -> bytes | CallFailed:
    """The body, at most `limit` bytes; a longer one counts as broken."""
    try:
        if response.content.is_eof():  # it came with the head, as most answers do
            return response.content.read_nowait()
        length = response.content_length
        if length is not None and length <= _LARGE and "Content-Encoding" not in response.headers:
            return await response.read()
        whole = bytearray()
        async for chunk in response.content.iter_any():
            whole += chunk
            if len(whole) > limit:
                response.close()
                return CallFailed("broken")
        return bytes(whole)
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
        response.close()
        return failure_of(error)
    finally:
        if not response.closed:  # it is, once all of it has come
            response.release()


def failure_of(error: Exception) -> CallFailed:
    """`timeout`, `unreachable` (nothing was sent), or `broken` (the connection failed after that)."""
    if isinstance(error, aiohttp.ConnectionTimeoutError | aiohttp.ClientConnectorError):
        return CallFailed("unreachable")
    if isinstance(error, aiohttp.ClientProxyConnectionError | aiohttp.ClientHttpProxyError | aiohttp.InvalidURL):
        return CallFailed("unreachable")
    return CallFailed("timeout" if isinstance(error, TimeoutError) else "broken")


def returned_headers(response: aiohttp.ClientResponse) -> list[tuple[bytes, bytes]]:
    """The upstream's headers that help a client: request id, rate limits, retry advice, the provider's own."""
    found = []
    for name, value in response.raw_headers:
        if name[0] in _RETURNED_FIRST and (lower := name.lower()).startswith(_RETURNED) and _is_plain(value):
            found.append((lower, value))
    return found


def returned_kind(response: aiohttp.ClientResponse) -> str:
    """The content type of an answer that is passed on."""
    kind = response.headers.get("Content-Type", "application/json")
    return kind if kind.isprintable() else "application/json"


def is_event_stream(response: aiohttp.ClientResponse) -> bool:
    """Whether the answer is a stream of events."""
    kind = response.headers.get("Content-Type", "")
    return kind.partition(";")[0].strip().lower() == "text/event-stream"


def _is_plain(value: bytes) -> bool:
    return len(value.translate(None, CONTROLS)) == len(value)


@lru_cache(maxsize=256)
def _headers(pairs: tuple[tuple[str, str], ...]) -> CIMultiDict[str]:
    """Not to be changed: all requests to an endpoint share them."""
    return CIMultiDict(pairs)


@lru_cache(maxsize=256)
def _timeout(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, sock_connect=min(seconds, CONNECT_SECONDS), sock_read=seconds)
