"""Boxes: sets of requests, as the cells that each field may be in.

A `Box` maps the number of a dimension to a bit mask of its cells; a dimension that it does not name is free. A region
is a list of boxes, which may overlap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

Box = Mapping[int, int]
Region = tuple[Box, ...]

EVERYTHING: Box = {}


def meet(left: Box, right: Box) -> Box | None:
    """The requests in both, or `None` where there are none."""
    result = dict(left)
    for dimension, mask in right.items():
        common = result.get(dimension, mask) & mask
        if not common:
            return None
        result[dimension] = common
    return result


def disjoint(left: Box, right: Box) -> bool:
    """Whether no request is in both."""
    return any(dimension in left and not left[dimension] & mask for dimension, mask in right.items())


def within(inner: Box, outer: Box, full: Sequence[int]) -> bool:
    """Whether `outer` holds all of `inner`; `full` has all cells of each dimension."""
    return all(not inner.get(dimension, full[dimension]) & ~mask for dimension, mask in outer.items())


def subtract(box: Box, other: Box, full: Sequence[int]) -> Iterator[Box]:
    """What of `box` is not in `other`, in pieces that do not overlap.

    Dimensions are split in their order: sets and intervals before words, which keeps the pieces few, because rules
    that share a set tend to differ in their words.
    """
    rest = dict(box)
    for dimension in sorted(other):
        cells = rest.get(dimension, full[dimension])
        outside = cells & ~other[dimension]
        if outside:
            yield {**rest, dimension: outside}
        rest[dimension] = cells & other[dimension]
        if not rest[dimension]:
            return


def bits(mask: int) -> Iterator[int]:
    """The cells of a mask."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest
