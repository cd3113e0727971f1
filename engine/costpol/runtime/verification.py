"""Work behind callers: hits are answered afresh once their callers have what they asked for.

A few at a time, from a short queue; what does not fit is dropped, because a sample needs no completeness. Each keeps
its snapshot to its end. Stopping gives up what is under way, and `drive` settles what that owes.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from costpol.commands import Answered, Call, CallFailed, Flow
from costpol.inference.request import Request
from costpol.pipeline.decision import Decision, Verified
from costpol.runtime.live import Unsettled, drive_behind
from costpol.runtime.snapshot import Snapshot

_AT_ONCE = 2
_MOST_WAITING = 64
_LONGEST = 300.0
"""Seconds after which one that still trickles in is given up."""

_log = logging.getLogger("costpol.cache")

AskWhole = Callable[[Snapshot, Request, Call], Awaitable[Answered | CallFailed]]


@dataclass(frozen=True, slots=True)
class _Task:
    snapshot: Snapshot
    request: Request
    decision: Decision
    flow: Flow

    def came_to_nothing(self, reason: str) -> Verified:
        return Verified("none", self.decision.intent or "", self.decision.rule, self.decision.routed or "", reason)


@dataclass(slots=True)
class Verifier:
    """Runs verifications. `ask` calls a model without a stream; `observe` is told what each came to."""

    ask: AskWhole
    unsettled: Unsettled
    observe: Callable[[Verified], None]
    longest: float = _LONGEST
    _queue: deque[_Task] = field(default_factory=deque)
    _running: set[asyncio.Task[None]] = field(default_factory=set)
    _closed: bool = False

    def submit(self, snapshot: Snapshot, request: Request, decision: Decision, flow: Flow) -> None:
        """Verify a hit some time soon. Returns at once."""
        task = _Task(snapshot, request, decision, flow)
        if self._closed or len(self._queue) >= _MOST_WAITING:
            self.observe(task.came_to_nothing("queue_full"))
            return
        snapshot.enter()
        self._queue.append(task)
        if len(self._running) < _AT_ONCE:
            running = asyncio.create_task(self._work())
            self._running.add(running)
            running.add_done_callback(self._running.discard)

    async def close(self) -> None:
        """Give up what is under way, and return once that is settled."""
        self._closed = True
        running = list(self._running)
        for each in running:
            each.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        while self._queue:
            self._queue.popleft().snapshot.leave()

    async def _work(self) -> None:
        while self._queue:
            task = self._queue.popleft()
            try:
                self.observe(await self._verify(task))
            finally:
                task.snapshot.leave()

    async def _verify(self, task: _Task) -> Verified:
        async def call(command: Call) -> Answered | CallFailed:
            return await self.ask(task.snapshot, task.request, command)

        try:
            async with asyncio.timeout(self.longest):
                return await drive_behind(task.flow, task.snapshot.handlers, call, self.unsettled)
        except TimeoutError:
            return task.came_to_nothing("no_answer")
        except Exception:  # noqa: BLE001 - a defect in one must not end the others; nobody else would hear of it
            _log.exception("the verification of a hit was lost to a defect in costpol")
            return task.came_to_nothing("defect")
