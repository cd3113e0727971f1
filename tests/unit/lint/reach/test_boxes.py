from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from costpol.lint.reach.boxes import Box, disjoint, meet, subtract, within

FULL = (0b111, 0b11, 0b111)
POINTS = [tuple(1 << cell for cell in cells) for cells in itertools.product(range(3), range(2), range(3))]
boxes = st.fixed_dictionaries({}, optional={0: st.integers(1, 7), 1: st.integers(1, 3), 2: st.integers(1, 7)})


def inside(box: Box | None) -> set[tuple[int, ...]]:
    return set() if box is None else {p for p in POINTS if all(p[dimension] & mask for dimension, mask in box.items())}


@settings(max_examples=300)
@given(boxes, boxes)
def test_boxes_are_sets_of_points(left: Box, right: Box) -> None:
    assert inside(meet(left, right)) == inside(left) & inside(right)
    assert disjoint(left, right) == inside(left).isdisjoint(inside(right))
    assert within(left, right, FULL) == (inside(left) <= inside(right))


@settings(max_examples=300)
@given(boxes, boxes)
def test_the_pieces_of_a_difference_make_it_up_and_do_not_overlap(left: Box, right: Box) -> None:
    pieces = [inside(piece) for piece in subtract(left, right, FULL)]
    assert set().union(*pieces) == inside(left) - inside(right)
    assert sum(map(len, pieces)) == len(set().union(*pieces))
    assert all(pieces)
