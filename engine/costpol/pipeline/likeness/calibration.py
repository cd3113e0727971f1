"""What a score is worth: the share of wrong answers among those of one score, with its uncertainty.

The model's own logit is corrected by a line with bends, fitted on verdicts as a model scores them that has not seen
them; without verdicts it stays as it is. Each intent has an offset of its own that starts at none and moves as far as
its own verdicts carry it. The uncertainty is that of the fit (Laplace's approximation).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import islice
from math import exp, sqrt
from typing import Any, NamedTuple

import numpy as np

MEMORY = 3000
"""Verdicts that are remembered."""

_BENDS = (0.0, 2.0, 4.0)
_UNIT = 4.0
"""Logits per unit of slope, so that all coefficients are of one size."""

_PRECISION = np.array([4.0, 4.0, 8.0, 8.0, 8.0])
"""How firmly the correction stays at none, of the offset, the slope and the bends: on ten streams of six kinds the
scores of unseen verdicts were off by about that much."""

_OFFSET_PRECISION = 4.0
"""How firmly an intent stays with the bundle: a standard deviation of half a logit."""

_TRUST = 25.0
"""Wrong would-be hits that are assumed to have been seen, and foreseen: the doubt that is left without any is 20 %."""

_SURPRISE, _NOVEL_SURPRISE = 0.0015, 0.02
"""Wrong answers among the surest that are expected before any was seen: always, for one question may have two right
answers, and the more the oftener questions are new, for some of those look just like an old one."""
_SURPRISES = 1.2
"""So many of them are assumed to have been seen: the doubt that is left without any is 90 %."""
_HIGHEST_FLOOR = 0.2
_NOVELTY_MEMORY = 300.0
"""Questions by which it is told how often they are new."""

_LATE, _LAST = 200, 50
"""Verdicts of late, all of them and those sampled, which show whether the traffic has changed."""
_DOUBT = 10.0

_EVERY = 50
_STEPS = 12
_ROUNDS = 4
LOWEST, HIGHEST = -8.0, 9.0
"""Beyond these a logit says no more."""

Reals = np.ndarray[tuple[int], np.dtype[np.float64]]
Bools = np.ndarray[tuple[int], np.dtype[np.bool_]]
Square = np.ndarray[Any, np.dtype[np.float64]]


class Scored(NamedTuple):
    """A verdict on an answer of this logit. `sampled`: it would have been given, and was answered afresh to learn."""

    logit: float
    right: bool
    intent: str
    sampled: bool = False


@dataclass(slots=True)
class Calibration:
    """The correction."""

    verdicts: deque[Scored] = field(default_factory=lambda: deque(maxlen=MEMORY))
    learned: int = 0
    novelty: float = 1.0
    """The share of questions of late whose answer no near question had."""
    theta: Reals = field(default_factory=lambda: np.zeros(len(_PRECISION)))
    covariance: Square = field(default_factory=lambda: np.diag(1.0 / _PRECISION))
    floor: float = _SURPRISE + _NOVEL_SURPRISE
    """The share of wrong answers that no score foresees, however sure it is."""
    floor_deviation: float = (_SURPRISE + _NOVEL_SURPRISE) * _SURPRISES**-0.5
    ratio: float = 1.0
    """How much oftener, or more rarely, than foreseen would-be hits are wrong, by those that were answered afresh."""
    ratio_deviation: float = _TRUST**-0.5
    offsets: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Per intent its offset and the offset's variance."""

    def learn(self, verdict: Scored) -> None:
        """One more verdict; the correction is refitted every fifty."""
        self.verdicts.append(verdict._replace(logit=min(max(verdict.logit, LOWEST), HIGHEST)))
        self.learned += 1
        if self.learned % _EVERY == 0:
            self.fit()

    def rescore(self, logits: Reals, right: Bools, newer: int) -> None:
        """What new weights say of the remembered verdicts, the last of them first known before the `newer` latest:
        a score is worth what answers of that score are worth now, not what they were when less was known."""
        kept = list(self.verdicts)
        count = min(max(len(kept) - newer, 0), len(logits))
        if not count:
            return
        first = len(kept) - newer - count
        bounded = np.clip(logits[-count:], LOWEST, HIGHEST).tolist()
        for place, logit, good in zip(range(first, first + count), bounded, right[-count:].tolist(), strict=True):
            kept[place] = kept[place]._replace(logit=logit, right=good)
        self.verdicts = deque(kept, maxlen=MEMORY)
        self.fit()

    def notice(self, *, novel: bool) -> None:
        """One more question; it is `novel` where no near question had its answer."""
        self.novelty += (novel - self.novelty) / _NOVELTY_MEMORY

    def fit(self) -> None:
        """Fit the correction anew, then the intents' offsets from it: a few milliseconds."""
        logits = np.array([verdict.logit for verdict in self.verdicts])
        right = np.array([verdict.right for verdict in self.verdicts], dtype=np.float64)
        design = _design(logits)
        expected = _SURPRISE + _NOVEL_SURPRISE * self.novelty
        theta, floor = np.zeros(len(_PRECISION)), expected
        for _ in range(_ROUNDS):
            share = _sigmoid(logits + design @ theta)
            surprise = (1 - right) * floor / (floor + (1 - floor) * (1 - share))
            theta, curve = _correct(design, logits, right, 1 - surprise, theta)
            floor = _floor_of(_sigmoid(logits + design @ theta), right, expected)
        share = _sigmoid(logits + design @ theta)
        wrong = floor + (1 - floor) * (1 - share)
        seen = float((share**2 / (wrong * (1 - wrong) + 1e-9)).sum())
        self.theta, self.floor = theta, floor
        self.floor_deviation = (seen + _SURPRISES / floor**2) ** -0.5
        self.covariance = np.asarray(np.linalg.inv(curve), dtype=np.float64)
        self.offsets = {}
        intents = np.array([verdict.intent for verdict in self.verdicts])
        names = sorted(set(intents.tolist()))
        for name in names if len(names) > 1 else ():
            own = intents == name
            self.offsets[name] = _offset_of(logits[own] + design[own] @ self.theta, right[own])
        self._compare()

    def _compare(self) -> None:
        """How much oftener than foreseen answers were wrong: those that were sampled, and those of late."""
        self.ratio = 1.0
        sampled = [verdict for verdict in self.verdicts if verdict.sampled]
        late = [verdict for verdict in islice(reversed(self.verdicts), _LATE) if verdict.logit > 0]
        wrong, foreseen = self._wrong(sampled)
        drift = max(_excess(*self._wrong(late)), _excess(*self._wrong(sampled[-_LAST:])))
        self.ratio = max(drift, (_TRUST + wrong) / (_TRUST + foreseen))
        self.ratio_deviation = (_TRUST + wrong) ** 0.5 / (_TRUST + foreseen)

    def _wrong(self, verdicts: list[Scored]) -> tuple[int, float]:
        """How many were wrong, and how many were foreseen to be."""
        foreseen = sum(self.chance(verdict.logit, verdict.intent) for verdict in verdicts)
        return sum(not verdict.right for verdict in verdicts), foreseen

    def chance(self, logit: float, intent: str) -> float:
        """The expected share of wrong answers at one logit."""
        bounded = min(max(logit, LOWEST), HIGHEST)
        theta = self.theta.tolist()
        corrected = bounded + theta[0] + theta[1] * bounded / _UNIT + self.offsets.get(intent, (0.0, 0.0))[0]
        for slope, bend in zip(theta[2:], _BENDS, strict=True):
            corrected += slope * max(bounded - bend, 0.0) / _UNIT
        return min(self.ratio * (self.floor + (1 - self.floor) / (1.0 + exp(min(max(corrected, -30.0), 30.0)))), 1.0)

    def wrong(self, logits: Reals, intent: str) -> tuple[Reals, Square]:
        """The share of wrong answers to expect at each logit, and its slopes: how it moves with each figure that
        `doubt` is about. What is doubted costs more where it is worse than it gains where it is better."""
        design = _design(logits)
        shift, variance = self._offset(intent)
        corrected = np.clip(logits, LOWEST, HIGHEST) + design @ self.theta + shift
        foreseen = _sigmoid(-corrected)
        spread = np.einsum("ij,jk,ik->i", design, self.covariance, design) + variance
        steep = self.ratio * (1 - self.floor) * foreseen * (1 - foreseen)
        share = self.ratio * (self.floor + (1 - self.floor) * foreseen)
        slopes = np.column_stack([steep[:, None] * design, steep, self.ratio * (1 - foreseen), share])
        return np.minimum(share + steep * (0.5 - foreseen).clip(0) * spread, 1.0), slopes

    def doubt(self, intent: str) -> Square:
        """The covariance of what `wrong` rests on: the correction, the intent's offset, the floor, the ratio."""
        size = len(_PRECISION)
        doubt = np.zeros((size + 3, size + 3))
        doubt[:size, :size] = self.covariance
        doubt[size, size] = self._offset(intent)[1]
        doubt[size + 1, size + 1] = self.floor_deviation**2
        doubt[size + 2, size + 2] = (self.ratio_deviation / self.ratio) ** 2
        return doubt

    def _offset(self, intent: str) -> tuple[float, float]:
        return self.offsets.get(intent, (0.0, 1 / _OFFSET_PRECISION if self.offsets else 0.0))


