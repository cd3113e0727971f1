from __future__ import annotations

from copy import deepcopy
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costpol.pipeline.likeness.calibration import LOWEST, Calibration, Scored
from costpol.pipeline.likeness.cut import CONFIDENCE, GRID, NEVER, Cut, deviations


@lru_cache
def calibrated(seed: int, count: int = 600, harder: float = 0.0) -> Calibration:
    """Verdicts whose logits are honest, or too sure by `harder`."""
    rng = np.random.default_rng(seed)
    calibration = Calibration()
    for logit in rng.normal(1.5, 2.0, count):
        calibration.learn(Scored(float(logit), bool(rng.random() < 1 / (1 + np.exp(harder - logit))), "faq"))
    return calibration


@settings(max_examples=60, deadline=None)
@given(
    limit=st.floats(0.002, 0.3),
    served=st.lists(st.floats(-4, 9), max_size=200),
    late=st.lists(st.floats(-8, 9), min_size=1, max_size=300),
    seed=st.integers(0, 9),
)
def test_a_cut_never_plans_beyond_the_limit(limit: float, served: list[float], late: list[float], seed: int) -> None:
    calibration, cut = calibrated(seed), Cut(limit)
    for logit in served:
        cut.count(logit)
    cut.late.extend(late)
    cut.set(calibration, "faq")
    if cut.value == NEVER:
        return
    ahead = 1500 / len(late)
    passing = np.array([logit for logit in late if logit >= cut.value])
    expected, slopes = calibration.wrong(passing, "faq")
    past, past_slopes = calibration.wrong(GRID, "faq")
    mean = cut.served @ past + ahead * expected.sum()
    slope = cut.served @ past_slopes + ahead * slopes.sum(axis=0)
    bound = mean + cut.deviations * (mean + slope @ calibration.doubt("faq") @ slope) ** 0.5
    assert bound <= limit * (len(served) + ahead * len(passing)) * (1 + 1e-9)


@settings(max_examples=30, deadline=None)
@given(late=st.lists(st.floats(-8, 9), min_size=20, max_size=300), seed=st.integers(0, 9))
def test_a_stricter_limit_never_cuts_lower(late: list[float], seed: int) -> None:
    calibration = calibrated(seed)
    values = []
    for limit in (0.01, 0.05, 0.2):
        cut = Cut(limit)
        cut.late.extend(late)
        cut.set(calibration, "faq")
        values.append(cut.value)
    assert values == sorted(values, reverse=True)


def test_an_unused_limit_is_no_reason_to_give_what_is_likely_to_be_wrong() -> None:
    calibration, cut = calibrated(1), Cut(0.3)
    for _ in range(2000):
        cut.count(9.0)
    cut.late.extend(np.linspace(-2, 8, 400).tolist())
    cut.set(calibration, "faq")
    assert 0.2 < calibration.chance(cut.value, "faq") <= 1 / 3


def test_more_confidence_never_cuts_lower() -> None:
    values = []
    for confidence in (0.5, 0.9, 0.99):
        cut = Cut(0.05, confidence, deviations(confidence))
        cut.late.extend(np.linspace(-2, 8, 400).tolist())
        cut.set(calibrated(1), "faq")
        values.append(cut.value)
    assert values == sorted(values)
    assert values[0] < values[2]


def test_the_usual_confidence_is_the_one_that_is_written() -> None:
    assert Cut(0.05).deviations == deviations(CONFIDENCE)


def test_wrong_hits_of_the_past_are_paid_back() -> None:
    calibration = calibrated(1)
    values = []
    for logit in (6.0, 1.0):  # sure ones, and ones of which a quarter was wrong
        cut = Cut(0.05)
        for _ in range(80):
            cut.count(logit)
        cut.late.extend(np.linspace(-2, 8, 400).tolist())
        cut.set(calibration, "faq")
        values.append(cut.value)
    assert values[0] < values[1]


def test_nothing_is_served_before_there_are_verdicts() -> None:
    calibration, cut = Calibration(), Cut(0.05)
    for _ in range(99):
        calibration.learn(Scored(5.0, True, "faq"))
        cut.note(5.0, calibration, "faq")
    assert cut.value == NEVER


