from __future__ import annotations

import asyncio

import pytest

from costpol.runtime.in_flight import InFlight


def test_the_first_leads_and_the_others_wait_for_its_end() -> None:
    async def run() -> list[str]:
        in_flight, ends = InFlight(), []
        assert in_flight.lead("a")

        async def follow(name: str) -> None:
            assert not in_flight.lead("a")
            await in_flight.wait("a", 5)
            ends.append(name)

        followers = [asyncio.create_task(follow(name)) for name in "xyz"]
        await asyncio.sleep(0)
        assert ends == []
        in_flight.end("a")
        await asyncio.gather(*followers)
        assert len(in_flight) == 0
        return ends

    assert sorted(asyncio.run(run())) == ["x", "y", "z"]


def test_other_questions_lead_on_their_own() -> None:
    async def run() -> bool:
        in_flight = InFlight()
        return in_flight.lead("a") and in_flight.lead("b")

    assert asyncio.run(run())


@pytest.mark.parametrize("cancelled", [False, True])
def test_patience_ends_and_a_cancelled_follower_disturbs_nobody(cancelled: bool) -> None:
    async def run() -> bool:
        in_flight = InFlight()
        in_flight.lead("a")
        follower = asyncio.create_task(in_flight.wait("a", 60 if cancelled else 0.01))
        await asyncio.sleep(0)
        if cancelled:
            follower.cancel()
        await asyncio.gather(follower, return_exceptions=True)
        in_flight.end("a")
        return in_flight.lead("a")

    assert asyncio.run(run())


def test_nobody_waits_for_what_has_ended() -> None:
    asyncio.run(asyncio.wait_for(InFlight().wait("a", 60), 1))