def _excess(wrong: int, foreseen: float) -> float:
    """How much oftener than foreseen answers were wrong of late, beyond what luck does to so few."""
    return (_DOUBT + wrong - sqrt(foreseen)) / (_DOUBT + foreseen)


def _correct(design: Square, logits: Reals, right: Reals, weight: Reals, theta: Reals) -> tuple[Reals, Square]:
    """The likeliest correction and the curvature there, by Newton's method from a first guess."""
    loss, curve, step = _newton(design, logits, right, weight, theta)
    for _ in range(_STEPS):
        length = 1.0
        while (tried := _newton(design, logits, right, weight, theta - length * step))[0] > loss and length > 1e-3:
            length /= 2  # a full step may overshoot where verdicts contradict a sure score
        if tried[0] > loss - 1e-4:
            break
        theta = theta - length * step
        loss, curve, step = tried
    return theta, curve


def _floor_of(share: Reals, right: Reals, expected: float) -> float:
    """The likeliest share of surprises. By bisection of its logarithm, for the slope of the likelihood only falls."""
    missed, kept = share[right < 1], float(right.sum())
    low, high = expected * 1e-2, _HIGHEST_FLOOR
    for _ in range(16):
        floor = sqrt(low * high)
        slope = float((missed / (floor + (1 - floor) * (1 - missed))).sum()) - kept / (1 - floor)
        if slope + _SURPRISES * (1 / floor - 1 / expected) > 0:
            low = floor
        else:
            high = floor
    return sqrt(low * high)


