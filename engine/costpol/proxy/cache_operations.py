"""What an operator asks of the answer cache: what it holds, to take answers back, to put known ones in.

| path                    | body                                                       | answer                     |
| ----------------------- | ---------------------------------------------------------- | -------------------------- |
| `/-/cache`              | none (GET)                                                 | what is kept, per intent   |
| `/-/cache/purge`        | `{intent, template, tag, id, tenant, scope, all, dry_run}` | `{purged, dry_run}`        |
| `/-/cache/report-wrong` | `{id}`                                                     | what was withdrawn, or 404 |
| `/-/cache/warm`         | `{known: [{request, answer, tenant, ..., time, intent}]}`  | `{results: [...]}`         |
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated

from msgspec import DecodeError, Meta, Raw, Struct, ValidationError, json

from costpol.errors import StoreError, UsageError, WireError
from costpol.inference.caller import Caller
from costpol.pipeline.arrival import Arrival
from costpol.providers.openai import decode_request, decode_response
from costpol.proxy.messages import JSON, Send, send_answer, send_error
from costpol.runtime.cache_keeping import Selection, describe_cache, purge, report_wrong
from costpol.runtime.snapshot import Snapshot
from costpol.runtime.warming import Known, Warmed, warm

CACHE_OPERATIONS = {
    "/-/cache": "GET", "/-/cache/purge": "POST", "/-/cache/report-wrong": "POST", "/-/cache/warm": "POST",
}  # fmt: skip

_ENCODER = json.Encoder(decimal_format="number")


class _Purge(Selection, frozen=True, forbid_unknown_fields=True):
    dry_run: bool = False


class _Report(Struct, forbid_unknown_fields=True):
    id: str


class _Line(Struct, forbid_unknown_fields=True):
    request: Raw
    answer: Raw
    tenant: str | None = None
    user: str | None = None
    agent: str | None = None
    session: str | None = None
    stage: str | None = None
    time: Annotated[float, Meta(ge=0)] | None = None
    answer_id: str | None = None
    intent: str | None = None


class _Warm(Struct, forbid_unknown_fields=True):
    known: list[_Line]


_PURGE, _REPORT, _WARM = json.Decoder(_Purge), json.Decoder(_Report), json.Decoder(_Warm)


async def answer_cache(path: str, body: bytes, snapshot: Snapshot, clock: Callable[[], float], send: Send) -> None:
    """Answer one of `CACHE_OPERATIONS`."""
    if snapshot.handlers.cache is None:
        await send_error(send, 404, "the policy in service has no answer cache", "no_cache")
        return
    snapshot.enter()  # its store stays open until this has ended
    try:
        content = await _answer(path, body, snapshot, clock)
    except (ValidationError, UsageError, WireError) as error:
        await send_error(send, 400, _told(error), "invalid_cache_operation")
    except DecodeError:
        await send_error(send, 400, "the body is not JSON", "invalid_cache_operation")
    except StoreError as error:
        told = error.message if error.help is None else f"{error.message}; {error.help}"
        await send_error(send, 503, f"the answer cache fails: {told}", "cache_unavailable")
    else:
        if content is None:
            await send_error(send, 404, "no answer of this id is kept", "no_such_answer")
        else:
            await send_answer(send, 200, [JSON], _ENCODER.encode(content))
    finally:
        snapshot.leave()


async def _answer(path: str, body: bytes, snapshot: Snapshot, clock: Callable[[], float]) -> object:
    handlers, cache = snapshot.handlers, snapshot.handlers.cache
    assert cache is not None  # noqa: S101 - the caller saw to it
    if path == "/-/cache":
        return {"embedder": snapshot.embedder, **await describe_cache(cache, clock()), "learned": snapshot.learned()}
    if path == "/-/cache/purge":
        wish = _PURGE.decode(body)
        return {"purged": await purge(cache, wish, dry_run=wish.dry_run), "dry_run": wish.dry_run}
    if path == "/-/cache/report-wrong":
        return await report_wrong(cache, handlers.judge, _REPORT.decode(body).id)
    return {"results": [await _warm(line, snapshot, clock()) for line in _WARM.decode(body).known]}


async def _warm(line: _Line, snapshot: Snapshot, now: float) -> Warmed:
    await asyncio.sleep(0)  # callers are served between two lines
    request, answer = decode_request(bytes(line.request)), decode_response(bytes(line.answer))
    caller = Caller(line.tenant, line.user, line.agent, line.session, line.stage)
    arrival = Arrival(request, caller, now if line.time is None else min(line.time, now), answer_id=line.answer_id)
    return await warm(Known(arrival, answer, line.intent), snapshot, now)


def _told(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return f"the body is not what is expected: {str(error)[:1].lower()}{str(error)[1:]}"
    assert isinstance(error, UsageError | WireError)  # noqa: S101 - nothing else is caught
    return error.message
