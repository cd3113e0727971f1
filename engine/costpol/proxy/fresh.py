"""One whole answer that no caller waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from costpol.commands import Answered, Call, CallFailed
from costpol.errors import WireError
from costpol.inference.request import Request
from costpol.providers.openai import decode_response, encode_request
from costpol.proxy.upstream import Upstream, read_whole

if TYPE_CHECKING:
    from costpol.runtime.snapshot import Snapshot


async def ask_whole(upstream: Upstream, snapshot: Snapshot, request: Request, command: Call) -> Answered | CallFailed:
    """The model's answer to a caller's request, in one piece, on the provider's own key: nothing of the caller's
    account goes along."""
    endpoint = snapshot.endpoints[command.provider]
    try:
        body = encode_request(request, command.edit)
    except WireError:
        return CallFailed("broken")
    response = await upstream.send(endpoint, body, (), command.timeout)
    if isinstance(response, CallFailed):
        return response
    try:
        whole = await read_whole(response)
    finally:
        response.close()
    if isinstance(whole, CallFailed):
        return whole
    if response.status != 200:
        return CallFailed("status", response.status)
    try:
        return Answered(decode_response(whole))
    except WireError:
        return CallFailed("broken")
