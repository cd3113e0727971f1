"""Which of the candidate answers is the right one, if any: a conditional logit with the outcome "none of them".

Each answer has a row of evidence, the question a row of circumstances that speak for or against all of them alike. The
weights are fitted by Newton's method on the verdicts so far (McFadden 1974), with a ridge.

A fit also tells about how it would have scored each verdict without having seen it, by one step away from that verdict
with the curvature of all (the infinitesimal jackknife: a little too sure where few verdicts weigh much). By those
scores the calibration learns what the new weights are worth from all that is remembered.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import exp, log
from typing import NamedTuple

import numpy as np

MEMORY = 4000
"""Verdicts that are remembered."""

_FIRST_FIT = 80
_GROWTH = 1.15
_RIDGE = 3.0
"""How firmly a weight stays at what is typical, per standard deviation of its evidence."""

_STEPS = 12
_HEAVIEST = 8.0
"""The most that one verdict may weigh: a sampled one stands for all those like it that were served unseen."""

Row = np.ndarray[tuple[int], np.dtype[np.float32]]
Table = np.ndarray[tuple[int, int], np.dtype[np.float32]]
Reals = np.ndarray[tuple[int], np.dtype[np.float64]]
Square = np.ndarray[tuple[int, int], np.dtype[np.float64]]
Places = np.ndarray[tuple[int], np.dtype[np.int64]]
Bools = np.ndarray[tuple[int], np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was known of each candidate answer, and which was right (`None`: none of them)."""

    answers: Table
    circumstances: Row
    right: int | None
    weight: float


@dataclass(frozen=True, slots=True)
class Weights:
    """The fitted model: what each signal and circumstance weighs, counted from its middle value."""

    answers: Reals
    answers_middle: Reals
    circumstances: Reals
    circumstances_middle: Reals
    bias: float
    offset: float = field(init=False)
    """The bias where all is counted from zero."""

    def __post_init__(self) -> None:
        middle = self.answers_middle @ self.answers + self.circumstances_middle @ self.circumstances
        object.__setattr__(self, "offset", self.bias - float(middle))

    def best(self, answers: Table, circumstances: Row) -> tuple[int, float]:
        """The likeliest answer, and the logit of the probability that it and no other outcome is the right one."""
        shared = float(circumstances.dot(self.circumstances)) + self.offset
        utilities: list[float] = answers.dot(self.answers).tolist()
        highest = max(utilities)
        top = max(highest + shared, 0.0)
        best = utilities.index(highest)
        others = exp(-top) + sum([exp(each + shared - top) for place, each in enumerate(utilities) if place != best])
        return best, highest + shared - top - log(others)


TYPICAL = Weights(
    np.array([1.5, 1.2, 0.05, -1.0, 1.0, -0.5, 3.0]), np.zeros(7), np.array([2.2, 7.0, 1.5]), np.zeros(3), -14.5
)
"""What evidence weighs before a cache has verdicts of its own, and what the fit is drawn to: rounded from fits on the
training part of CLINC150 and on streams that a script makes, with the built-in embedder."""


class Fitted(NamedTuple):
    """New weights, and per verdict the logit of its best answer as weights that had not seen it give it, and whether
    that answer was right."""

    weights: Weights
    logits: Reals
    right: Bools


@dataclass(slots=True)
class Choice:
    """The verdicts and the weights fitted on them."""

    weights: Weights = TYPICAL
    verdicts: deque[Verdict] = field(default_factory=lambda: deque(maxlen=MEMORY))
    learned: int = 0
    fit_at: int = _FIRST_FIT

    @property
    def due(self) -> bool:
        """Whether enough was learned since the last fit."""
        return self.learned >= self.fit_at

    def learn(self, verdict: Verdict) -> None:
        """One more verdict."""
        self.verdicts.append(verdict)
        self.learned += 1

    def begin(self) -> tuple[Verdict, ...]:
        """The verdicts to fit the weights on, copied, so that learning may go on."""
        self.fit_at = max(int(self.learned * _GROWTH), self.learned + _FIRST_FIT)
        return tuple(self.verdicts)

    def fit(self) -> None:
        """Fit the weights anew and take them: up to a hundred milliseconds."""
        verdicts = self.begin()
        if verdicts:
            self.weights = fit(verdicts, TYPICAL).weights


