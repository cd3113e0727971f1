"""Which requests another rule decides once an ordered list of rules has changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from costpol.lint.reach.boxes import EVERYTHING, Region, meet
from costpol.lint.reach.cover import Cover, Steps, plain_piece, remains
from costpol.lint.reach.space import Space
from costpol.lint.reach.witness import Witness, witness
from costpol.lint.reach.work import TooManyError, Work
from costpol.policy.nodes.matcher import When

STEPS = 500
WORK = 4_000_000


@dataclass(frozen=True, slots=True)
class Named:
    """A rule of a list: the name that it is known by in both, and its matcher."""

    name: str
    when: When


@dataclass(frozen=True, slots=True)
class Shift:
    """Some requests go from one rule to another; `witness` is one. `None` is the default."""

    before: str | None
    after: str | None
    witness: Witness


@dataclass(frozen=True, slots=True)
class Shifts:
    """All shifts that were found. `complete` says that there are no others."""

    found: tuple[Shift, ...]
    complete: bool


def shifts(old: Sequence[Named], new: Sequence[Named], intents: Sequence[str] | None) -> Shifts:
    """From which rule to which requests go, where `intents` are all names that a request can be recognised as."""
    work = Work(WORK)
    try:
        space = Space([rule.when for rule in (*old, *new)], intents, work)
    except TooManyError:
        return Shifts((), False)
    left, right = _regions(old, space), _regions(new, space)
    if left is None or right is None:
        return Shifts((), False)
    found: list[Shift] = []
    complete = True
    for i, j in _pairs(old, new):
        covers = [Cover(box, 0) for region in (*left[:i], *right[:j]) for box in region]
        try:
            moved = _first(left[i], right[j], covers, space, work)
        except TooManyError:
            complete = False
            continue
        if moved is not None:
            found.append(Shift(_name(old, i), _name(new, j), moved))
    return Shifts(tuple(found), complete)


def _pairs(old: Sequence[Named], new: Sequence[Named]) -> Iterator[tuple[int, int]]:
    """Pairs between which requests can move: not between two that are as they were, in the order they were in."""
    matchers = {rule.name: rule.when for rule in old}
    was: dict[str | None, int] = {None: len(old)}
    now: dict[str | None, int] = {None: len(new)}
    was |= {rule.name: number for number, rule in enumerate(old)}
    now |= {rule.name: number for number, rule in enumerate(new) if matchers.get(rule.name) == rule.when}
    for i in range(len(old) + 1):
        for j in range(len(new) + 1):
            before, after = _name(old, i), _name(new, j)
            kept = before in now and after in now and after in was
            if before != after and not (kept and (i < was[after]) == (now[before] < j)):
                yield i, j


def _name(rules: Sequence[Named], number: int) -> str | None:
    return rules[number].name if number < len(rules) else None


def _regions(rules: Sequence[Named], space: Space) -> list[Region] | None:
    try:
        return [*(space.region(rule.when) for rule in rules), (EVERYTHING,)]
    except TooManyError:
        return None


def _first(left: Region, right: Region, covers: list[Cover], space: Space, work: Work) -> Witness | None:
    """A request in both regions that no cover takes."""
    common = [box for one in left for other in right if (box := meet(one, other)) is not None and space.possible(box)]
    for box in common:
        piece = plain_piece(box, covers, space, Steps(STEPS, work))
        if piece is not None:
            return witness(piece, space)
    for box in common:
        for piece in remains(box, covers, space, Steps(STEPS, work), set()):
            return witness(piece, space)
    return None
