"""Fields cut into cells at the constants that a policy mentions: within one cell, no condition tells values apart."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from costpol.lint.reach.globs import cut
from costpol.lint.reach.work import Work
from costpol.policy.nodes.matcher import DurationRange, Range

NEVER = 0
"""The mask of a condition that no cell meets."""
_FEW = 16


@dataclass(frozen=True, slots=True)
class Numbers:
    """Whole numbers from zero, cut where a range begins or has just ended."""

    starts: tuple[int, ...]

    @classmethod
    def of(cls, bounds: Iterable[tuple[int | None, int | None]]) -> Numbers:
        starts = {0}
        for low, high in bounds:
            starts.add(low or 0)
            if high is not None:
                starts.add(high + 1)
        return cls(tuple(sorted(starts)))

    @property
    def full(self) -> int:
        return (1 << len(self.starts)) - 1

    def between(self, low: int | None, high: int | None) -> int:
        first = bisect_left(self.starts, low or 0)
        after = len(self.starts) if high is None else bisect_right(self.starts, high)
        return (1 << after) - (1 << first) if first < after else NEVER

    def lowest(self, mask: int) -> int:
        """The least number in any of the cells."""
        return self.starts[(mask & -mask).bit_length() - 1]

    def highest(self, mask: int) -> int | None:
        """The greatest number in any of the cells; `None` where there is none."""
        last = mask.bit_length()
        return self.starts[last] - 1 if last < len(self.starts) else None


@dataclass(frozen=True, slots=True)
class Values:
    """A field whose cells are listed, each with a value that stands for it; `None` is the absent value."""

    samples: tuple[Any, ...]
    labels: tuple[frozenset[str], ...] = ()
    """What takes each cell: the patterns of a name, or the value itself."""
    _cells: dict[str, list[int]] = field(default_factory=dict, init=False)
    """Per label, the cells that it takes."""

    def __post_init__(self) -> None:
        for cell, labels in enumerate(self.labels):
            for label in labels:
                self._cells.setdefault(label, []).append(cell)

    @property
    def full(self) -> int:
        return (1 << len(self.samples)) - 1

    def any_of(self, wanted: Iterable[str]) -> int:
        """The cells that any of these patterns takes."""
        cells = {cell for name in wanted for cell in self._cells.get(name, ())}
        if len(cells) < _FEW:
            return sum(1 << cell for cell in cells)
        bits = bytearray(max(cells) // 8 + 1)
        for cell in cells:
            bits[cell // 8] |= 1 << cell % 8
        return int.from_bytes(bits, "little")

    def where(self, mask: int) -> Any:
        """A value from one of the cells, the last: the cells that no pattern names stand at the end."""
        return self.samples[mask.bit_length() - 1]


def names(patterns: Iterable[str], work: Work, *, optional: bool) -> Values:
    """A field of free text; an absent value matches no pattern. Raises `TooManyError` beyond what is looked at."""
    cells = cut(patterns, work)
    if optional:
        cells = [("", frozenset()), *cells]
    samples: list[str | None] = [name for name, _ in cells]
    if optional:
        samples[0] = None
    return Values(tuple(samples), tuple(labels for _, labels in cells))


def words_of(values: Iterable[str]) -> Values:
    """A field that has one of these values and no other."""
    distinct = tuple(dict.fromkeys(values))
    return Values(distinct, tuple(frozenset((value,)) for value in distinct))


def switch() -> Values:
    """No (cell 0) or yes (cell 1)."""
    return Values((False, True), (frozenset(("no",)), frozenset(("yes",))))


def durations(bounds: Iterable[tuple[float | None, float | None]]) -> Values:
    """Seconds, or nothing: each bound is a cell of its own, as is each gap between bounds."""
    ends = sorted({end for pair in bounds for end in pair if end is not None})
    samples: list[float | None] = [None]
    previous: float | None = None
    for end in ends:
        before = (end / 2 if end > 0 else end - 1) if previous is None else (previous + end) / 2
        samples += [before, end]
        previous = end
    samples.append(0.0 if previous is None else previous + 1)
    return Values(tuple(samples), tuple(frozenset[str]() for _ in samples))


def duration_mask(field: Values, bounds: DurationRange) -> int:
    """The cells of `durations` inside a range."""
    low = float("-inf") if bounds.min is None else bounds.min
    high = float("inf") if bounds.max is None else bounds.max
    first, after = bisect_left(field.samples, low, 1), bisect_right(field.samples, high, 1)  # the first is no duration
    return (1 << after) - (1 << first) if first < after else NEVER


def pair(bounds: Range | None) -> tuple[int | None, int | None]:
    """The ends of a range."""
    return (None, None) if bounds is None else (bounds.min, bounds.max)
