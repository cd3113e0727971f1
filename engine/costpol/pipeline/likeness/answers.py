"""What questions with one answer look like: a model of answers that grows with the cache.

Questions of one answer scatter around a mean, and the means themselves scatter around the mean of all (two
covariances, as in probabilistic linear discriminant analysis: Ioffe, ECCV 2006). Both are learned from the traffic. The
score of an answer is the log-likelihood ratio of "this question belongs to it" against "it belongs to an answer never
seen"; that a mean of few questions is uncertain is part of it. Only the directions that tell answers apart are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

CAPACITY = 4096
"""Answers that are remembered; the ones unused for longest make room."""

RANK = 128
_SHRINKAGE = 0.1
"""Pseudo-questions per dimension that pull the scatter towards a round one."""

_DOUBTS = 1024
"""Numbers of questions of one answer whose doubt is remembered."""

_FIRST_FIT = 60
_GROWTH = 1.15
_MEMORY = 20_000.0
"""Questions that the scatter within answers remembers; older ones fade."""

Matrix = np.ndarray[tuple[int, int], np.dtype[np.float32]]
Vector = np.ndarray[tuple[int], np.dtype[np.float32]]
Square = np.ndarray[tuple[int, int], np.dtype[np.float64]]


class Sums(NamedTuple):
    """What is known of the answers: how many questions each has, their sums, and the scatter within answers."""

    counts: np.ndarray[tuple[int], np.dtype[np.float64]]
    sums: Matrix
    scatter: Square
    freedom: float


class Doubt(NamedTuple):
    """What a mean of so many questions is worth in each direction: how much of it is believed, how narrowly the next
    question is expected around it, and the logarithm of that room."""

    trust: Vector
    precision: Vector
    volume: float


class Directions(NamedTuple):
    """The fit: see `Answers`."""

    directions: Matrix
    spread: Vector
    origin: Vector


@dataclass(slots=True)
class Answers:
    """Sums of the question vectors per answer, their scatter, and the directions fitted from both."""

    dimension: int
    rows: dict[str, int] = field(default_factory=dict)
    counts: Vector = field(init=False)
    used: Vector = field(init=False)
    """When an answer was last learned, in questions learned."""
    sums: Matrix = field(init=False)
    scatter: Square = field(init=False)
    freedom: float = 0.0
    learned: float = 0.0
    fit_at: float = _FIRST_FIT
    pending: list[Vector] = field(default_factory=list)
    directions: Matrix | None = None
    """dimension x rank; scaled so that the scatter within answers is 1 in each."""
    spread: Vector = field(init=False)
    """The variance of the answers' means in each direction."""
    origin: Vector = field(init=False)
    projected: Matrix = field(init=False)
    """Per answer the sum of its questions along the directions."""
    means: Matrix = field(init=False)
    """Per answer where its next question is expected along the directions, how narrowly (`precisions`), and the
    logarithm of that room (`volumes`). They change when an answer learns, so that a score only compares."""
    precisions: Matrix = field(init=False)
    volumes: Vector = field(init=False)
    _across: Matrix | None = None
    """The directions, each in one piece: so a product takes half the time."""
    _asked: tuple[Vector, Vector] | None = None
    """The last vector with its place along the directions: what was scored is learned next."""
    _doubts: dict[float, Doubt] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._allocate(64)
        self.scatter = np.zeros((self.dimension, self.dimension))
        self.spread = np.zeros(0, dtype=np.float32)
        self.origin = np.zeros(0, dtype=np.float32)

    @property
    def due(self) -> bool:
        """Whether enough was learned since the last fit."""
        return self.learned >= self.fit_at or len(self.pending) >= 4096

    def add(self, answer: str, vector: Vector) -> None:
        """One more question of an answer."""
        row = self.rows.get(answer)
        if row is None:
            row = self._room(answer)
        count = float(self.counts[row])
        if count > 0:
            self.pending.append((vector - self.sums[row] / count) * np.float32((count / (count + 1.0)) ** 0.5))
        self.counts[row] += 1
        self.sums[row] += vector
        self.learned += 1
        self.used[row] = self.learned
        if self._across is not None:
            self.projected[row] += self._place(vector, self._across)
            doubt = self._doubt(count + 1)
            self.means[row] = self.projected[row] * doubt.trust
            self.precisions[row] = doubt.precision
            self.volumes[row] = doubt.volume

    def counted(self, answers: Sequence[str]) -> list[float]:
        """How many questions of each answer were learned."""
        rows = [self.rows.get(answer, -1) for answer in answers]
        counts: list[float] = self.counts.take(rows).tolist()
        return [count if row >= 0 else 0.0 for row, count in zip(rows, counts, strict=True)]

    def scores(self, answers: Sequence[str], vector: Vector) -> list[float]:
        """The log-likelihood ratio of each answer against a new one; 0 before the first fit, or for one unknown."""
        if self._across is None:
            return [0.0] * len(answers)
        rows = [self.rows.get(answer, -1) for answer in answers]
        place = self._place(vector, self._across)
        gaps = place - self.means.take(rows, 0)
        gaps *= gaps
        gaps *= self.precisions.take(rows, 0)
        near = np.add.reduce(gaps, 1) + self.volumes.take(rows)
        unlearned = self._doubt(0.0)
        new = float((place * place).dot(unlearned.precision)) + unlearned.volume
        return [0.5 * (new - each) if row >= 0 else 0.0 for row, each in zip(rows, near.tolist(), strict=True)]

    def _place(self, vector: Vector, across: Matrix) -> Vector:
        if self._asked is None or self._asked[0] is not vector:
            self._asked = vector, across.dot(vector) - self.origin
        return self._asked[1]

    def _doubt(self, count: float) -> Doubt:
        doubt = self._doubts.get(count)
        if doubt is None:
            trust = self.spread / (count * self.spread + 1)
            precision = np.asarray(1 / (1 + trust), dtype=np.float32)
            doubt = Doubt(trust, precision, -float(np.log(precision).sum()))
            if len(self._doubts) < _DOUBTS:
                self._doubts[count] = doubt
        return doubt

    def begin(self) -> Sums | None:
        """What the directions are found from, copied, so that learning may go on; `None` where it is too little."""
        self.fit_at = max(self.learned * _GROWTH, self.learned + _FIRST_FIT)
        self.absorb()
        known = self.counts > 0
        if self.freedom < 20 or np.count_nonzero(known) < 3:
            return None
        return Sums(self.counts[known].astype(np.float64), self.sums[known], self.scatter.copy(), self.freedom)

    def take(self, found: Directions) -> None:
        """Score by these directions from now on."""
        self.directions, self.spread, self.origin = found.directions, found.spread, found.origin
        self._across = np.ascontiguousarray(found.directions.T)
        self._asked = None
        self._doubts.clear()
        self.projected = self.sums @ found.directions - self.counts[:, None] * self.origin
        trust = self.spread / (self.counts[:, None] * self.spread + 1)
        self.means = self.projected * trust
        self.precisions = np.asarray(1 / (1 + trust), dtype=np.float32)
        self.volumes = -np.log(self.precisions).sum(axis=1)

    def fit(self) -> None:
        """Find the directions anew and take them."""
        sums = self.begin()
        if sums is not None:
            self.take(find(sums))

    def absorb(self) -> None:
        """Take what is pending into the scatter."""
        self.scatter, self.freedom = absorb(self.scatter, self.freedom, self.pending)
        self.pending.clear()

    def restore(
        self, names: Sequence[str], arrays: Mapping[str, Any], freedom: float, learned: float, fit_at: float
    ) -> None:
        """Take over what was kept. Raises `ValueError` where the parts do not fit together."""
        if arrays["sums"].shape != (len(names), self.dimension) or arrays["scatter"].shape != self.scatter.shape:
            raise ValueError("the tables disagree about their size")
        self._allocate(max(64, len(names)))
        self.rows = {name: row for row, name in enumerate(names)}
        for table, kept in ((self.counts, "counts"), (self.used, "used"), (self.sums, "sums")):
            table[: len(names)] = arrays[kept]
        self.scatter, self.freedom, self.learned, self.fit_at = arrays["scatter"], freedom, learned, fit_at
        if "directions" in arrays:
            self.take(Directions(arrays["directions"], arrays["spread"], arrays["origin"]))

    def _room(self, answer: str) -> int:
        if len(self.rows) >= CAPACITY:
            self._forget(CAPACITY // 8)
        row = len(self.rows)
        if row >= len(self.counts):
            self._allocate(min(CAPACITY, 2 * row))
        self.rows[answer] = row
        return row

    def _forget(self, count: int) -> None:
        """Drop the answers that were unused for longest, and close the gaps."""
        keep = np.sort(np.argsort(self.used[: len(self.rows)], kind="stable")[count:])
        names = list(self.rows)
        self.rows = {names[old]: new for new, old in enumerate(keep)}
        for table in (self.counts, self.used, self.sums, self.projected, self.means, self.precisions, self.volumes):
            table[: len(keep)] = table[keep]
            table[len(keep) :] = 0

    def _allocate(self, size: int) -> None:
        rank = 0 if self.directions is None else self.directions.shape[1]
        shapes = {
            "counts": (size,), "used": (size,), "sums": (size, self.dimension), "projected": (size, rank),
            "means": (size, rank), "precisions": (size, rank), "volumes": (size,),
        }  # fmt: skip
        for name, shape in shapes.items():
            table = np.zeros(shape, np.float32)
            if self.rows:
                table[: len(self.rows)] = getattr(self, name)[: len(self.rows)]
            setattr(self, name, table)


def absorb(scatter: Square, freedom: float, pending: Sequence[Vector]) -> tuple[Square, float]:
    """The scatter, changed in place, and what it is of, with what is pending; it remembers so much and no more."""
    if pending:
        gaps = np.stack(pending).astype(np.float64)
        scatter += gaps.T @ gaps
        freedom += len(gaps)
    if freedom > _MEMORY:
        scatter *= _MEMORY / freedom
        freedom = _MEMORY
    return scatter, freedom


def find(sums: Sums) -> Directions:
    """The directions that tell answers apart: a tenth of a second for 500 dimensions, by the cube of their number."""
    counts, dimension = sums.counts, len(sums.scatter)
    means = sums.sums / counts[:, None]
    middle = sums.sums.sum(axis=0) / counts.sum()
    pseudo = dimension * _SHRINKAGE
    round_ = np.trace(sums.scatter) / sums.freedom / dimension
    within = (sums.scatter + pseudo * round_ * np.eye(dimension)) / (sums.freedom + pseudo)
    whiten = np.linalg.inv(np.linalg.cholesky(within)).T
    centred = (means - middle) @ whiten
    trust = counts / (counts + 1)
    between = (centred * trust[:, None]).T @ centred / trust.sum()
    between -= np.eye(dimension) * (trust / counts).sum() / trust.sum()  # a mean of few questions is uncertain
    level = max(float(np.trace(between)) / dimension, 0.1)
    between = (between * len(counts) + 10 * level * np.eye(dimension)) / (len(counts) + 10)
    values, vectors = np.linalg.eigh(between)
    best = slice(None, -RANK - 1, -1)
    directions = np.ascontiguousarray(whiten @ vectors[:, best], dtype=np.float32)
    spread = np.maximum(values[best], 0.01).astype(np.float32)
    return Directions(directions, spread, (middle @ directions).astype(np.float32))
