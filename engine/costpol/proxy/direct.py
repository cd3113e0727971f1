"""Posting a few thousand bytes to a provider, in one write, on aiohttp's connections.

aiohttp's session does much for requests of every kind: redirects, cookies, tracing, bodies that come from files and are
written by a task of their own. For a chat request, which needs none of it, that takes as long as the whole decision.
What is left here is its way from a pooled connection to the head of the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp.http import StreamWriter
from multidict import CIMultiDict

if TYPE_CHECKING:
    from aiohttp.connector import Connection
    from yarl import URL

LARGEST = 64 * 2**10
"""Bytes of a body up to which writing it hardly ever waits for the network."""


async def post(
    session: aiohttp.ClientSession,
    url: URL,
    headers: CIMultiDict[str],
    body: bytes,
    *,
    timeout: aiohttp.ClientTimeout,
    loop: asyncio.AbstractEventLoop,
) -> aiohttp.ClientResponse:
    """The head of the answer. `headers` are all that are sent, but for `Host` and the length.

    `loop` is the one that runs. Raises what `session.post` does.
    """
    connector = session.connector
    if connector is None:
        raise aiohttp.ClientConnectionError("the session is closed")
    request = _Request("POST", url, headers=headers, data=body, loop=loop, session=session)
    try:
        connection = await connector.connect(request, traces=[], timeout=timeout)
    except TimeoutError as error:
        raise aiohttp.ConnectionTimeoutError from error
    try:
        protocol = connection.protocol
        assert protocol is not None  # noqa: S101 - a connection has one until it is released
        protocol.set_response_params(read_until_eof=True, read_timeout=timeout.sock_read)
        response = await request.send(connection)
        try:
            await response.start(connection)
        except BaseException:
            response.close()
            raise
    except BaseException:
        connection.close()
        raise
    return response


class _Request(aiohttp.ClientRequest):
    """A request whose head is complete, and whose body is bytes."""

    _bytes: bytes

    def update_auto_headers(self, skip_auto_headers: Iterable[str] | None) -> None:
        """Nothing is added."""

    def update_body_from_data(self, body: Any, _stacklevel: int = 3) -> None:
        """Keep the body for `send`."""
        self._bytes = body
        self.headers["Content-Length"] = str(len(body))

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        """Write all of the request; the response is yet to be read."""
        assert conn.protocol is not None  # noqa: S101 - a connection has one until it is released
        writer = StreamWriter(conn.protocol, self.loop)
        await writer.write_headers(f"{self.method} {self.url.raw_path_qs} HTTP/1.1", self.headers)
        await writer.write_eof(self._bytes)
        conn.protocol.start_timeout()
        return self.response_class(
            self.method,
            self.original_url,
            writer=None,
            continue100=None,
            timer=self._timer,
            request_info=self.request_info,
            traces=self._traces,
            loop=self.loop,
            session=self._session,
            stream_writer=writer,
        )
