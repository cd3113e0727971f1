from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from costpol.commands import Account, Answered, Call, CallFailed, Edit, Flow, Granted, Hold, Reserve, Settle
from costpol.inference.request import Request
from costpol.inference.response import Response
from costpol.inference.usage import Usage
from costpol.pipeline.decision import Decision, Verified
from costpol.runtime.live import Handlers, Unsettled
from costpol.runtime.verification import Verifier

HOLD = Hold(Account("a", 0, 0, 9), 70, 100, "a")
CALL = Call("p", "m", Edit(), 1.0)
SAME = Verified("same", "faq", "default", "m", cost=5)
DECISION = Decision("d", intent="faq", rule="default", routed="m")


def flow() -> Flow:
    yield Reserve((HOLD,), 1.0, 9.0)
    reply = yield CALL
    if isinstance(reply, CallFailed):
        yield Settle(1, (0,), 1.0)
        return Verified("none", "faq", "default", "m", "no_answer")
    yield Settle(1, (5,), 1.0)
    return SAME


class Snapshot:
    """As much of a snapshot as a verification holds on to."""

    def __init__(self, settled: list[Settle]) -> None:
        self.open = 0
        self.handlers = Handlers({Reserve: lambda command: Granted(1), Settle: settled.append})

    def enter(self) -> None:
        self.open += 1

    def leave(self) -> None:
        self.open -= 1


class Bench:
    """A verifier whose model answers as told."""

    def __init__(self, ask: Callable[..., Awaitable[Answered | CallFailed]], **options: Any) -> None:
        self.settled: list[Settle] = []
        self.seen: list[Verified] = []
        self.snapshot: Any = Snapshot(self.settled)
        self.verifier = Verifier(ask, Unsettled(self.settled.append), self.seen.append, **options)

    def submit(self, one: Flow | None = None) -> None:
        self.verifier.submit(self.snapshot, Request("openai", "m", (), b"{}"), DECISION, one or flow())


async def answer(*_: Any) -> Answered:
    return Answered(Response("hi", "stop", Usage(1, 1)))


async def hang(*_: Any) -> Answered:
    await asyncio.Event().wait()
    raise AssertionError


async def until(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(0)


def test_a_verification_runs_after_it_was_submitted_and_is_settled() -> None:
    async def run() -> Bench:
        bench = Bench(answer)
        bench.submit()
        assert bench.seen == [], "the caller does not wait for it"
        assert bench.snapshot.open == 1, "its policy stays open for it"
        await asyncio.wait_for(until(lambda: len(bench.seen) == 1), 10)
        return bench

    bench = asyncio.run(run())
    assert bench.seen == [SAME]
    assert [each.amounts for each in bench.settled] == [(5,)]
    assert bench.snapshot.open == 0


def test_two_at_a_time_and_what_the_queue_does_not_take_is_dropped() -> None:
    async def run() -> Bench:
        calls = 0

        async def count(*_: Any) -> Answered:
            nonlocal calls
            calls += 1
            return await hang()

        bench = Bench(count)
        bench.submit()
        bench.submit()
        await asyncio.wait_for(until(lambda: calls == 2), 10)
        for _ in range(65):
            bench.submit()
        assert [each.reason for each in bench.seen] == ["queue_full"]
        assert calls == 2
        await asyncio.wait_for(bench.verifier.close(), 10)
        return bench

    bench = asyncio.run(run())
    assert bench.snapshot.open == 0
    assert [each.amounts for each in bench.settled] == [(70,), (70,)], "what may have been billed counts as billed"


def test_one_that_never_ends_is_given_up() -> None:
    async def run() -> Bench:
        bench = Bench(hang, longest=0.01)
        bench.submit()
        await asyncio.wait_for(until(lambda: len(bench.seen) == 1), 10)
        return bench

    bench = asyncio.run(run())
    assert [each.reason for each in bench.seen] == ["no_answer"]
    assert len(bench.settled) == 1


def test_a_defect_in_one_does_not_end_the_others(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> Flow:
        yield Reserve((HOLD,), 1.0, 9.0)
        raise RuntimeError("a defect")

    async def run() -> Bench:
        bench = Bench(answer)
        bench.submit(broken())
        bench.submit()
        await asyncio.wait_for(until(lambda: len(bench.seen) == 2), 10)
        return bench

    bench = asyncio.run(run())
    assert sorted(each.reason or "" for each in bench.seen) == ["", "defect"]
    assert sorted(each.amounts for each in bench.settled) == [(0,), (5,)]
    assert "a defect" in caplog.text
    assert bench.snapshot.open == 0


def test_a_closed_verifier_takes_nothing() -> None:
    async def run() -> Bench:
        bench = Bench(answer)
        await bench.verifier.close()
        bench.submit()
        return bench

    assert [each.reason for each in asyncio.run(run()).seen] == ["queue_full"]
