from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costpol.pipeline.likeness.cut import WINDOW
from costpol.pipeline.likeness.evidence import Candidate, weigh
from costpol.pipeline.likeness.judgement import judge, verify
from costpol.pipeline.likeness.state import Likeness, pack, unpack

from .world import DIMENSION, World


def unit(*numbers: float) -> np.ndarray:
    vector = np.zeros(DIMENSION, dtype=np.float32)
    vector[: len(numbers)] = numbers
    return vector / np.linalg.norm(vector)


def test_nothing_near_is_refused() -> None:
    state = Likeness("made-up", DIMENSION)
    evidence = weigh(state, unit(1), "where is my card", [])
    assert judge(state, evidence, intent="faq", limit=0.01, floor=0.9, chance=0.5).action == "refuse"


@pytest.mark.parametrize(
    ("candidates", "action"),
    [
        ([Candidate("a", 0.97), Candidate("a", 0.95), Candidate("b", 0.6)], "serve"),
        ([Candidate("a", 0.97), Candidate("b", 0.95)], "refuse"),
        ([Candidate("a", 0.89)], "refuse"),
    ],
)
def test_without_evidence_the_fixed_rule_holds(candidates: list[Candidate], action: str) -> None:
    state = Likeness("made-up", DIMENSION)
    evidence = weigh(state, unit(1), "where is my card", candidates)
    assert judge(state, evidence, intent="faq", limit=0.01, floor=0.9, chance=0.5).action == action


@pytest.fixture(scope="module")
def trained() -> World:
    world = World(limit=0.05, seed=3)
    world.send(1000)
    return world


def test_the_limit_is_kept_and_most_repeats_hit(trained: World) -> None:
    assert trained.wrong_share <= trained.limit
    assert len(trained.given) > 300


def test_another_confidence_moves_the_cut_and_is_kept(trained: World) -> None:
    state = unpack(pack(trained.state), "made-up", DIMENSION, "")
    vector, text, _ = trained.question()
    evidence = weigh(state, vector, text, trained.candidates(vector))
    cut = state.cut("faq", 0.05)
    cut.late.extend(np.linspace(-4, 8, WINDOW).tolist())
    values = []
    for confidence in (0.5, 0.995):
        judge(state, evidence, intent="faq", limit=0.05, floor=2.0, chance=0.9, confidence=confidence)
        values.append(cut.value)
    assert values[0] < values[1]
    again = unpack(pack(state), "made-up", DIMENSION, "").cut("faq", 0.05)
    assert (again.confidence, again.deviations, again.value) == (0.995, cut.deviations, cut.value)


def test_what_cannot_be_told_apart_is_not_served() -> None:
    world = World(limit=0.01, confused=0.3, seed=1)
    world.send(600)
    assert len(world.given) < 6


def test_the_answer_with_the_most_support_is_served_not_the_nearest_one(trained: World) -> None:
    vector, text = trained.places[0].astype(np.float32), "word0 and thing1"
    near = [Candidate("answer 7", 0.93, text)] + [Candidate("answer 0", 0.92, text) for _ in range(12)]
    judgement = trained.judge(weigh(trained.state, vector, text, near))
    assert judgement.answer == "answer 0"
    assert judgement.places == tuple(range(1, 13))


def test_a_share_of_would_be_hits_is_answered_afresh(trained: World) -> None:
    verified = sum(judgement.action == "verify" for judgement in trained.judgements)
    assert 0.005 < verified / (verified + len(trained.given)) < 0.1


def test_more_of_a_caches_first_hits_are_answered_afresh_whatever_their_intent() -> None:
    state = Likeness("made-up", DIMENSION)
    evidence = weigh(state, unit(1), "where is my card", [Candidate("a", 0.97)])
    rates = []
    for hits, intent in ((0, "faq"), (500, "faq"), (500, "new")):
        state.hits = hits
        rates.append(judge(state, evidence, intent=intent, limit=0.01, floor=0.9, chance=0.99).rate)
    assert rates[0] > 0.2
    assert rates[1] == rates[2] < 0.1


@pytest.mark.parametrize(
    ("verified", "action", "rate"), [(0.0, "serve", 1.0), (0.5, "verify", 1.0), (1.0, "verify", 1.0)]
)
def test_nothing_is_answered_afresh_with_more_than_certainty(verified: float, action: str, rate: float) -> None:
    state = Likeness("made-up", DIMENSION)
    evidence = weigh(state, unit(1), "where is my card", [Candidate("a", 0.97)])
    judgement = judge(state, evidence, intent="faq", limit=0.01, floor=0.9, chance=0.99, verified=verified)
    assert (judgement.action, judgement.rate) == (action, rate)


def test_the_same_requests_are_decided_the_same_way() -> None:
    first, second = World(seed=4), World(seed=4)
    first.send(300)
    second.send(300)
    assert first.judgements == second.judgements


def test_judging_changes_nothing(trained: World) -> None:
    vector, text, _ = trained.question()
    evidence = weigh(trained.state, vector, text, trained.candidates(vector))
    before = pack(trained.state)
    for chance in (0.0, 0.5, 0.9):
        judge(trained.state, evidence, intent="faq", limit=trained.limit, floor=2.0, chance=chance)
    assert pack(trained.state) == before


def test_hits_reported_as_wrong_tighten_the_rule() -> None:
    world = World(limit=0.05, seed=7)
    world.send(700)
    for _ in range(200):
        vector, text, _ = world.question()
        evidence = weigh(world.state, vector, text, world.candidates(vector))
        before = world.judge(evidence)
        if before.action == "serve":
            break
    for _ in range(100):
        verify(world.state, evidence, before, None)
    world.state.cut("faq", 0.05).set(world.state.calibration, "faq")
    after = world.judge(evidence)
    assert (before.action, after.action) == ("serve", "refuse")
    assert after.probability is not None
    assert after.probability < 0.9


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    limit=st.floats(0.001, 0.3),
    chance=st.floats(0, 0.999),
    similarities=st.lists(st.floats(-1, 1), min_size=1, max_size=20),
    seed=st.integers(0, 99),
)
def test_nothing_below_the_cut_is_served(
    trained: World, limit: float, chance: float, similarities: list[float], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    candidates = [Candidate(f"answer {rng.integers(12)}", s, "word1") for s in sorted(similarities, reverse=True)]
    evidence = weigh(trained.state, rng.normal(size=DIMENSION).astype(np.float32), "word1", candidates)
    judgement = judge(trained.state, evidence, intent="faq", limit=limit, floor=2.0, chance=chance)
    assert judgement.logit is not None
    assert judgement.cut is not None
    assert (judgement.action == "refuse") == (judgement.logit < judgement.cut)
    assert all(candidates[place].answer == judgement.answer for place in judgement.places)