def test_scores_that_are_too_sure_are_seen_through() -> None:
    honest, sure = calibrated(2), calibrated(2, harder=2.0)
    logits = np.array([2.0, 3.0])
    assert (sure.wrong(logits, "faq")[0] > 2 * honest.wrong(logits, "faq")[0]).all()


def test_how_often_the_surest_are_wrong_is_learned() -> None:
    shares = []
    for wrong in (0, 20, 60):
        calibration = deepcopy(calibrated(8))
        for number in range(1000):
            calibration.learn(Scored(8.0, number % 1000 >= wrong, "faq", sampled=True))
        calibration.fit()
        shares.append(calibration.chance(9.0, "faq"))
    assert shares[0] < 0.003
    assert shares[1:] == pytest.approx([0.02, 0.06], rel=0.25)


def test_the_surest_are_trusted_less_where_questions_are_often_new() -> None:
    known, new = deepcopy(calibrated(8)), deepcopy(calibrated(8))
    for _ in range(1000):
        known.notice(novel=False)
    known.fit()
    new.fit()
    assert new.chance(9.0, "faq") > 2 * known.chance(9.0, "faq")
    assert new.floor_deviation > known.floor_deviation


def test_new_weights_score_what_is_remembered_anew_and_newer_verdicts_stay() -> None:
    calibration = Calibration()
    for _ in range(60):
        calibration.learn(Scored(3.0, False, "faq", sampled=True))
    calibration.learn(Scored(1.0, True, "other"))
    calibration.rescore(np.linspace(-99, 0, 80), np.ones(80, bool), newer=1)
    *older, newest = calibration.verdicts
    assert newest == Scored(1.0, True, "other")
    assert {(verdict.right, verdict.intent, verdict.sampled) for verdict in older} == {(True, "faq", True)}
    assert older[-1].logit == 0
    assert older[0].logit == LOWEST
    assert calibration.chance(0.0, "faq") < 0.5


def test_new_weights_know_nothing_of_verdicts_that_came_all_later() -> None:
    calibration = calibrated(5)
    before = list(calibration.verdicts)
    calibration.rescore(np.zeros(10), np.zeros(10, bool), newer=5000)
    assert list(calibration.verdicts) == before


def test_traffic_that_was_wrong_oftener_of_late_is_expected_to_be() -> None:
    steady, changed = calibrated(6), Calibration()
    changed.verdicts.extend(steady.verdicts)
    for _ in range(50):
        changed.learn(Scored(5.0, False, "faq", sampled=True))
    assert changed.ratio > 2 * steady.ratio


def test_contradicted_scores_do_not_upset_the_fit() -> None:
    calibration = Calibration()
    for _ in range(400):
        calibration.learn(Scored(9.0, False, "faq"))
        calibration.learn(Scored(-8.0, False, "faq"))
    assert calibration.chance(9.0, "faq") > 0.8
    assert calibration.chance(-8.0, "faq") > 0.8


def test_an_intent_moves_as_far_as_its_verdicts_carry_it() -> None:
    rng = np.random.default_rng(3)
    calibration = Calibration()
    for logit in rng.normal(1.5, 2.0, 1500):
        calibration.learn(Scored(float(logit), bool(rng.random() < 1 / (1 + np.exp(-logit))), "easy"))
    for count, intent in ((5, "new"), (300, "hard")):
        for logit in rng.normal(1.5, 2.0, count):
            calibration.learn(Scored(float(logit), bool(rng.random() < 1 / (1 + np.exp(2.5 - logit))), intent))
    calibration.fit()
    easy, new, hard = (calibration.chance(3.0, intent) for intent in ("easy", "new", "hard"))
    assert easy < new < hard
    assert abs(new - easy) < abs(hard - easy) / 2


def test_one_logit_and_many_are_calibrated_alike() -> None:
    calibration = calibrated(4)
    one = np.array([calibration.chance(float(logit), "faq") for logit in GRID])
    many = calibration.wrong(GRID, "faq")[0]
    assert (many >= one - 1e-9).all()  # doubt adds to what is expected of many
    assert np.allclose(one, many, rtol=0.3)
