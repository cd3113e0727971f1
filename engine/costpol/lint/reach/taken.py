"""The boxes that earlier rules have taken, indexed by cell: whether some request escapes them all is found in one pass.

Each cell of each dimension knows, as one integer, which boxes allow it; narrowing a request by one dimension is one
operation on such integers, however many boxes there are. The pass is greedy: it finds nearly all requests that people
leave over in their policies, and where it finds none the search of `cover` decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from costpol.lint.reach.boxes import Box
from costpol.lint.reach.space import Space

_NAMED = 8
_CELLS = 64
"""Of how many cells of one dimension the best is looked for, where each of them is taken by some box."""


class Taken:
    """Boxes of one space, added one by one."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._count = 0
        self._asking: dict[int, int] = {}
        """Per dimension, the boxes that name it."""
        self._allowing: dict[int, dict[int, int]] = {}
        """Per dimension and cell, those of them that allow the cell."""
        self._touched: dict[int, int] = {}
        """Per dimension, the cells that any of them allows."""

        self._asked_together: dict[frozenset[int], int] = {}
        """Per set of dimensions, the boxes that name just these."""
        self._owners: list[int] = []

    def add(self, box: Box, owner: int) -> None:
        """Take one more box away."""
        this = 1 << self._count
        self._count += 1
        self._owners.append(owner)
        named = frozenset(box)
        self._asked_together[named] = self._asked_together.get(named, 0) | this
        for dimension, mask in box.items():
            self._asking[dimension] = self._asking.get(dimension, 0) | this
            self._touched[dimension] = self._touched.get(dimension, 0) | mask
            allowing = self._allowing.setdefault(dimension, {})
            for cell in _bits(mask):
                allowing[cell] = allowing.get(cell, 0) | this

    def escape(self, box: Box) -> Box | None:
        """Requests of a box that are in none of these; `None` where a quick look finds none."""
        found = self._escape(box)
        if found is not None and not self._space.possible(found):
            quiet = self._space.quiet(box)  # words that come with others were left out
            found = self._escape({**{n: mask for n, mask in quiet.items() if mask == 0b10}, **box})
        return found if found is not None and self._space.possible(found) else None

    def holders(self, box: Box) -> set[int]:
        """The owners of boxes that hold all of a box by themselves; not looked for where the box names many fields."""
        if len(box) > _NAMED:
            return set()
        found: set[int] = set()
        for size in range(len(box) + 1):
            for named in combinations(box, size):
                holding = self._asked_together.get(frozenset(named), 0)
                for dimension in named:
                    for cell in _bits(box[dimension]) if holding else ():
                        holding &= self._allowing[dimension].get(cell, 0)
                found.update(self._owners[position] for position in _bits(holding))
        return found

    def _escape(self, box: Box) -> Box | None:
        chosen = dict(box)
        left = (1 << self._count) - 1
        settled = {dimension for dimension, mask in box.items() if mask & mask - 1 == 0}
        for dimension in settled & self._asking.keys():
            left &= self._still(dimension, chosen[dimension].bit_length() - 1)
        for dimension, asking in self._asking.items():
            if not left:
                break
            if not left & asking or dimension in settled:
                continue
            mask = chosen.get(dimension, self._space.full[dimension])
            untouched = mask & ~self._touched[dimension]
            if untouched:
                chosen[dimension] = untouched
                left &= ~asking
            else:
                cell = self._rarest(dimension, mask, left)
                chosen[dimension] = 1 << cell
                left &= self._still(dimension, cell)
        return None if left else chosen

    def _still(self, dimension: int, cell: int) -> int:
        """The boxes that a request in this cell may still be in."""
        return ~self._asking[dimension] | self._allowing[dimension].get(cell, 0)

    def _rarest(self, dimension: int, mask: int, left: int) -> int:
        """The cell of a mask in which the fewest boxes are left."""
        cells = (cell for cell, _ in zip(_bits(mask), range(_CELLS), strict=False))
        return min(cells, key=lambda cell: (left & self._still(dimension, cell)).bit_count())


def _bits(mask: int) -> Iterator[int]:
    """The positions of the bits that are set."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest
