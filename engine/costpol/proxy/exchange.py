"""One chat completion from its arrival to the last byte of its answer.

The flow decides; here its `Call` is performed and its outcome becomes an HTTP answer. A client that leaves ends the
call to the upstream, and the flow is told what had been answered until then, so that it settles what was used.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import aiohttp

from costpol.commands import Answered, Call, CallFailed
from costpol.errors import WireError
from costpol.inference.request import Request
from costpol.inference.response import Response
from costpol.inference.usage import Usage
from costpol.pipeline.decision import Outcome
from costpol.pipeline.headers import cost_headers, decision_headers
from costpol.providers.openai import (
    StreamDecoder,
    decode_response,
    encode_request,
    error_body,
    replay_body,
    replay_stream,
)
from costpol.proxy.messages import EVENT_STREAM, JSON, Headers, Receive, Send, Task, error_kind, send_answer, send_error
from costpol.proxy.patience import Patience
from costpol.proxy.upstream import Upstream, failure_of, is_event_stream, read_whole, returned_headers, returned_kind

if TYPE_CHECKING:
    from costpol.runtime.snapshot import Snapshot

_PASSED_ON = ((b"idempotency-key", "Idempotency-Key"), (b"openai-beta", "OpenAI-Beta"))
_PASSED_WITH_KEY = (
    (b"authorization", "Authorization"),
    (b"openai-organization", "OpenAI-Organization"),
    (b"openai-project", "OpenAI-Project"),
)
"""What belongs to the caller's own account goes only where the caller's own key goes."""
_MOST_HELD = 16384
"""Bytes of a stream that are kept back at most until its answer begins."""
_NOTHING = Response("", None, Usage(), complete=False)

_FAILURES = {
    "timeout": (504, "upstream_timeout", "the model did not answer in time"),
    "unreachable": (502, "upstream_unreachable", "the model's provider cannot be reached"),
    "broken": (502, "upstream_broken", "the model's provider did not answer as it should"),
}

_log = logging.getLogger("costpol.requests")


class Exchange:
    """The wire side of one request. `call` answers the flow's `Call`; `finish` sends what the flow came to."""

    __slots__ = (
        "_cancelled", "_common", "_headers", "_listener", "_patience", "_receive", "_request", "_returned", "_send",
        "_snapshot", "_task", "_upstream", "left", "status",
    )  # fmt: skip

    def __init__(
        self,
        request: Request,
        snapshot: Snapshot,
        headers: Mapping[bytes, bytes],
        common: tuple[tuple[bytes, bytes], ...],
        *,
        upstream: Upstream,
        patience: Patience,
        task: Task,
        receive: Receive,
        send: Send,
    ) -> None:
        self._request, self._snapshot, self._headers = request, snapshot, headers
        self._common = common
        self._upstream, self._receive, self._send = upstream, receive, send
        self._patience = patience
        self._returned: Headers = []
        self._task = task
        self._listener: asyncio.Task[None] | None = None
        self._cancelled: asyncio.CancelledError | None = None
        self.left = False
        """Whether the client went away before its answer ended."""
        self.status = 0
        """The status that was sent; 0 before that."""

    # The call

    async def call(self, command: Call) -> Answered | CallFailed:
        """Ask the model; relay its stream. It never raises: whatever ends a call early becomes its reply."""
        if self.left or self._cancelled is not None:
            return CallFailed("unreachable")
        endpoint = self._snapshot.endpoints[command.provider]
        try:
            body = encode_request(self._request, command.edit)
        except WireError:
            return CallFailed("broken")
        passed = _PASSED_ON + _PASSED_WITH_KEY if endpoint.passes_caller_key else _PASSED_ON
        headers = tuple(
            (name, self._headers[given].decode("latin-1")) for given, name in passed if given in self._headers
        )
        self._watch()
        decoder: StreamDecoder | None = None
        response: aiohttp.ClientResponse | None = None
        try:
            reply = await self._upstream.send(endpoint, body, headers, command.timeout)
            if isinstance(reply, CallFailed):
                return reply
            response = reply
            self._returned = returned_headers(response)
            if response.status != 200:
                return await _refused(response)
            if self._request.stream and is_event_stream(response):
                decoder = StreamDecoder(hide_usage=command.edit.ask_usage)
                return await self._relay(response, decoder, command)
            whole = await read_whole(response)
            return whole if isinstance(whole, CallFailed) else _decoded(whole)
        except asyncio.CancelledError as cancelled:
            if not self.left:
                self._cancelled = cancelled
            else:
                self._task.uncancel()
            return self._partial(decoder)
        finally:
            self._unwatch()
            if response is not None and not response.closed:
                response.close()

    async def _relay(
        self, response: aiohttp.ClientResponse, decoder: StreamDecoder, command: Call
    ) -> Answered | CallFailed:
        """Pass a stream on as it comes. Nothing is sent before the answer has begun, so that until then another target
        can still be tried."""
        send = self._send
        held = b""
        try:
            async for chunk in response.content.iter_any():
                shown = decoder.feed(chunk)
                if not self.status:
                    held += shown
                    if not decoder.started and len(held) < _MOST_HELD:
                        if decoder.error is not None:
                            return CallFailed("status", 502, decoder.error)
                        continue
                    shown = held
                    await self._send_head(command)
                if shown:
                    await send({"type": "http.response.body", "body": shown, "more_body": True})
        except (TimeoutError, aiohttp.ClientError, ValueError) as error:
            failure = failure_of(error)
            if not self.status:
                return failure
            await self._send_failure(failure)
            return Answered(decoder.response(), sent=True)
        except OSError:  # a server may say by it that the client has left
            self.left = True
            return self._partial(decoder)
        rest = decoder.close()
        if not self.status:
            return CallFailed("broken")
        if rest:
            await send({"type": "http.response.body", "body": rest, "more_body": True})
        answer = decoder.response()
        if not answer.complete and decoder.error is None:
            await self._send_failure(CallFailed("broken"))
        return Answered(answer, sent=True)

    async def _send_head(self, command: Call) -> None:
        self.status = 200
        headers = [EVENT_STREAM, (b"cache-control", b"no-cache"), *self._common, *self._returned]
        headers += _wire(command.headers)
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})

    async def _send_failure(self, failure: CallFailed) -> None:
        """Say inside a stream that it broke off."""
        status, code, message = _FAILURES[failure.kind]
        event = b"data: " + error_body(status, message, error_kind(status), code) + b"\n\n"
        await self._send({"type": "http.response.body", "body": event, "more_body": True})

    def _partial(self, decoder: StreamDecoder | None) -> Answered:
        """What had been answered when the call was given up. The request itself had been sent, so it is paid for."""
        if decoder is None:
            return Answered(_NOTHING, sent=self.status != 0)
        return Answered(decoder.response(), sent=self.status != 0)

    def _watch(self) -> None:
        """Notice from now on that the client goes away, and give the call up then."""
        self._patience.begin(self, self._listen)

    def _unwatch(self) -> None:
        self._patience.end(self)
        if self._listener is not None:
            self._listener.cancel()

    def _listen(self) -> None:
        self._listener = asyncio.ensure_future(self._await_leaving())

    async def _await_leaving(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.left = True
        self._task.cancel()

    # The answer

    async def finish(self, outcome: Outcome, request_id: str, created: int) -> None:
        """Send the outcome. Raises the cancellation that had to wait until everything was settled."""
        if self._cancelled is not None:
            raise self._cancelled
        if self.left:
            return
        if self.status:
            await self._send({"type": "http.response.body", "body": b""})
        elif outcome.kind == "refused":
            await self._send_refusal(outcome)
        elif outcome.kind == "failed":
            await self._send_failed(outcome)
        else:
            await self._send_answered(outcome, request_id, created)

    async def _send_answered(self, outcome: Outcome, request_id: str, created: int) -> None:
        request, id = self._request, f"chatcmpl-{request_id}"
        headers = self._answer_headers(outcome)
        stored = outcome.body if outcome.response is None else outcome.response.body
        if stored is None:
            await self._error(502, "the model's provider did not answer as it should", "upstream_broken", headers)
        elif request.stream:
            self.status = 200
            events = b"".join(replay_stream(stored, request, id, created))
            await send_answer(self._send, 200, [EVENT_STREAM, (b"cache-control", b"no-cache"), *headers], events)
        else:
            self.status = 200
            body = replay_body(stored, request, id, created) if outcome.kind == "hit" else stored
            await send_answer(self._send, 200, [JSON, *headers], body)

    async def _send_refusal(self, outcome: Outcome) -> None:
        refusal = outcome.refusal
        assert refusal is not None  # noqa: S101 - the outcome is a refusal
        headers = self._answer_headers(outcome)
        if refusal.retry_after is not None:
            headers.append((b"retry-after", b"%d" % max(1, -int(-refusal.retry_after // 1))))
            # Clients that retry by themselves would only be refused again.
            headers.append((b"x-should-retry", b"false"))
        await self._error(refusal.status, refusal.message, refusal.code, headers, refusal.param)

    async def _send_failed(self, outcome: Outcome) -> None:
        failure = outcome.failure
        assert failure is not None  # noqa: S101 - the outcome is a failure
        headers = self._answer_headers(outcome)
        body = failure.body or b""
        status, code, message = _FAILURES.get(failure.kind, _FAILURES["broken"])
        if failure.kind == "status" and failure.status is not None and 400 <= failure.status < 600:
            self.status = status = failure.status
            # A page of what stands before a dead provider says nothing to a client that reads JSON.
            if status < 500 or body.lstrip().startswith(b"{"):
                kind = (b"content-type", failure.content_type.encode("latin-1", "replace"))
                await send_answer(self._send, status, [kind, *headers], body)
                return
        await self._error(status, message, code, headers)

    async def _error(self, status: int, message: str, code: str, headers: Headers, param: str | None = None) -> None:
        self.status = status
        await send_error(self._send, status, message, code, headers=headers, param=param)

    def _answer_headers(self, outcome: Outcome) -> Headers:
        headers = [*self._common, *self._returned] if outcome.kind != "hit" else [*self._common]
        headers += _wire(decision_headers(outcome.decision))
        headers += [(name.encode(), value.encode()) for name, value in cost_headers(outcome.cost, outcome.saved)]
        return headers


async def _refused(response: aiohttp.ClientResponse) -> CallFailed:
    """An answer that is no success, with its body, to be passed on unless another target is tried."""
    body = await read_whole(response)
    return CallFailed(
        "status",
        response.status,
        b"" if isinstance(body, CallFailed) else body,
        returned_kind(response),
        response.headers.get("Retry-After"),
    )


def _decoded(body: bytes) -> Answered | CallFailed:
    try:
        return Answered(decode_response(body))
    except WireError:
        return CallFailed("broken")


def _wire(pairs: tuple[tuple[str, str], ...]) -> Headers:
    return [_pair(name, value) for name, value in pairs]


@lru_cache(maxsize=1024)
def _pair(name: str, value: str) -> tuple[bytes, bytes]:
    return name.encode(), value.encode()
