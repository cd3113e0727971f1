from __future__ import annotations

import numpy as np
import pytest

from costpol.pipeline.likeness.choice import TYPICAL, Choice, Verdict, Weights, fit
from costpol.pipeline.likeness.evidence import CIRCUMSTANCES, SIGNALS


def verdicts(count: int, seed: int = 0, truth: tuple[float, float] = (2.0, -1.0)) -> list[Verdict]:
    """Verdicts drawn from a known model with two signals and one circumstance."""
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(count):
        signals = rng.normal(size=(int(rng.integers(1, 6)), 2))
        utility = np.append(signals @ truth + 0.5, 0.0)
        share = np.exp(utility) / np.exp(utility).sum()
        right = int(rng.choice(len(share), p=share))
        drawn.append(
            Verdict(signals.astype(np.float32), np.zeros(1, np.float32), right if right < len(signals) else None, 1.0)
        )
    return drawn


def test_the_model_that_drew_the_verdicts_is_found() -> None:
    assert fit(verdicts(4000)).weights.answers == pytest.approx([2.0, -1.0], abs=0.15)


def test_probabilities_of_all_outcomes_are_shares() -> None:
    weights = fit(verdicts(500)).weights
    rows = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]], np.float32)
    best, logit = weights.best(rows, np.zeros(1, np.float32))
    utilities = [float((row - weights.answers_middle) @ weights.answers) + weights.bias for row in rows]
    grown = np.exp([*utilities, 0.0])
    assert best == int(np.argmax(utilities)) == 0
    assert 1 / (1 + np.exp(-logit)) == pytest.approx(grown[0] / grown.sum())


@pytest.mark.parametrize("utility", [-900.0, 900.0])
def test_a_logit_far_out_is_finite(utility: float) -> None:
    weights = Weights(np.array([1.0]), np.zeros(1), np.array([0.0]), np.zeros(1), 0.0)
    _, logit = weights.best(np.array([[utility], [utility]], np.float32), np.zeros(1, np.float32))
    assert logit == pytest.approx(min(utility, 0.0))


def test_verdicts_that_are_all_alike_can_be_fitted() -> None:
    alike = [Verdict(np.ones((2, 2), np.float32), np.ones(1, np.float32), 0, 1.0)] * 100
    assert np.isfinite(fit(alike).weights.best(alike[0].answers, alike[0].circumstances)[1])


def test_few_verdicts_hardly_move_the_typical_weights_and_many_do() -> None:
    typical = Weights(np.array([5.0, 3.0]), np.zeros(2), np.array([0.0]), np.zeros(1), 0.0)
    few, many = fit(verdicts(5), typical).weights, fit(verdicts(4000), typical).weights
    assert few.answers == pytest.approx([5.0, 3.0], abs=1.5)
    assert many.answers == pytest.approx([2.0, -1.0], abs=0.15)


def test_a_verdict_is_scored_as_if_it_had_not_been_seen() -> None:
    drawn = verdicts(120, seed=3)
    fitted = fit(drawn)
    seen, unseen = [], []
    for place, verdict in enumerate(drawn):
        without = fit(drawn[:place] + drawn[place + 1 :]).weights
        best, logit = without.best(verdict.answers, verdict.circumstances)
        unseen.append(fitted.logits[place] - logit)
        seen.append(fitted.weights.best(verdict.answers, verdict.circumstances)[1] - logit)
        assert fitted.right[place] == (verdict.right == best)
    assert np.abs(unseen).mean() < np.abs(seen).mean() / 5


def test_it_is_fitted_now_and_then() -> None:
    choice = Choice()
    rng = np.random.default_rng(1)
    fits = 0
    for _ in range(1000):
        signals = rng.normal(size=(3, len(SIGNALS))).astype(np.float32)
        circumstances = rng.normal(size=len(CIRCUMSTANCES)).astype(np.float32)
        choice.learn(Verdict(signals, circumstances, int(signals[:, 0].argmax()), 1.0))
        if choice.due:
            choice.fit()
            fits += 1
    assert 5 < fits < 15
    assert choice.weights.answers.argmax() == 0


def test_there_is_a_typical_weight_for_every_signal() -> None:
    assert len(TYPICAL.answers) == len(TYPICAL.answers_middle) == len(SIGNALS)
    assert len(TYPICAL.circumstances) == len(TYPICAL.circumstances_middle) == len(CIRCUMSTANCES)
