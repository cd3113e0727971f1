"""A log of live traffic in the form that a dry-run reads: off unless asked for, and never in the way.

Requests hand over what was asked and answered; a thread of its own makes lines of it and writes them. What it cannot
write in time or at all is dropped and counted, never waited for. The file is for its owner's eyes only, and grows to a
limit; then it becomes `FILE.1`, and the `FILE.1` before goes.
"""

from __future__ import annotations

import logging
import os
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from msgspec import Raw, Struct, json

from costpol.errors import UsageError
from costpol.inference.usage import Usage
from costpol.pipeline.arrival import Arrival
from costpol.pipeline.decision import Outcome
from costpol.runtime.health import Health

DEFAULT_SIZE = 256 * 2**20
MAX_PENDING = 64 * 2**20
"""Bytes of requests that wait to be written at most; more are dropped."""
_CLOSE_SECONDS = 5.0

_log = logging.getLogger("costpol.record")


class _Line(Struct, omit_defaults=True):
    id: str
    time: str
    request: Raw
    tenant: str | None = None
    user: str | None = None
    agent: str | None = None
    session: str | None = None
    stage: str | None = None
    deadline: float | None = None
    response: Raw | None = None


class Recorder:
    """Writes lines to a file. `add` is for the event loop, everything else happens in a thread."""

    def __init__(self, path: Path, health: Health, size: int = DEFAULT_SIZE) -> None:
        """Raises `UsageError` where the file cannot be written."""
        self._path, self._size, self._health = path, size, health
        try:
            self._file = self._open()
        except OSError as error:
            raise UsageError(
                f"the record `{path}` cannot be written: {(error.strerror or str(error)).lower()}",
                "name a file in a folder that this user may write to",
            ) from error
        self._written = os.fstat(self._file).st_size
        self._waiting: SimpleQueue[tuple[str, Arrival, Outcome] | None] = SimpleQueue()
        self._taken = self._done = 0  # each is changed by one thread only
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="record", daemon=True)
        self._thread.start()

    def add(self, request_id: str, arrival: Arrival, outcome: Outcome) -> None:
        """Have one request written, soon, or dropped where too many wait."""
        length = len(arrival.request.raw)
        if self._taken + length - self._done > MAX_PENDING:
            self.dropped += 1
            self._health.note("record", f"requests are answered faster than `{self._path}` takes them")
            return
        self._taken += length
        self._waiting.put((request_id, arrival, outcome))

    def close(self) -> None:
        """Write what waits, and let go of the file. Closing twice is no error."""
        self._waiting.put(None)
        self._thread.join(_CLOSE_SECONDS)

    def _run(self) -> None:
        while (item := self._waiting.get()) is not None:
            request_id, arrival, outcome = item
            try:
                self._write(line_of(request_id, arrival, outcome))
                if self._waiting.empty():
                    self._health.note("record", None)
            except OSError as error:
                self.dropped += 1
                reason = (error.strerror or str(error)).lower()
                self._health.note("record", f"requests are not recorded in `{self._path}`: {reason}")
            except Exception:  # noqa: BLE001 - a defect must not end the record of all that follows
                self.dropped += 1
                _log.exception("a request was not recorded because of a defect in costpol")
            self._done += len(arrival.request.raw)
        os.close(self._file)

    def _write(self, line: bytes) -> None:
        if self._written and self._written + len(line) > self._size:
            os.replace(self._path, self._path.with_name(f"{self._path.name}.1"))
            os.close(self._file)
            self._file, self._written = self._open(), 0
        try:
            rest = memoryview(line)
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError:
            with suppress(OSError):  # why the line was not written is what counts
                os.ftruncate(self._file, self._written)  # half a line would spoil the next one
            raise
        self._written += len(line)

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        file = os.open(self._path, flags, 0o600)
        os.fchmod(file, 0o600)
        return file


def line_of(request_id: str, arrival: Arrival, outcome: Outcome) -> bytes:
    """One line of the log, with its end. A refused request has no answer, a failed one has an error for one."""
    caller = arrival.caller
    answer = _answer(outcome)
    line = _Line(
        id=request_id,
        time=datetime.fromtimestamp(arrival.now, UTC).isoformat().replace("+00:00", "Z"),
        request=Raw(_on_one_line(arrival.request.raw)),
        tenant=caller.tenant,
        user=caller.user,
        agent=caller.agent,
        session=caller.session,
        stage=caller.stage,
        deadline=arrival.deadline,
        response=None if answer is None else Raw(_on_one_line(answer)),
    )
    return json.encode(line) + b"\n"


def _answer(outcome: Outcome) -> bytes | None:
    if outcome.kind == "hit":
        return outcome.body
    if outcome.failure is not None:
        return json.encode({"error": {"message": str(outcome.failure.status or outcome.failure.kind)}})
    response = outcome.response
    if response is None:
        return None
    if response.complete and response.body is not None and not _rewritten(outcome):
        return response.body
    found: dict[str, Any] = {
        "content": response.content,
        "finish_reason": (response.finish_reason or "stop") if response.complete else "incomplete",
        "model": response.model,
        "tool_calls": [{"function": {"name": name}} for name in response.tool_calls],
        "usage": _usage(outcome.usage or response.usage, rewritten=_rewritten(outcome)),
    }
    return json.encode({name: value for name, value in found.items() if value})


def _rewritten(outcome: Outcome) -> bool:
    """Whether the policy sent another prompt than was asked: its tokens say nothing of the request as recorded."""
    return outcome.decision.template is not None or any(note.what == "tools left out" for note in outcome.trace)


def _usage(usage: Usage, *, rewritten: bool) -> dict[str, int]:
    counts = {"output_tokens": usage.output_tokens} | ({} if rewritten else {"input_tokens": usage.input_tokens})
    return {name: count for name, count in counts.items() if count is not None and not usage.estimated}


def _on_one_line(body: bytes) -> bytes:
    """The same JSON without line breaks, which may stand between its parts."""
    return json.format(body, indent=-1) if b"\n" in body or b"\r" in body else body
