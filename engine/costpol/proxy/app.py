"""The ASGI application: which path is answered by what.

| path                        | method | answer                                             |
| --------------------------- | ------ | -------------------------------------------------- |
| `/v1/chat/completions`      | POST   | the policy's answer, whole or as a stream          |
| `/v1/models`                | GET    | the models and tiers of the policy                 |
| `/-/healthy`                | GET    | 200 while the process runs                         |
| `/-/ready`                  | GET    | 200 while requests shall come here                 |
| `/-/policy`                 | GET    | what is in service, and why nothing newer is       |
| `/-/reload`                 | POST   | take up the files on the disk now                  |
| `/-/cache`                  | GET    | what the answer cache holds                        |
| `/-/cache/purge`, ...       | POST   | take answers back, put known ones in               |
| `/metrics`                  | GET    | Prometheus metrics                                 |
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from secrets import token_hex
from urllib.parse import unquote

from costpol.errors import WireError
from costpol.pipeline.arrival import NO_WISH, Arrival
from costpol.providers.openai import decode_request, models_body
from costpol.proxy.access import Access
from costpol.proxy.cache_operations import CACHE_OPERATIONS, answer_cache
from costpol.proxy.exchange import Exchange
from costpol.proxy.fresh import ask_whole
from costpol.proxy.identity import Denied, read_deadline, read_wish
from costpol.proxy.messages import (
    BODY_SECONDS,
    DEFAULT_BODY_LIMIT,
    JSON,
    ClientLeftError,
    Headers,
    Receive,
    Scope,
    Send,
    Task,
    join_headers,
    own_task,
    read_body,
    send_answer,
    send_error,
    send_json,
)
from costpol.proxy.metrics import CONTENT_TYPE, Metrics
from costpol.proxy.operations import all_troubles, answer_policy, answer_ready, answer_reload
from costpol.proxy.patience import Patience
from costpol.proxy.recorder import Recorder
from costpol.proxy.upstream import Upstream
from costpol.runtime.health import Part
from costpol.runtime.live import Unsettled, drive
from costpol.runtime.reload import Reloader
from costpol.runtime.verification import Verifier

CHAT, MODELS = "/v1/chat/completions", "/v1/models"
_METHODS = {
    CHAT: "POST", MODELS: "GET", "/-/healthy": "GET", "/-/ready": "GET", "/-/policy": "GET", "/-/reload": "POST",
    "/metrics": "GET", **CACHE_OPERATIONS,
}  # fmt: skip
_OPERATOR = frozenset(("/-/policy", "/-/reload", "/metrics", *CACHE_OPERATIONS))

_WARN_SECONDS = 60.0
_QUICK = 0.25
"""Seconds into a call from which on the client is watched for leaving: quick answers need no watch."""

_log = logging.getLogger("costpol.requests")


@dataclass(slots=True)
class App:
    """The service of one process. `troubles` says what is amiss with its stores."""

    reloader: Reloader
    upstream: Upstream
    unsettled: Unsettled
    access: Access
    metrics: Metrics
    body_limit: int = DEFAULT_BODY_LIMIT
    clock: Callable[[], float] = time.time
    stopping: bool = False
    troubles: Callable[[], Mapping[Part, str]] = dict
    recorder: Recorder | None = None
    verifier: Verifier = field(init=False)
    _warned: dict[str, float] = field(default_factory=dict)
    _prefix: str = field(default_factory=lambda: token_hex(6))
    _numbers: count[int] = field(default_factory=count)
    _reading: Patience = field(default_factory=lambda: Patience(BODY_SECONDS / 2))
    _calling: Patience = field(default_factory=lambda: Patience(_QUICK))

    def __post_init__(self) -> None:
        self.verifier = Verifier(partial(ask_whole, self.upstream), self.unsettled, self.metrics.count_verified)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        headers = join_headers(scope["headers"])
        if path == CHAT and scope["method"] == "POST":
            await self._chat(headers, receive, send)
        else:
            await self._other(path, scope, headers, receive, send)

    async def _chat(self, headers: Mapping[bytes, bytes], receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        task = own_task(self.upstream.loop)
        request_id = f"{self._prefix}{next(self._numbers):08x}"
        snapshot = self.reloader.current
        common = ((b"x-costpol-request-id", request_id.encode()), (b"x-costpol-policy", snapshot.label.encode()))
        snapshot.enter()
        exchange: Exchange | None = None
        try:
            arrival = await self._admit(headers, receive, task)
            if isinstance(arrival, Denied):
                await self._deny(send, arrival, [*common])
                return
            exchange = Exchange(
                arrival.request, snapshot, headers, common,
                upstream=self.upstream, patience=self._calling, task=task, receive=receive, send=send,
            )  # fmt: skip
            flow = snapshot.pipeline.flow(arrival)
            outcome = await drive(flow, snapshot.handlers, exchange.call, self.unsettled)
            self.metrics.count(outcome, time.perf_counter() - started)
            if self.recorder is not None:
                self.recorder.add(request_id, arrival, outcome)
            if outcome.decision.rungs:
                self._warn(outcome.decision.rungs)
            if outcome.failure is not None and not exchange.left:
                why = outcome.failure.status or outcome.failure.kind
                _log.warning("request %s failed: %s (tried %s)", request_id, why, ", ".join(outcome.decision.attempts))
            await exchange.finish(outcome, request_id, int(arrival.now))
            if outcome.behind is not None:
                self.verifier.submit(snapshot, arrival.request, outcome.decision, outcome.behind)
        except WireError as error:
            self.metrics.count_denied(400)
            await send_error(send, 400, error.message, headers=[*common], param=error.field)
        except ClientLeftError:
            self.metrics.left.inc()
        except asyncio.CancelledError:  # the server stops, and has waited for as long as it was told to
            _log.warning("request %s was cut off by the end of the grace period", request_id)
            if exchange is None or not exchange.status:
                message = "costpol has stopped before the model answered"
                await send_error(send, 503, message, "service_stopping", headers=[*common])
        except Exception:  # noqa: BLE001 - whatever it is, the client gets an answer and the log the cause
            self.metrics.defects.inc()
            _log.exception("request %s was lost to a defect", request_id)
            if exchange is None or not exchange.status:
                await send_error(send, 500, "costpol failed; its log says why", "internal_error", headers=[*common])
        finally:
            if exchange is not None and exchange.left:
                self.metrics.left.inc()
            snapshot.leave()

    async def _admit(self, headers: Mapping[bytes, bytes], receive: Receive, task: Task) -> Arrival | Denied:
        """The request, read and identified. Raises `WireError` and `ClientLeftError`."""
        denied = self.access.check(headers)
        if denied is not None:
            return denied
        caller = self.access.identities.caller(headers)
        if isinstance(caller, Denied):
            return caller
        deadline = read_deadline(headers) if b"x-costpol-deadline" in headers else None
        if isinstance(deadline, Denied):
            return deadline
        wish = read_wish(headers) if b"x-costpol-cache" in headers else NO_WISH
        if isinstance(wish, Denied):
            return wish
        if headers.get(b"content-encoding", b"identity") != b"identity":
            return Denied(415, "unsupported_encoding", "the request body must not be compressed")
        body = await read_body(receive, headers, self.body_limit, self._reading, task)
        if isinstance(body, Denied):
            return body
        return Arrival(decode_request(body), caller, self.clock(), deadline, wish=wish)

    def _warn(self, rungs: tuple[str, ...]) -> None:
        """Log which budgets near their ends, each rung once in a while."""
        now = self.clock()
        for rung in rungs:
            self.metrics.count_rung(rung)
            if now - self._warned.get(rung, 0.0) >= _WARN_SECONDS:
                self._warned[rung] = now
                _log.warning("the budget %s is reached", rung)

    async def _other(
        self, path: str, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive, send: Send
    ) -> None:
        """Everything but a chat completion: rare, and cheap."""
        method = _METHODS.get(path)
        denied = self.access.check(headers)
        if denied is None and path in _OPERATOR:
            peer = scope.get("client")
            denied = self.access.check_operator(headers, peer[0] if peer else None)
        if denied is not None:
            await self._deny(send, denied)
        elif path.startswith(MODELS + "/") and scope["method"] == "GET":
            await self._model(unquote(path.removeprefix(MODELS + "/")), headers, send)
        elif method is None:
            served = ", ".join(f"{verb} {served}" for served, verb in _METHODS.items())
            await self._deny(send, Denied(404, "unknown_url", f"`{path[:200]}` is not served; served are {served}"))
        elif scope["method"] != method and (scope["method"], method) != ("HEAD", "GET"):
            denied = Denied(405, "method_not_allowed", f"`{path}` takes {method}, not {scope['method']}")
            await self._deny(send, denied, [(b"allow", method.encode())])
        elif path == MODELS:
            await self._models(headers, send)
        elif path == "/-/reload":
            await answer_reload(self.reloader, headers, scope["query_string"], send)
        elif path == "/-/policy":
            await answer_policy(self.reloader, self.all_troubles(), send)
        elif path in CACHE_OPERATIONS:
            await self._cache(path, headers, receive, send)
        elif path == "/-/ready":
            await answer_ready(self.reloader, lambda: self.stopping, self.all_troubles(), send)
        elif path == "/metrics":
            self.metrics.note_troubles(self.all_troubles())
            self.metrics.unsettled.set(len(self.unsettled.waiting))
            await send_answer(send, 200, [(b"content-type", CONTENT_TYPE)], self.metrics.render())
        else:
            await send_json(send, 200, {"status": "healthy"})

    def all_troubles(self) -> dict[Part, str]:
        """What is amiss with the service now, by part."""
        return all_troubles(self.reloader, self.troubles())

    async def _cache(self, path: str, headers: Mapping[bytes, bytes], receive: Receive, send: Send) -> None:
        try:
            body = await read_body(receive, headers, self.body_limit, self._reading, own_task())
        except ClientLeftError:
            return
        if isinstance(body, Denied):
            await self._deny(send, body)
        else:
            await answer_cache(path, body, self.reloader.current, self.clock, send)

    async def _models(self, headers: Mapping[bytes, bytes], send: Send) -> None:
        caller = self.access.identities.caller(headers)
        if isinstance(caller, Denied):
            await self._deny(send, caller)
            return
        snapshot = self.reloader.current
        await send_answer(send, 200, [JSON], models_body(snapshot.model_names(), int(snapshot.loaded)))

    async def _model(self, name: str, headers: Mapping[bytes, bytes], send: Send) -> None:
        caller = self.access.identities.caller(headers)
        snapshot = self.reloader.current
        if isinstance(caller, Denied):
            await self._deny(send, caller)
        elif name not in snapshot.model_names():
            await self._deny(send, Denied(404, "model_not_found", f"the policy declares no model `{name[:200]}`"))
        else:
            model = {"id": name, "object": "model", "created": int(snapshot.loaded), "owned_by": "costpol"}
            await send_json(send, 200, model)

    async def _deny(self, send: Send, denied: Denied, headers: Headers | None = None) -> None:
        self.metrics.count_denied(denied.status)
        headers = headers or []
        if denied.status in (408, 413):
            headers.append((b"connection", b"close"))  # the rest of the body is not read
        await send_error(send, denied.status, denied.message, denied.code, headers=headers)
