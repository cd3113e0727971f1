from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from costpol.commands import Answered, Call
from costpol.evaluate.corpus import Corpus
from costpol.evaluate.rehearsal import rehearse
from costpol.evaluate.replay import Replay, Replayed, cold, limited, same_family, with_input
from costpol.inference.usage import Usage
from costpol.pipeline.decision import Outcome
from costpol.providers.openai import decode_response
from costpol.runtime.live import drive

NOW = 1_770_000_000.0
DAY = "2026-03-02T10:00:00Z"

Files = Mapping[str, bytes]
MakeCorpus = Callable[[list[dict[str, Any]]], Corpus]


def replay(corpus: Corpus, files: Files) -> list[Replayed]:
    async def run() -> list[Replayed]:
        async with rehearse(files, lambda: NOW) as rehearsal:
            player = Replay(rehearsal)
            return [await player.run(record) for record in corpus]

    return asyncio.run(run())


def test_the_routed_model_is_billed_for_the_recorded_tokens(corpus_of: MakeCorpus, policy: Any, record: Any) -> None:
    (small, large) = replay(corpus_of([record("hello"), record("please analyze this")]), policy())
    assert small.outcome.decision.model == "small"
    assert small.outcome.cost == 1000 * 1_000_000 + 100 * 4_000_000
    assert large.outcome.decision.model == "large"
    assert large.outcome.cost == 1000 * 10_000_000 + 100 * 40_000_000


def test_an_answer_longer_than_allowed_ends_at_the_limit_and_is_not_kept(
    corpus_of: MakeCorpus, cached: Files, record: Any
) -> None:
    long = record("hello", (1000, 5000))
    first, second = replay(corpus_of([long, long]), cached)
    assert first.outcome.usage is not None
    assert first.outcome.usage.output_tokens == 1000
    assert first.outcome.response is not None
    assert first.outcome.response.finish_reason == "length"
    assert not first.outcome.decision.stored
    assert second.outcome.decision.cache == "miss"


def test_several_answers_have_the_limit_each(corpus_of: MakeCorpus, policy: Any, record: Any) -> None:
    (replayed,) = replay(corpus_of([record("hello", (1000, 2500), request={"n": 3})]), policy())
    assert replayed.outcome.usage is not None
    assert replayed.outcome.usage.output_tokens == 2500


def test_repeats_hit_until_their_life_ends_by_the_clock_of_the_log(
    corpus_of: MakeCorpus, cached: Files, record: Any
) -> None:
    times = ["2026-03-02T10:00:00Z", "2026-03-02T10:59:59Z", "2026-03-02T11:00:01Z"]
    outcomes = [each.outcome for each in replay(corpus_of([record("hello", time=t) for t in times]), cached)]
    assert [outcome.decision.cache for outcome in outcomes] == ["miss", "hit; exact", "miss"]
    assert [outcome.cost for outcome in outcomes][1] == 0


def test_tenants_do_not_share(corpus_of: MakeCorpus, cached: Files, record: Any) -> None:
    lines = [record("hello", tenant=tenant) for tenant in ("acme", "initech", "acme")]
    outcomes = [each.outcome for each in replay(corpus_of(lines), cached)]
    assert [outcome.kind for outcome in outcomes] == ["answered", "answered", "hit"]


def test_a_record_without_an_answer_fills_the_cache_too(corpus_of: MakeCorpus, cached: Files, record: Any) -> None:
    lines = [record("hello", None), record("hello", None)]
    assert [each.outcome.kind for each in replay(corpus_of(lines), cached)] == ["answered", "hit"]


TEMPLATE = """kind: prompts
templates: {short: {version: 1, system: "Be brief."}}
otherwise: {template: short, max_output_tokens: 1k}
...
"""


def test_a_template_changes_the_input_by_the_difference_of_the_texts(
    corpus_of: MakeCorpus, policy: Any, record: Any
) -> None:
    long = {"messages": [{"role": "system", "content": "word " * 400}, {"role": "user", "content": "hello"}]}
    (replayed,) = replay(corpus_of([record(request=long)]), policy(prompts=TEMPLATE))
    delta = replayed.planned.input_delta
    assert -500 < delta < -400
    assert replayed.outcome.usage is not None
    assert replayed.outcome.usage.input_tokens == 1000 + delta
    assert replayed.outcome.usage.estimated


def test_a_hit_is_planned_as_its_call_was(corpus_of: MakeCorpus, cached: Files, record: Any) -> None:
    long = {"messages": [{"role": "system", "content": "word " * 400}, {"role": "user", "content": "hello"}]}
    files = {**cached, "p/prompts.yaml": TEMPLATE.encode()}
    first, second = replay(corpus_of([record(request=long), record(request=long)]), files)
    assert second.outcome.kind == "hit"
    assert second.planned == first.planned
    assert second.planned.input_delta < 0