def fit(verdicts: Sequence[Verdict], typical: Weights | None = None) -> Fitted:
    """The weights that make the verdicts likeliest, drawn to typical ones (or to none) by a ridge on standardised
    evidence."""
    sizes = np.array([len(verdict.answers) for verdict in verdicts])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    group = np.repeat(np.arange(len(sizes)), sizes)
    answers = np.concatenate([verdict.answers for verdict in verdicts]).astype(np.float64)
    shared = np.stack([verdict.circumstances for verdict in verdicts]).astype(np.float64)
    weight = np.minimum([verdict.weight for verdict in verdicts], _HEAVIEST)
    right = np.zeros(len(answers))
    right[[s + v.right for s, v in zip(starts, verdicts, strict=True) if v.right is not None]] = 1.0

    middle, scale = answers.mean(axis=0), answers.std(axis=0) + 1e-6
    shared_middle, shared_scale = shared.mean(axis=0), shared.std(axis=0) + 1e-3
    design = np.hstack(
        [(answers - middle) / scale, ((shared - shared_middle) / shared_scale)[group], np.ones((len(answers), 1))]
    )

    start = np.zeros(design.shape[1])
    if typical is not None:
        bias = typical.bias + typical.answers @ middle + typical.circumstances @ shared_middle
        start = np.concatenate([typical.answers * scale, typical.circumstances * shared_scale, [bias]])

    def evaluate(theta: Reals) -> tuple[float, Reals]:
        utility = design @ theta
        top = np.maximum(np.maximum.reduceat(utility, starts), 0.0)
        grown = np.exp(utility - top[group])
        total = np.add.reduceat(grown, starts) + np.exp(-top)
        loss = float(weight @ (np.log(total) + top) - (utility * right) @ weight[group])
        gap = theta - start
        return loss + 0.5 * _RIDGE * float(gap @ gap), grown / total[group]

    def curvature(share: Reals) -> Square:
        expected = np.add.reduceat(design * share[:, None], starts)
        curve = (design * (share * weight[group])[:, None]).T @ design - (expected * weight[:, None]).T @ expected
        return np.asarray(curve + _RIDGE * np.eye(len(start)), dtype=np.float64)

    theta = start
    loss, share = evaluate(theta)
    for _ in range(_STEPS):
        slope = design.T @ ((share - right) * weight[group]) + _RIDGE * (theta - start)
        step = np.linalg.solve(curvature(share), slope)
        length, before = 1.0, loss
        while length > 1e-3:
            loss, share = evaluate(theta - length * step)
            if loss <= before:
                break
            length /= 2
        else:
            break
        theta = theta - length * step
        if before - loss < 1e-3:
            break
    pulls = np.add.reduceat(design * ((share - right) * weight[group])[:, None], starts)
    moved = np.linalg.solve(curvature(share), pulls.T).T  # how far the weights were from here without each verdict
    logits = _against_others(design @ theta + (design * moved[group]).sum(axis=1), starts, group)
    best = [start + int(own.argmax()) for start, own in zip(starts, np.split(logits, starts[1:]), strict=True)]
    split = answers.shape[1]
    weights = Weights(
        theta[:split] / scale, middle, theta[split:-1] / shared_scale, shared_middle, float(theta[-1])
    )  # fmt: skip
    return Fitted(weights, logits[best], right[best] > 0)


def _against_others(utility: Reals, starts: Places, group: Places) -> Reals:
    """The logit of each outcome against all others of its verdict, "none of them" among these."""
    top = np.maximum(np.maximum.reduceat(utility, starts), 0.0)
    grown = np.exp(utility - top[group])
    others = (np.add.reduceat(grown, starts) + np.exp(-top))[group] - grown
    return np.asarray(utility - top[group] - np.log(np.maximum(others, 1e-300)), dtype=np.float64)
