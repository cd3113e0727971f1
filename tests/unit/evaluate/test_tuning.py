"""A point of a tuned curve is what a dry-run of that policy reports, and the recommendation keeps the limit."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from costpol.errors import UsageError
from costpol.evaluate.tuning import SETTINGS, choose, shuffled, tune
from costpol.reporting.tuning.figures import Point, Setting, Tuning

NOW = 1_770_000_000.0
ASKED = ("how do I block my card", "how can I block my card", "how do I unblock a card", "where is the nearest branch")
NAMES = ("block", "block", "unblock", "branch")
INTENTS = "kind: intents\nintents:\n  branches: {when: {message: {words: [branch]}}}\n...\n"


def tuned(corpus_of: Any, lines: Any, files: Mapping[str, bytes], **options: Any) -> Tuning:
    return asyncio.run(tune(list(corpus_of(lines)), files, clock=lambda: NOW, **options))


@pytest.fixture(scope="module")
def lines(record: Any) -> list[dict[str, Any]]:
    asked = [*zip(ASKED, NAMES, strict=True)] * 3
    return [record(text, (1000, 100), answer_id=name, id=f"r{n}") for n, (text, name) in enumerate(asked)]


@pytest.fixture(scope="module")
def policies(policy: Any) -> Any:
    """`policies("threshold: 0.9")`: a policy whose cache has this setting."""

    def make(setting: str, **files: str) -> dict[str, bytes]:
        cache = f"kind: cache\notherwise: {{{setting}, ttl: 1h, scope: tenant, verify: 0%}}\n...\n"
        made: dict[str, bytes] = policy(
            cache=cache, personalization="kind: personalization\nexclusions: []\n...\n", **files
        )
        return made

    return make


@pytest.fixture(scope="module")
def report(corpus_of: Any, lines: Any, policies: Any) -> Tuning:
    return tuned(corpus_of, lines, policies("threshold: 0.94"), limit=Decimal("0.02"))


def test_a_point_is_what_a_dry_run_of_that_policy_reports(report: Tuning, run: Any, lines: Any, policies: Any) -> None:
    (curve,) = report.curves
    for setting in (Setting("threshold", Decimal("0.85")), Setting("threshold", Decimal("0.98"))):
        point = curve.point(setting)
        cache = run(lines, policies(setting.label)).cache
        assert (point.hits, point.judged, point.wrong) == (cache.hits, cache.judged, cache.wrong_hits)
        assert (point.saved, point.own_cost) == (cache.saved, cache.own_cost)
    assert curve.point(Setting("threshold", Decimal("0.85"))).similar > 0
    assert curve.requests == len(lines)
    assert {point.setting for point in curve.points} == set(SETTINGS)
    assert report.judged_by == {"answer_id": curve.point(curve.written).hits, "text": 0, "nothing": 0}


def test_the_wrong_hits_are_the_first_suspects(corpus_of: Any, lines: Any, policies: Any) -> None:
    files = policies("threshold: 0.85")
    lines = [{**line, "answer_id": line["request"]["messages"][0]["content"]} for line in lines]  # likeness is wrong
    (curve,) = tuned(corpus_of, lines, files, limit=Decimal("0.9")).curves
    assert curve.chosen is not None
    assert curve.point(curve.chosen).wrong > 0
    assert [suspect.right for suspect in curve.suspects][:1] == [False]
    assert {curve.suspects[0].answer, curve.suspects[0].kept_answer} == {"an answer"}
    pairs = [(suspect.question, suspect.kept_question) for suspect in curve.suspects]
    assert len(pairs) == len(set(pairs))
    assert sum(suspect.hits for suspect in curve.suspects) == curve.point(curve.chosen).similar
    (bare,) = tuned(corpus_of, lines, files, limit=Decimal("0.9"), texts=False).curves
    assert [suspect.hits for suspect in bare.suspects] == [suspect.hits for suspect in curve.suspects]
    assert {(s.question, s.kept_question, s.answer, s.kept_answer) for s in bare.suspects} == {(None,) * 4}


def test_without_names_hits_are_judged_by_their_answers(corpus_of: Any, record: Any, policies: Any) -> None:
    told = {"block": "Open the app, choose Cards.", "unblock": "Call us: only we can do that.", "branch": "Road 5."}
    asked = [*zip(ASKED, NAMES, strict=True)]
    lines = [record(text, response={"content": told[name]}) for text, name in asked]
    report = tuned(corpus_of, lines, policies("threshold: 0.85, guards: []"))
    (curve,) = report.curves
    point = curve.point(curve.written)
    assert report.judged_by == {"answer_id": 0, "text": point.judged, "nothing": 0}
    assert point.judged > 0
    silent = tuned(corpus_of, [{**line, "response": None} for line in lines], policies("threshold: 0.85, guards: []"))
    assert silent.judged_by["nothing"] > 0
    assert silent.curves[0].chosen is None


def test_every_cached_intent_has_a_curve_and_one_can_be_tuned_alone(corpus_of: Any, lines: Any, policy: Any) -> None:
    cache = (
        "kind: cache\nintents:\n  branches: {ttl: 1h, scope: tenant}\n"
        "otherwise: {threshold: 0.9, ttl: 1h, scope: tenant}\n...\n"
    )
    files = policy(cache=cache, intents=INTENTS, personalization="kind: personalization\nexclusions: []\n...\n")
    both = {curve.intent: curve for curve in tuned(corpus_of, lines, files).curves}
    assert {name: curve.requests for name, curve in both.items()} == {"branches": 3, "otherwise": 9}
    assert both["branches"].written == Setting("exact")
    (alone,) = tuned(corpus_of, lines, files, intent="branches").curves
    assert alone == both["branches"]
    (rest,) = tuned(corpus_of, lines, files, intent="otherwise").curves
    assert rest == both["otherwise"], "what has a plan of its own is not counted with the others"
    with pytest.raises(UsageError, match="does not cache the intent `nothing`"):
        tuned(corpus_of, lines, files, intent="nothing")
    with pytest.raises(UsageError, match="caches nothing"):
        tuned(corpus_of, lines, policy())


def test_orders_keep_the_instants_and_the_first_is_the_logs_own(corpus_of: Any, lines: Any) -> None:
    records = list(corpus_of(lines))
    assert shuffled(records, 0) == records
    other = shuffled(records, 1)
    assert shuffled(records, 1) == other
    assert [record.id for record in other] != [record.id for record in records]
    assert sorted(record.id for record in other) == sorted(record.id for record in records)
    assert [record.arrival.now for record in other] == [record.arrival.now for record in records]


def test_several_orders_are_one_log(corpus_of: Any, lines: Any, policies: Any) -> None:
    (curve,) = tuned(corpus_of, lines, policies("threshold: 0.94"), orders=2).curves
    point = curve.point(curve.written)
    assert (curve.requests, point.requests, point.orders) == (len(lines), 2 * len(lines), 2)
    assert point.worst is not None


def point(setting: Setting, judged: int, wrong: int, saved: int) -> Point:
    return Point(setting, 1, 1000, judged, judged, judged, wrong, saved, 0)


def test_chosen_is_what_saves_most_within_the_limit() -> None:
    lax, strict = Setting("threshold", Decimal("0.85")), Setting("threshold", Decimal("0.98"))
    learning, exact = Setting("max_wrong_hits", Decimal("0.01")), Setting("exact")
    limit = Decimal("0.01")
    proven = point(strict, 500, 0, 50)
    assert choose([point(lax, 800, 80, 80), proven, point(exact, 0, 0, 0)], limit) == strict
    assert choose([point(strict, 20, 0, 50), point(exact, 0, 0, 0)], limit) == exact  # 20 hits show nothing
    assert choose([proven, point(learning, 20, 0, 60)], limit) == learning  # it keeps the limit by itself
    assert choose([proven, point(learning, 500, 50, 60)], limit) == strict  # the log shows that it does not
    assert choose([point(exact, 0, 0, 0)], limit) is None


def test_of_equals_is_chosen_what_promises_the_limit_that_was_asked_for() -> None:
    def point(setting: Setting, similar: int, saved: int = 0) -> Point:
        return Point(setting, 1, 1000, similar, similar, similar, 0, saved, 0, 0.0)

    stricter, asked, laxer = (Setting("max_wrong_hits", Decimal(each)) for each in ("0.005", "0.01", "0.02"))
    exact, judged = Setting("exact"), point(Setting("threshold", Decimal("0.85")), 9, 70)
    found = [judged, point(exact, 0), point(stricter, 3, 5), point(asked, 3, 5), point(laxer, 3, 5)]
    assert choose(found, Decimal("0.01")) == asked
    nothing = [judged, point(exact, 0), point(stricter, 0), point(asked, 0)]
    assert choose(nothing, Decimal(0)) == exact, "no setting that learns promises that nothing is wrong"