BUDGETS = """kind: budgets
budgets: {daily: {limit: 0.20 USD, per: day, time_zone: UTC}}
ladder: [{at: 50%, route: small, max_output_tokens: 50}]
...
"""


def test_what_a_budget_does_is_no_part_of_the_plan(corpus_of: MakeCorpus, policy: Any, record: Any) -> None:
    lines = [record(f"analyze {n}", (1000, 2000), time=DAY) for n in range(4)]
    replays = replay(corpus_of(lines), policy(budgets=BUDGETS))
    stepped = [each for each in replays if each.outcome.decision.rungs]
    assert stepped
    assert {each.outcome.decision.model for each in stepped} == {"small"}
    assert {each.planned.output_limit for each in replays} == {1000}
    assert all(each.outcome.usage and each.outcome.usage.output_tokens == 50 for each in stepped)


def test_a_replay_decides_as_live_traffic_is_decided(corpus_of: MakeCorpus, cached: Files, record: Any) -> None:
    """The same requests through the driver of the sidecar, answered by a model that answers as recorded."""
    budgets = BUDGETS.replace("0.20", "0.03").replace(", max_output_tokens: 50", "")
    files = {**cached, "p/budgets.yaml": budgets.encode()}
    questions = ["how do I pay", "how can I pay", "analyze my bill", "is it open on monday", "is it open on sunday"]
    lines = [
        record(questions[n % 5], (800, 90), time=NOW + 300 * n, tenant=f"t{n % 2}", user=f"u{n % 3}") for n in range(60)
    ]
    records = list(corpus_of(lines))

    async def live() -> list[Outcome]:
        async with rehearse(files, lambda: NOW) as rehearsal:
            snapshot, outcomes = rehearsal.snapshot, []
            for each in records:

                async def call(command: Call, answer: Any = each.answer) -> Answered:
                    return Answered(answer)

                flow = snapshot.pipeline.flow(each.arrival)
                outcomes.append(await drive(flow, snapshot.handlers, call, rehearsal.stores.unsettled))
            return outcomes

    replayed = [each.outcome for each in replay(corpus_of(lines), files)]
    lived = asyncio.run(live())
    assert [each.decision for each in replayed] == [each.decision for each in lived]
    assert [each.cost for each in replayed] == [each.cost for each in lived]
    assert {each.kind for each in lived} >= {"answered", "hit"}
    assert any(each.decision.rungs for each in lived)


@pytest.mark.parametrize(
    ("one", "other", "related"),
    [
        ("gpt-4.1", "gpt-4.1", True),
        ("gpt-4.1", "gpt-4.1-mini", True),
        ("gpt-4.1-2025-04-14", "gpt-4.1-mini", True),
        ("azure/gpt-4o", "gpt-4o", True),
        ("gpt-4.1-mini", "gpt-4.1-nano", False),
        ("gpt-4o", "gpt-4.1", False),
        ("gpt-4", "gpt-4.1", False),
    ],
)
def test_families_share_the_beginning_of_their_names(one: str, other: str, related: bool) -> None:
    assert same_family(one, other) is same_family(other, one) is related


def test_another_family_starts_with_a_cold_prompt_cache() -> None:
    usage = Usage(1000, 10, cache_read_tokens=800, cache_write_tokens=100)
    assert cold(usage) == Usage(1000, 10)
    assert cold(Usage(1000, 10)) == Usage(1000, 10)


def test_fewer_input_tokens_hold_fewer_cached_ones() -> None:
    usage = Usage(1000, 10, cache_read_tokens=800, cache_write_tokens=100)
    less = with_input(usage, -950)
    assert (less.input_tokens, less.cache_read_tokens, less.cache_write_tokens) == (50, 50, 0)
    assert with_input(usage, -5000).input_tokens == 1
    assert with_input(usage, 0) is usage


def test_a_limit_only_shortens() -> None:
    usage = Usage(1000, 10)
    assert limited(usage, 5).output_tokens == 5
    assert limited(usage, 10) is limited(usage, 20) is limited(usage, None) is usage


def test_the_body_of_a_record_is_what_a_cache_keeps(corpus_of: MakeCorpus, cached: Files, record: Any) -> None:
    line = record()
    _, hit = replay(corpus_of([line, line]), cached)
    assert decode_response(hit.outcome.body or b"").content == line["response"]["content"]  # made from what is told
    whole = record(response={"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}], "id": "c1"})
    _, hit = replay(corpus_of([whole, whole]), cached)
    assert json.loads(hit.outcome.body or b"") == whole["response"]
