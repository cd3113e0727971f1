"""What is left of a box once others are taken away: the search behind every verdict.

Each step splits what remains by the one box that leaves the fewest pieces. The problem is as hard as satisfiability,
so the steps are counted; policies that people write need few.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from costpol.lint.reach.boxes import Box, disjoint, subtract
from costpol.lint.reach.space import Space
from costpol.lint.reach.work import TooManyError, Work

_COMPARED = 64
"""Among how many covers the one that leaves the fewest pieces is looked for."""


@dataclass(slots=True)
class Steps:
    """How many more splits one question may take. Raises `TooManyError` when there are none left, or no work."""

    left: int
    work: Work

    def take(self, looked: int = 1) -> None:
        self.left -= 1
        if self.left < 0:
            raise TooManyError
        self.work.take(looked)


@dataclass(frozen=True, slots=True)
class Cover:
    """A box to take away, and the number of the rule that it belongs to."""

    box: Box
    owner: int


def remains(box: Box, covers: Sequence[Cover], space: Space, steps: Steps, used: set[int]) -> Iterator[Box]:
    """The pieces of a box that no cover takes, none twice. The owners of covers that took something go to `used`."""
    full = space.full
    pending: list[tuple[Box, Sequence[Cover]]] = [(box, covers)]
    while pending:
        piece, candidates = pending.pop()
        steps.take(1 + len(candidates))
        candidates = [cover for cover in candidates if not disjoint(piece, cover.box)]
        if not candidates:
            yield piece
            continue
        best = min(candidates[:_COMPARED], key=lambda cover: _pieces(piece, cover.box, full))
        used.add(best.owner)
        pieces = [part for part in subtract(piece, best.box, full) if space.possible(part)]
        pending += [(part, candidates) for part in pieces]


def _pieces(piece: Box, other: Box, full: Sequence[int]) -> int:
    return sum(1 for dimension, mask in other.items() if piece.get(dimension, full[dimension]) & ~mask)


def plain_piece(box: Box, covers: Sequence[Cover], space: Space, steps: Steps) -> Box | None:
    """A piece that no cover takes, looked for where no word, pattern or tool is present but those asked for: most
    covers need one and drop out at once. `None` says only that there is none of that kind."""
    quiet = space.quiet(box)
    plain = {**quiet, **box}
    steps.work.take(len(plain) // 4 + len(covers))
    near = [cover for cover in covers if not disjoint(plain, cover.box)]
    piece = next(remains(box, near, space, steps, set()), None)
    if piece is None:
        return None
    plain = {**quiet, **piece}
    missed = not space.possible(plain) or any(not disjoint(plain, cover.box) for cover in covers)
    return None if missed else piece
