"""The boxes that earlier rules have taken, indexed by cell: whether some request escapes them all is found in one pass.

Each cell of each dimension knows, as one integer, which boxes allow it; narrowing a request by one dimension is one
operation on such integers, however many boxes there are. Boxes that allow many cells of a dimension are looked up when
one of these cells is asked about. The pass is greedy: it finds nearly all requests that people leave over in their
policies, and where it finds none the search of `cover` decides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import combinations, islice

from costpol.lint.reach.boxes import Box, bits
from costpol.lint.reach.space import Space
from costpol.lint.reach.work import Work

_NAMED = 8
_CELLS = 16
"""Of how many cells of one dimension the best is looked for, where each of them is taken by some box."""
_FEW = 16
"""Up to how many cells of one box are indexed, and how many boxes that hold another are looked for."""


class Taken:
    """Boxes of one space, added one by one. Every question counts towards `work`."""

    def __init__(self, space: Space, work: Work) -> None:
        self._space = space
        self._work = work
        self._boxes: list[Box] = []
        self._owners: list[int] = []
        self._asking: dict[int, int] = {}
        """Per dimension, the boxes that name it."""
        self._allowing: dict[int, dict[int, int]] = {}
        """Per dimension and cell, those of them that allow the cell and few others."""
        self._wide: dict[int, list[int]] = {}
        """Per dimension, the boxes that allow many of its cells."""
        self._asked: dict[tuple[int, int], tuple[int, int]] = {}
        """Per dimension and cell asked about, how many of the wide boxes were looked at, and which of them allow it."""
        self._touched: dict[int, int] = {}
        """Per dimension, the cells that any of them allows."""
        self._plain: list[int] = []
        """The dimensions that are asked about and are no word, tool or pattern."""
        self._loud = 0
        """The boxes that ask for a word, a tool or a pattern."""
        self._says: list[frozenset[int]] = []
        """Per box, the words, tools and patterns that it asks for."""
        self._saying: dict[int, int] = {}
        """Per word, tool or pattern, the boxes that ask for it."""
        self._asked_together: dict[frozenset[int], int] = {}
        """Per set of dimensions, the boxes that name just these."""

    def add(self, box: Box, owner: int) -> None:
        """Take one more box away."""
        position = len(self._boxes)
        self._boxes.append(box)
        self._owners.append(owner)
        this = 1 << position
        named = frozenset(box)
        self._asked_together[named] = self._asked_together.get(named, 0) | this
        says = frozenset(d for d, mask in box.items() if mask == 0b10 and d in self._space.silent)
        self._says.append(says)
        self._loud |= this if says else 0
        for dimension in says:
            self._saying[dimension] = self._saying.get(dimension, 0) | this
        for dimension, mask in box.items():
            if dimension not in self._asking and dimension not in self._space.silent:
                self._plain.append(dimension)
            self._asking[dimension] = self._asking.get(dimension, 0) | this
            self._touched[dimension] = self._touched.get(dimension, 0) | mask
            if mask.bit_count() > _FEW:
                self._wide.setdefault(dimension, []).append(position)
                continue
            allowing = self._allowing.setdefault(dimension, {})
            for cell in bits(mask):
                allowing[cell] = allowing.get(cell, 0) | this

    def escape(self, box: Box) -> Box | None:
        """Requests of a box that are in none of these, if they say and offer nothing that they need not; `None` where a
        quick look finds none."""
        found = self._escape_quietly(box)
        if found is None:
            found = self._escape(box, (1 << len(self._boxes)) - 1, self._asking)
            if found is not None and not self._space.possible(found):
                coming = self._space.coming_with(box)  # words that come with others were left out
                found = self._escape({**coming, **box}, (1 << len(self._boxes)) - 1, self._asking)
            found = found if found is not None and self._space.possible(found) else None
        return found

    def _escape_quietly(self, box: Box) -> Box | None:
        """The same among requests without any word, tool or pattern but those that the box asks for: most boxes ask for
        one and drop out at once."""
        named = {**self._space.coming_with(box), **box}
        left, said = self._left_quietly(named), named.keys() & self._space.silent.keys()
        found = self._escape(named, left, [*self._plain, *(said & self._asking.keys())])
        return found if found is not None and self._space.quietly_possible(found) else None

    def _left_quietly(self, box: Box) -> int:
        """The boxes that ask for no word, tool or pattern but those that a box names."""
        said = box.keys() & self._space.silent.keys()
        near = 0
        for dimension in said:
            near |= self._saying.get(dimension, 0)
        self._work.take(1 + near.bit_count() + len(self._plain) // 4)
        left = (1 << len(self._boxes)) - 1 & ~self._loud
        for position in bits(near):
            if self._says[position] <= said:
                left |= 1 << position
        return left

    def takers(self, request: Box, after: int) -> Iterator[int]:
        """The owners behind `after` of boxes that a request is in, in order. The request is in one cell of every
        dimension; words, tools and patterns that it does not name are absent."""
        left = self._left_quietly(request)
        for dimension in request.keys() & self._asking.keys():
            left &= self._still(dimension, request[dimension].bit_length() - 1)
        return (owner for position in bits(left) if (owner := self._owners[position]) > after)

    def holders(self, box: Box) -> set[int]:
        """The owners of boxes that hold all of a box by themselves, the first of them; not looked for where the box
        names many fields."""
        if len(box) > _NAMED:
            return set()
        found: set[int] = set()
        for size in range(len(box) + 1):
            for named in combinations(box, size):
                holding = self._asked_together.get(frozenset(named), 0)
                for dimension in named:
                    mask = box[dimension]
                    for cell in bits(mask) if holding and mask.bit_count() <= _FEW else ():
                        holding &= self._allowed(dimension, cell)
                self._work.take(1 + holding.bit_count())
                asked = [(dimension, box[dimension]) for dimension in named]
                found.update(self._owners[position] for position in islice(self._holding(holding, asked), _FEW))
        return found

    def _holding(self, positions: int, asked: list[tuple[int, int]]) -> Iterator[int]:
        """Which of some boxes allow all these cells."""
        for position in bits(positions):
            other = self._boxes[position]
            for dimension, mask in asked:
                if mask & ~other[dimension]:
                    break
            else:
                yield position

    def _escape(self, box: Box, left: int, dimensions: Collection[int]) -> Box | None:
        """Requests of a box that are in none of the boxes `left`, told apart by these dimensions."""
        self._work.take(1 + len(dimensions) // 4)
        chosen = dict(box)
        settled = {dimension for dimension, mask in box.items() if mask & mask - 1 == 0}
        for dimension in settled & self._asking.keys():
            left &= self._still(dimension, chosen[dimension].bit_length() - 1)
        for dimension in dimensions:
            if not left:
                break
            asking = self._asking[dimension]
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
        return ~self._asking[dimension] | self._allowed(dimension, cell)

    def _allowed(self, dimension: int, cell: int) -> int:
        """The boxes that name this dimension and allow the cell."""
        few = self._allowing[dimension].get(cell, 0) if dimension in self._allowing else 0
        wide = self._wide.get(dimension)
        if wide is None:
            return few
        seen, allowed = self._asked.get((dimension, cell), (0, 0))
        if seen < len(wide):
            self._work.take(2 + (len(wide) - seen) // 2)
            for position in wide[seen:]:
                if self._boxes[position][dimension] >> cell & 1:
                    allowed |= 1 << position
            self._asked[dimension, cell] = len(wide), allowed
        return few | allowed

    def _rarest(self, dimension: int, mask: int, left: int) -> int:
        """The cell of a mask in which the fewest boxes are left."""
        cells = (cell for cell, _ in zip(bits(mask), range(_CELLS), strict=False))
        return min(cells, key=lambda cell: (left & self._still(dimension, cell)).bit_count())