def _newton(
    design: Square, logits: Reals, right: Reals, weight: Reals, theta: Reals
) -> tuple[float, Square, Reals]:  # fmt: skip
    """The loss of a correction, its curvature, and the step that would mend it."""
    corrected = logits + design @ theta
    share = _sigmoid(corrected)
    loss = float(weight @ (np.logaddexp(0.0, corrected) - right * corrected)) + 0.5 * float(
        _PRECISION @ (theta * theta)
    )
    slope = design.T @ (weight * (share - right)) + _PRECISION * theta
    curve = (design * (weight * share * (1 - share))[:, None]).T @ design + np.diag(_PRECISION)
    return loss, curve, np.asarray(np.linalg.solve(curve, slope), dtype=np.float64)


def _offset_of(corrected: Reals, right: Reals) -> tuple[float, float]:
    shift, curve = 0.0, _OFFSET_PRECISION
    for _ in range(_STEPS):
        share = _sigmoid(corrected + shift)
        curve = float((share * (1 - share)).sum()) + _OFFSET_PRECISION
        step = (float((share - right).sum()) + _OFFSET_PRECISION * shift) / curve
        shift -= min(max(step, -1.0), 1.0)
    return shift, 1 / curve


def _design(logits: Reals) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    bounded = np.clip(logits, LOWEST, HIGHEST)
    bends = [np.maximum(bounded - bend, 0) / _UNIT for bend in _BENDS]
    return np.stack([np.ones_like(bounded), bounded / _UNIT, *bends], axis=-1)


def _sigmoid(values: Reals) -> Reals:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(values, -30.0, 30.0))), dtype=np.float64)
