"""The live driver: it performs what a flow asks for, and sees to it that no reservation is left behind.

INVARIANT: every granted `Reserve` meets exactly one `Settle` that the ledger took, or stands in `Unsettled` until it
does. That holds on every path: an answer, a failure, a caller who leaves, a cancelled task, a defect in a handler.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from costpol.commands import (
    Answered,
    Call,
    Command,
    Entry,
    Failed,
    Flow,
    Granted,
    Hit,
    Join,
    LookupExact,
    LookupSimilar,
    Reserve,
    Settle,
)
from costpol.pipeline.decision import Outcome, Verified
from costpol.runtime.in_flight import InFlight

if TYPE_CHECKING:
    from costpol.cache.store import AnswerStore
    from costpol.runtime.judge import CacheJudge

Inline = Callable[[Any], Any]
"""Answers a command at once, without waiting for anything."""
Waiting = Callable[[Any], Awaitable[Any]]
"""Answers a command over a network."""

_MAX_UNSETTLED = 10_000

_log = logging.getLogger("costpol.ledger")


@dataclass(frozen=True, slots=True)
class Handlers:
    """Who answers which command. `served` is told which entry was given as the answer. `cache` and `judge` are what
    stands behind the cache's commands, for those who keep it."""

    inline: Mapping[type[Command], Inline]
    waiting: Mapping[type[Command], Waiting] = field(default_factory=dict)
    served: Callable[[Entry], None] | None = None
    in_flight: InFlight = field(default_factory=InFlight)
    cache: AnswerStore | None = None
    judge: CacheJudge | None = None


@dataclass(slots=True)
class Unsettled:
    """Settlements that the ledger could not take, kept to be tried again."""

    settle: Inline
    waiting: deque[Settle] = field(default_factory=lambda: deque(maxlen=_MAX_UNSETTLED))

    def add(self, command: Settle, reason: str) -> None:
        """Keep a settlement that failed; one whose reservation is not open any more has nothing to wait for."""
        if reason == "reservation-not-open":
            _log.error("reservation %d was not open when it was settled", command.reservation)
            return
        if len(self.waiting) == _MAX_UNSETTLED:
            _log.error("more than %d settlements wait for the ledger, the oldest is given up", _MAX_UNSETTLED)
        self.waiting.append(command)

    def retry(self) -> int:
        """Try every kept settlement once; returns how many are left."""
        for _ in range(len(self.waiting)):
            command = self.waiting.popleft()
            reply = self.settle(command)
            if isinstance(reply, Failed):
                self.add(command, reply.reason)
                if reply.reason != "reservation-not-open":
                    break  # the ledger is still away
        return len(self.waiting)


async def drive(flow: Flow, handlers: Handlers, call: Waiting, unsettled: Unsettled) -> Outcome:
    """Run a flow to its end. `call` answers `Call`, which belongs to one request, not to the policy.

    A reservation that is open when the flow is torn down is charged in full if a model may have been at work, else
    refunded.
    """
    inline, waiting = handlers.inline, handlers.waiting
    reply: Any = None
    looked: Any = None
    reserved: Reserve | None = None
    reservation = 0
    called = False
    leading: str | None = None
    try:
        while True:
            command = flow.send(reply)
            kind = type(command)
            answer = inline.get(kind)
            if answer is not None:
                reply = answer(command)
                if type(command) is Reserve:
                    if type(reply) is Granted:
                        reserved, reservation, called = command, reply.reservation, False
                elif type(command) is Settle:
                    reserved = None
                    if type(reply) is Failed:
                        unsettled.add(command, reply.reason)
                elif kind is LookupExact or kind is LookupSimilar:
                    looked = reply
            elif type(command) is Join:
                reply = leading is None and not handlers.in_flight.lead(command.identity)
                if reply:
                    await handlers.in_flight.wait(command.identity, command.patience)
                else:
                    leading = command.identity
            elif kind is Call:
                called = True
                reply = await call(command)
                called = type(reply) is Answered or reply.kind not in ("status", "unreachable")
            else:
                reply = await waiting[kind](command)
                if kind is LookupExact or kind is LookupSimilar:
                    looked = reply
    except StopIteration as end:
        outcome: Outcome = end.value
        if outcome.kind == "hit" and handlers.served is not None:
            _tell(handlers.served, looked, outcome)
        return outcome
    finally:
        if reserved is not None:
            amounts = tuple(hold.amount if called else 0 for hold in reserved.holds)
            _settle(Settle(reservation, amounts, reserved.now), unsettled)
        if leading is not None:
            handlers.in_flight.end(leading)
        flow.close()


async def drive_behind(flow: Flow, handlers: Handlers, call: Waiting, unsettled: Unsettled) -> Verified:
    """Run to its end what an outcome has left to do (`Outcome.behind`), as `drive` does."""
    verified: Any = await drive(flow, handlers, call, unsettled)
    return cast(Verified, verified)


def _settle(last: Settle, unsettled: Unsettled) -> None:
    settled = unsettled.settle(last)
    if type(settled) is Failed:
        unsettled.add(last, settled.reason)


def _tell(served: Callable[[Entry], None], looked: Any, outcome: Outcome) -> None:
    for hit in looked if type(looked) is tuple else (looked,):
        if type(hit) is Hit and hit.entry.body is outcome.body:
            served(hit.entry)
            return
