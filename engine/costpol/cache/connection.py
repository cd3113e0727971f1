"""How a Qdrant server is reached, and what became of a call to it.

Every call is bounded in time, and a failure is a value: one that tells of the server (`TROUBLES`), not of what it was
asked. Its own words may quote data, so they go to the operator's log and no further.
"""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from costpol.commands import Failed
from costpol.errors import ProvisionError

if TYPE_CHECKING:
    from qdrant_client import AsyncQdrantClient

UNREACHABLE = Failed("store-unreachable")
TIMEOUT = Failed("store-timeout")
UNAVAILABLE = Failed("store-unavailable")
"""It is there, and says that it cannot answer now."""
UNAUTHORIZED = Failed("store-unauthorized")
REFUSED = Failed("store-refused")
"""It does not do what it was asked, or its answer cannot be read."""
TROUBLES = frozenset({UNREACHABLE, TIMEOUT, UNAVAILABLE, UNAUTHORIZED, REFUSED})

_MAX_CONNECTIONS = 64

_T = TypeVar("_T")

_log = logging.getLogger("costpol.cache")


@dataclass(frozen=True, slots=True)
class Connection:
    """Where a server is. `timeout` is seconds for one call of a request; `grpc_port` asks over gRPC instead of HTTP.

    `collection` begins the names of the collections, `quantized` keeps vectors as 8-bit numbers in memory.
    """

    url: str
    key: str | None = field(default=None, repr=False)
    collection: str = "costpol"
    timeout: float = 0.2
    grpc_port: int | None = None
    quantized: bool = False


def open_client(connection: Connection) -> AsyncQdrantClient:
    """A client that has not connected yet. Takes a second where the package was not imported before.

    Raises `ProvisionError` where the package is not installed.
    """
    try:
        import httpx
        from qdrant_client import AsyncQdrantClient
    except ImportError as error:
        raise ProvisionError(
            f"the answer store `{connection.url}` needs the package `qdrant-client`, which is not installed",
            "run `pip install 'costpol[qdrant]'`, or leave out `store` of the cache to keep answers in the data folder",
        ) from error
    host = urlsplit(connection.url).hostname or ""
    if connection.url.startswith("http://") and host != "localhost" and not host.startswith("127.") and host != "::1":
        _log.warning(
            "the answer store `%s` is reached without TLS: answers%s can be read on the way",
            connection.url, " and its key" if connection.key else "",
        )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # says the same, on stderr
        return AsyncQdrantClient(
            url=connection.url,
            api_key=connection.key,
            prefer_grpc=connection.grpc_port is not None,
            grpc_port=connection.grpc_port or 6334,
            check_compatibility=False,  # asks the server from a thread and prints
            # The client's own limits keep no connection to a loopback address alive.
            limits=httpx.Limits(max_connections=_MAX_CONNECTIONS, max_keepalive_connections=_MAX_CONNECTIONS),
        )


async def ask(call: Awaitable[_T], seconds: float) -> _T | Failed:
    """What the server answers within so many seconds, or one of `TROUBLES`."""
    try:
        async with asyncio.timeout(seconds):
            return await call
    except TimeoutError:
        _log.warning("the answer store did not answer within %g s", seconds)
        return TIMEOUT
    except Exception as error:
        trouble = _trouble(error)
        if trouble is None:
            raise
        _log.warning("%s: %s", trouble.reason, (str(error).splitlines() or ["no reason given"])[0][:300])
        return trouble


def _trouble(error: Exception) -> Failed | None:
    """What an exception of the client says of the server; `None` where it tells of a defect here."""
    import grpc
    from qdrant_client.common.client_exceptions import QdrantException
    from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

    if isinstance(error, UnexpectedResponse):
        return _by_status(error.status_code or 0)
    if isinstance(error, ResponseHandlingException):
        return REFUSED if isinstance(error.source, ValueError) else UNREACHABLE
    if isinstance(error, QdrantException):  # too many requests, with the time to come again
        return UNAVAILABLE
    if isinstance(error, grpc.RpcError):
        return _by_code(error)
    if isinstance(error, ValueError | AssertionError):  # an answer that is not what the client was made for
        return REFUSED
    return None


def _by_status(status: int) -> Failed:
    if status in (401, 403):
        return UNAUTHORIZED
    return UNAVAILABLE if status == 429 or status >= 500 else REFUSED


def _by_code(error: Exception) -> Failed:
    from grpc import StatusCode

    code = error.code() if hasattr(error, "code") else None
    return {
        StatusCode.UNAVAILABLE: UNREACHABLE,
        StatusCode.DEADLINE_EXCEEDED: TIMEOUT,
        StatusCode.UNAUTHENTICATED: UNAUTHORIZED,
        StatusCode.PERMISSION_DENIED: UNAUTHORIZED,
        StatusCode.RESOURCE_EXHAUSTED: UNAVAILABLE,
        StatusCode.INTERNAL: UNAVAILABLE,
    }.get(code, REFUSED)
