from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpol.commands import (
    Account,
    Answered,
    Call,
    CallFailed,
    Edit,
    Entry,
    Exceeded,
    Failed,
    Granted,
    Hit,
    Hold,
    LookupExact,
    Reserve,
    Scope,
    Settle,
)
from costpol.inference.response import Response
from costpol.inference.usage import Usage
from costpol.pipeline.decision import Decision, Outcome
from costpol.runtime.live import Handlers, Unsettled, drive

HOLD = Hold(Account("a", 0, 0, 9), 70, 100, "a")
RESERVE = Reserve((HOLD,), 1.0, 9.0)
CALL = Call("p", "m", Edit(), 1.0)
DONE = Outcome("failed", Decision(""), ())
ANSWER = Answered(Response("hi", "stop", Usage(1, 1)))


class Ledger:
    """Grants everything; remembers what was settled."""

    def __init__(self, fails: int = 0) -> None:
        self.granted: list[int] = []
        self.settled: list[Settle] = []
        self.fails = fails

    def reserve(self, command: Reserve) -> Granted:
        self.granted.append(len(self.granted) + 1)
        return Granted(self.granted[-1])

    def settle(self, command: Settle) -> Failed | None:
        if self.fails:
            self.fails -= 1
            return Failed("ledger-busy")
        self.settled.append(command)
        return None

    def handlers(self) -> Handlers:
        return Handlers({Reserve: self.reserve, Settle: self.settle})


def run(flow: Generator[Any, Any, Any], ledger: Ledger, call: Any, unsettled: Unsettled | None = None) -> Outcome:
    return asyncio.run(drive(flow, ledger.handlers(), call, unsettled or Unsettled(ledger.settle)))


async def answer(command: Call) -> Answered:
    return ANSWER


async def refuse(command: Call) -> CallFailed:
    return CallFailed("status", 500)


def test_replies_go_back_into_the_flow() -> None:
    seen = []

    def flow() -> Generator[Any, Any, Outcome]:
        seen.append((yield RESERVE))
        seen.append((yield CALL))
        seen.append((yield Settle(1, (5,), 1.0)))
        return DONE

    assert run(flow(), Ledger(), answer) is DONE
    assert seen == [Granted(1), ANSWER, None]


def test_a_flow_that_breaks_before_its_call_is_refunded() -> None:
    ledger = Ledger()

    def flow() -> Generator[Any, Any, Outcome]:
        yield RESERVE
        raise LookupError("defect")

    with pytest.raises(LookupError):
        run(flow(), ledger, answer)
    assert ledger.settled == [Settle(1, (0,), 1.0)]


def test_a_flow_that_breaks_after_an_answer_is_charged_in_full() -> None:
    ledger = Ledger()

    def flow() -> Generator[Any, Any, Outcome]:
        yield RESERVE
        yield CALL
        raise LookupError("defect")

    with pytest.raises(LookupError):
        run(flow(), ledger, answer)
    assert ledger.settled == [Settle(1, (70,), 1.0)]


def test_a_flow_that_breaks_after_a_refused_call_is_refunded() -> None:
    ledger = Ledger()

    def flow() -> Generator[Any, Any, Outcome]:
        yield RESERVE
        yield CALL
        raise LookupError("defect")

    with pytest.raises(LookupError):
        run(flow(), ledger, refuse)
    assert ledger.settled == [Settle(1, (0,), 1.0)]


def test_a_call_handler_that_throws_is_charged_and_the_flow_is_closed() -> None:
    ledger = Ledger()
    closed = []

    def flow() -> Generator[Any, Any, Outcome]:
        try:
            yield RESERVE
            yield CALL
        finally:
            closed.append(True)
        return DONE

    async def throw(command: Call) -> Answered:
        raise LookupError("defect")

    with pytest.raises(LookupError):
        run(flow(), ledger, throw)
    assert ledger.settled == [Settle(1, (70,), 1.0)]
    assert closed == [True]


def test_a_cancelled_task_leaves_no_reservation_behind() -> None:
    ledger = Ledger()

    def flow() -> Generator[Any, Any, Outcome]:
        yield RESERVE
        yield CALL
        return DONE

    async def hang(command: Call) -> Answered:
        await asyncio.sleep(60)
        return ANSWER

    async def main() -> None:
        task = asyncio.ensure_future(drive(flow(), ledger.handlers(), hang, Unsettled(ledger.settle)))
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())
    assert ledger.settled == [Settle(1, (70,), 1.0)]


def test_a_settlement_that_the_ledger_cannot_take_is_kept_and_tried_again() -> None:
    ledger = Ledger(fails=1)
    unsettled = Unsettled(ledger.settle)

    def flow() -> Generator[Any, Any, Outcome]:
        yield RESERVE
        yield CALL
        yield Settle(1, (5,), 1.0)
        return DONE

    run(flow(), ledger, answer, unsettled)
    assert ledger.settled == []
    assert unsettled.retry() == 0
    assert ledger.settled == [Settle(1, (5,), 1.0)]


def test_a_settlement_without_an_open_reservation_is_not_tried_again() -> None:
    unsettled = Unsettled(lambda command: Failed("reservation-not-open"))
    unsettled.add(Settle(1, (5,), 1.0), "ledger-busy")
    assert unsettled.retry() == 0
    assert not unsettled.waiting


def test_an_exceeded_budget_leaves_nothing_to_settle() -> None:
    ledger = Ledger()
    handlers = Handlers({Reserve: lambda command: Exceeded(HOLD, 100), Settle: ledger.settle})

    def flow() -> Generator[Any, Any, Outcome]:
        yield RESERVE
        return DONE

    asyncio.run(drive(flow(), handlers, answer, Unsettled(ledger.settle)))
    assert ledger.settled == []


def test_the_cache_is_told_which_entry_was_served() -> None:
    entry = Entry("p", "q", Scope("global", "global"), "faq", "", b"{}", "m", 0, 9, 1)
    served = []

    def flow() -> Generator[Any, Any, Outcome]:
        hit = yield LookupExact("p", "q", entry.scope, 1.0)
        return Outcome("hit", Decision(""), (), body=hit.entry.body)

    handlers = Handlers({LookupExact: lambda command: Hit(entry, 1.0)}, served=served.append)
    asyncio.run(drive(flow(), handlers, answer, Unsettled(lambda command: None)))
    assert served == [entry]


@given(
    attempts=st.lists(st.sampled_from(["answered", "status", "timeout", "unreachable", "broken", "throw"]), max_size=4),
    settles=st.booleans(),
    breaks=st.booleans(),
    busy=st.integers(0, 3),
)
def test_every_grant_meets_exactly_one_settlement(attempts: list[str], settles: bool, breaks: bool, busy: int) -> None:
    ledger = Ledger(fails=busy)
    unsettled = Unsettled(ledger.settle)
    plan = iter(attempts)

    async def call(command: Call) -> Answered | CallFailed:
        kind = next(plan)
        if kind == "throw":
            raise LookupError("defect")
        return ANSWER if kind == "answered" else CallFailed(kind)

    def flow() -> Generator[Any, Any, Outcome]:
        for index, _ in enumerate(attempts):
            granted = yield RESERVE
            yield CALL
            if settles or index < len(attempts) - 1:
                yield Settle(granted.reservation, (1,), 1.0)
        if breaks:
            raise LookupError("defect")
        return DONE

    with contextlib.suppress(LookupError):
        run(flow(), ledger, call, unsettled)
    while unsettled.waiting:
        unsettled.retry()
    assert sorted(settle.reservation for settle in ledger.settled) == ledger.granted
