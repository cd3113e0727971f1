from __future__ import annotations

import numpy as np
import pytest

from costpol.pipeline.likeness.choice import Choice, Verdict, fit


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
    assert fit(verdicts(4000)).answers == pytest.approx([2.0, -1.0], abs=0.15)


def test_probabilities_of_all_outcomes_are_shares() -> None:
    weights = fit(verdicts(500))
    logits = weights.logits(np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]], np.float32), np.zeros(1, np.float32))
    shares = 1 / (1 + np.exp(-logits))
    assert 0 < shares.sum() < 1
    assert logits.argmax() == 0


def test_verdicts_that_are_all_alike_can_be_fitted() -> None:
    alike = [Verdict(np.ones((2, 2), np.float32), np.ones(1, np.float32), 0, 1.0)] * 100
    assert np.isfinite(fit(alike).logits(alike[0].answers, alike[0].circumstances)).all()


def test_it_is_fitted_now_and_then() -> None:
    choice = Choice()
    fits = 0
    for verdict in verdicts(1000):
        choice.learn(verdict)
        if choice.due:
            choice.fit()
            fits += 1
    assert choice.weights is not None
    assert 5 < fits < 15
