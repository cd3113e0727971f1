"""Known answers go into the cache by the flow that live requests take."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp

from costpol.commands import Answered, Settle
from costpol.inference.caller import Caller
from costpol.inference.response import Response
from costpol.inference.usage import Usage
from costpol.pipeline.arrival import NO_WISH, Arrival, CacheWish
from costpol.pipeline.decision import Outcome
from costpol.providers.openai import decode_request, decode_response
from costpol.providers.openai.completion import completion_body
from costpol.runtime.cache_keeping import report_wrong
from costpol.runtime.live import Unsettled, drive
from costpol.runtime.provision import Provisioner
from costpol.runtime.snapshot import Snapshot
from costpol.runtime.stores import open_stores
from costpol.runtime.warming import Known, Warmed, warm

NOW = 1_790_000_000.0
CACHE = b"""kind: cache
otherwise: {threshold: 0.9, ttl: 1h, scope: tenant, tags: prices}
...
"""
LEARNING = CACHE.replace(b"threshold: 0.9", b"max_wrong_hits: 1%")
EXCLUSIONS = b"kind: personalization\nexclusions:\n  - {phrases: [my invoice]}\n...\n"
BUDGET = b"kind: budgets\nbudgets: {company: {calls: 1, per: day, time_zone: UTC}}\n...\n"
INTENTS = b"kind: intents\nintents:\n  prices: {when: {message: {words: [price]}}}\n...\n"


def known(question: str = "how do I block my card", answer: str = "Open the app.", **members: Any) -> Known:
    request = decode_request(
        json.dumps({"model": "large", "messages": [{"role": "user", "content": question}]}).encode()
    )
    body = completion_body("large", answer, Usage(input_tokens=100, output_tokens=10))
    made = Known(Arrival(request, Caller("acme"), NOW), decode_response(body))
    return replace(made, **members)


@asynccontextmanager
async def served(folder: Path, files: dict[str, bytes], cache: bytes = CACHE) -> AsyncIterator[Snapshot]:
    files = files | {"p/cache.yaml": cache, "p/personalization.yaml": EXCLUSIONS}
    stores = open_stores(folder)
    async with aiohttp.ClientSession() as session:
        provisioner = Provisioner(stores, session, os.environ, calls=False, clock=lambda: NOW)
        snapshot = await provisioner.provision(files, 1)
        try:
            yield snapshot
        finally:
            snapshot.retire()
            stores.close()


async def asked(snapshot: Snapshot, one: Known, wish: CacheWish = NO_WISH) -> Outcome:
    async def call(command: Any) -> Any:
        raise AssertionError("a model was called")

    arrival = one.arrival
    later = Arrival(arrival.request, arrival.caller, NOW, wish=wish)
    return await drive(snapshot.pipeline.flow(later), snapshot.handlers, call, None)  # type: ignore[arg-type]


def test_a_live_request_is_answered_with_what_was_known(tmp_path: Path, policy_files: dict[str, bytes]) -> None:
    async def run() -> None:
        async with served(tmp_path, policy_files) as snapshot:
            warmed = await warm(known(), snapshot, NOW)
            outcome = await asked(snapshot, known())
            assert warmed == Warmed("stored", None, entry=outcome.decision.entry)
            assert outcome.kind == "hit"
            assert decode_response(outcome.body or b"").content == "Open the app."
            assert outcome.routed_cost is not None
            assert outcome.routed_cost > 0
            alike = await asked(snapshot, known("how do I block my card?"))
            assert alike.decision.cache == "hit; similar"

    asyncio.run(run())


def test_doing_it_again_changes_nothing_and_a_new_answer_takes_the_old_one_s_place(
    tmp_path: Path, policy_files: dict[str, bytes]
) -> None:
    async def run() -> None:
        async with served(tmp_path, policy_files) as snapshot:
            assert (await warm(known(), snapshot, NOW)).result == "stored"
            assert (await warm(known(), snapshot, NOW)).result == "known"
            later = known(arrival=replace_now(known().arrival, NOW + 60))
            assert (await warm(later, snapshot, NOW + 60)).result == "renewed"
            assert (await warm(known(answer="Call us."), snapshot, NOW)).result == "replaced"
            outcome = await asked(snapshot, known())
            assert decode_response(outcome.body or b"").content == "Call us."
            assert snapshot.handlers.cache is not None
            assert snapshot.handlers.cache.purge(tag="prices", dry_run=True) == 1

    asyncio.run(run())


def replace_now(arrival: Arrival, now: float) -> Arrival:
    return Arrival(arrival.request, arrival.caller, now)


def test_what_the_policy_would_not_keep_is_skipped_with_the_reason(
    tmp_path: Path, policy_files: dict[str, bytes]
) -> None:
    async def run() -> None:
        files = policy_files | {"p/intents.yaml": INTENTS}
        async with served(tmp_path, files) as snapshot:
            personal = await warm(known("what does my invoice say"), snapshot, NOW)
            assert (personal.result, personal.reason) == ("skipped", "the cache is bypassed: personal")
            stranger = known(arrival=Arrival(known().arrival.request, now=NOW))
            assert (await warm(stranger, snapshot, NOW)).reason == "the cache is bypassed: tenant unknown"
            old = known(arrival=replace_now(known().arrival, NOW - 3601))
            assert (await warm(old, snapshot, NOW)).reason == "its answer is too old"
            cut = known()
            cut = replace(cut, answer=Response("Open", "length", Usage(), body=cut.answer.body))
            assert (await warm(cut, snapshot, NOW)).reason == "the answer ended by `length`"
            other = await warm(known(intent="prices"), snapshot, NOW)
            assert other == Warmed("skipped", "other", "the policy sees the intent `other` in it")
            assert (await warm(known("what is the price", intent="prices"), snapshot, NOW)).result == "stored"

    asyncio.run(run())


def test_no_budget_stands_in_the_way_and_none_is_used(tmp_path: Path, policy_files: dict[str, bytes]) -> None:
    async def run() -> None:
        async with served(tmp_path, policy_files | {"p/budgets.yaml": BUDGET}) as snapshot:
            for number in range(3):
                assert (await warm(known(f"question number {number}"), snapshot, NOW)).result == "stored"

            async def call(command: Any) -> Answered:
                return Answered(known().answer)

            flow = snapshot.pipeline.flow(known("another question").arrival)
            unsettled = Unsettled(snapshot.handlers.inline[Settle])
            assert (await drive(flow, snapshot.handlers, call, unsettled)).kind == "answered"  # the one of the day

    asyncio.run(run())


def test_a_learning_cache_learns_from_known_answers_and_gives_none(
    tmp_path: Path, policy_files: dict[str, bytes]
) -> None:
    async def run() -> None:
        async with served(tmp_path, policy_files, LEARNING) as snapshot:
            judge = snapshot.handlers.judge
            assert judge is not None
            for number, question in enumerate(
                ("how do I block my card", "how do I block my card now", "block my card")
            ):
                assert (await warm(known(question), snapshot, NOW)).result == "stored"
                assert judge.state.stored == number + 1
            assert judge.state.choice.learned == 2  # the first had nothing to be compared with
            assert len(judge.state.answers.rows) == 1  # all three have one answer
            assert sum(cut.hits for cut in judge.state.cuts.values()) == 0
            assert (await warm(known(), snapshot, NOW)).result == "known"
            assert judge.state.stored == 3

    asyncio.run(run())


def test_an_answer_that_is_reported_wrong_is_given_to_nobody(tmp_path: Path, policy_files: dict[str, bytes]) -> None:
    async def run() -> None:
        async with served(tmp_path, policy_files) as snapshot:
            warmed = await warm(known(), snapshot, NOW)
            cache = snapshot.handlers.cache
            assert cache is not None
            assert warmed.entry is not None
            withdrawn = await report_wrong(cache, None, warmed.entry)
            assert withdrawn is not None
            assert (withdrawn.created, withdrawn.verdicts) == (NOW, 0)
            assert await report_wrong(cache, None, warmed.entry) is None
            assert (await asked(snapshot, known(), CacheWish(only_if_cached=True))).kind == "refused"

    asyncio.run(run())
