"""What becomes of each rule of an ordered list in which the first match wins."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from costpol.lint.reach.boxes import Box, Region, disjoint, meet, subtract, within
from costpol.lint.reach.cover import Cover, Steps, plain_piece, remains
from costpol.lint.reach.space import Space
from costpol.lint.reach.taken import Taken
from costpol.lint.reach.witness import Witness, witness
from costpol.lint.reach.work import TooManyError, Work
from costpol.policy.nodes.matcher import When

STEPS = 3000
"""How many splits the question whether a rule is reached may take before it counts as not analysed."""
HEIR_STEPS = 500
"""The same for the question who would decide in its place: worth less, asked of more rules."""
WORK = 250_000
"""What all these questions about one list may take, about a sixth of a second's worth. Lists of a thousand rules as
people write them need less; what is left open beyond counts as not analysed."""
LATER = 100_000
"""The same for one question about a list whose verdicts are known."""
MATCHERS = 2_000
"""How many rules, or intents, of one list are analysed."""
OVERLAPS = 100
"""How many overlaps are shown."""
_SHOWN = 100
"""Units of work that it takes to word a request."""
FIRST = 64
"""So many of the first boxes usually suffice to hide a rule that is hidden."""


@dataclass(frozen=True, slots=True)
class Reached:
    """Some requests come to this rule: those of `box` that have no words, patterns or tools but those that it names."""

    box: Box


@dataclass(frozen=True, slots=True)
class Shadowed:
    """Every request that the rule could take is taken by the earlier rules `by` (positions), all of them needed."""

    by: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Impossible:
    """No request meets the rule's conditions, whatever the other rules."""


@dataclass(frozen=True, slots=True)
class NotAnalysed:
    """The rule has more cases than are looked at."""


Verdict = Reached | Shadowed | Impossible | NotAnalysed


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two rules of which neither holds the other take some requests in common; `witness` is one."""

    first: int
    second: int
    witness: Witness


@dataclass(frozen=True, slots=True)
class Survey:
    """An ordered list of matchers over one space. `verdicts` has one entry per matcher."""

    verdicts: tuple[Verdict, ...]
    regions: tuple[Region | None, ...]
    """The requests that meet each matcher's conditions; `None` where there are more cases than are looked at."""
    space: Space | None

    def witness(self, number: int) -> Witness | None:
        """A request that comes to this matcher; `None` where none does, or none is known."""
        verdict = self.verdicts[number]
        if self.space is None or not isinstance(verdict, Reached):
            return None
        self.space.work = Work(LATER)
        return witness(verdict.box, self.space)


def survey(matchers: Sequence[When], intents: Sequence[str] | None) -> Survey:
    """Which matchers of an ordered list, where the first that matches decides, are ever reached.

    `intents` are all names that a request can be recognised as, `None` where none are declared. "Shadowed" and
    "impossible" are certain; "reached" is certain up to combinations of words, lengths and patterns of one message.
    Matchers beyond `MATCHERS` are not analysed.
    """
    beyond = tuple(None for _ in matchers[MATCHERS:])
    matchers = matchers[:MATCHERS]
    work = Work(WORK)
    try:
        space = Space(matchers, intents, work)
    except TooManyError:
        unknown = len(matchers) + len(beyond)
        return Survey((NotAnalysed(),) * unknown, (None,) * unknown, None)
    regions = tuple(_region(space, when) for when in matchers)
    covers: list[Cover] = []
    taken = Taken(space, work)
    verdicts: list[Verdict] = []
    for number, region in enumerate(regions):
        verdicts.append(_verdict(region, regions, covers, taken, space))
        for box in region or ():
            covers.append(Cover(box, number))
            taken.add(box, number)
    return Survey((*verdicts, *(NotAnalysed() for _ in beyond)), (*regions, *beyond), space)


def redundant(found: Survey, outcomes: Sequence[Hashable]) -> dict[int, int]:
    """Reached rules without which every request would fare the same by another rule, each with the position of the
    first such rule. One that only repeats the default at least names what it is about, and is left alone."""
    result: dict[int, int] = {}
    if found.space is None:
        return result
    found.space.work = Work(LATER)
    anything = {n: _highest(full) for n, full in enumerate(found.space.full) if n not in found.space.silent}
    last = {outcome: number for number, outcome in enumerate(outcomes)}
    with suppress(TooManyError):
        index = Taken(found.space, found.space.work)
        for owner, region in enumerate(found.regions):
            for box in region or ():
                index.add(box, owner)
        for number, verdict in enumerate(found.verdicts):
            if not isinstance(verdict, Reached) or last[outcomes[number]] == number:
                continue
            request = {**anything, **{n: _highest(mask) for n, mask in verdict.box.items()}}
            if not _differs(request, outcomes, number, index, found.space):
                heir = _heir(found, found.space, outcomes, number)
                if heir is not None:
                    result[number] = heir
    return result


def overlaps(found: Survey, outcomes: Sequence[Hashable]) -> list[Overlap]:
    """Pairs of rules that ask about the same fields, take requests in common, neither all of the other's, and differ
    in outcome. Rules that ask about different fields nearly always meet, and are left alone."""
    space = found.space
    if space is None:
        return []
    space.work = Work(LATER)
    alike: dict[frozenset[int], list[tuple[int, Box]]] = {}
    result: list[Overlap] = []
    with suppress(TooManyError):
        for second, (region, verdict) in enumerate(zip(found.regions, found.verdicts, strict=True)):
            if region is None or len(region) != 1 or not isinstance(verdict, Reached):
                continue
            later = region[0]
            if len(result) >= OVERLAPS:
                break
            earlier = alike.setdefault(frozenset(later), [])
            space.work.take(1 + len(earlier) // 2)
            for first, box in earlier:
                if outcomes[first] == outcomes[second]:
                    continue
                common = meet(box, later)
                if common is None or within(box, later, space.full) or within(later, box, space.full):
                    continue
                if space.possible(common):
                    space.work.take(_SHOWN)
                    result.append(Overlap(first, second, witness(common, space)))
            earlier.append((second, later))
    return result


def _region(space: Space, when: When) -> Region | None:
    try:
        return space.region(when)
    except TooManyError:
        return None


def _verdict(
    region: Region | None, regions: Sequence[Region | None], covers: Sequence[Cover], taken: Taken, space: Space
) -> Verdict:
    if region is None:
        return NotAnalysed()
    if not region:
        return Impossible()
    try:
        return _quick(region, regions, taken, space) or _search(region, covers, space)
    except TooManyError:
        return NotAnalysed()


def _quick(region: Region, regions: Sequence[Region | None], taken: Taken, space: Space) -> Verdict | None:
    """The verdict where one look at each box gives it: a request that escapes, or for each box a rule that holds it."""
    holders = [taken.holders(box) for box in region]
    escapes = (taken.escape(box) for box, owners in zip(region, holders, strict=True) if not owners)
    escape = next((box for box in escapes if box is not None), None)
    if escape is not None:
        return Reached(escape)
    if not all(holders):
        return None
    shared = set.intersection(*holders)
    if shared:
        return Shadowed((min(shared),))
    used = {min(owners) for owners in holders}
    covers = [Cover(box, owner) for owner in used for box in regions[owner] or ()]
    return Shadowed(_needed(region, covers, space, used))


def _search(region: Region, covers: Sequence[Cover], space: Space) -> Verdict:
    """The verdict by taking away one cover after the other."""
    used: set[int] = set()
    if len(covers) > FIRST and _taken(region, covers[:FIRST], space, used):
        return Shadowed(_needed(region, covers[:FIRST], space, used))
    used.clear()
    for box in region:
        left = plain_piece(box, covers, space, Steps(STEPS, space.work))
        if left is not None:
            return Reached(left)
    for box in region:
        for left in remains(box, covers, space, Steps(STEPS, space.work), used):
            return Reached(left)
    return Shadowed(_needed(region, covers, space, used))


def _taken(region: Region, covers: Sequence[Cover], space: Space, used: set[int]) -> bool:
    """Whether nothing of a region is left."""
    return all(next(remains(box, covers, space, Steps(STEPS, space.work), used), None) is None for box in region)


def _needed(region: Region, covers: Sequence[Cover], space: Space, used: set[int]) -> tuple[int, ...]:
    """The fewest owners that still take the whole region, dropping one after the other."""
    kept = set(used)
    candidates = [cover for cover in covers if cover.owner in used]
    for owner in sorted(used, reverse=True):
        try:
            space.work.take(len(candidates) // 4)
            fewer = [cover for cover in candidates if cover.owner in kept and cover.owner != owner]
            if _taken(region, fewer, space, set()):
                kept.remove(owner)
        except TooManyError:
            continue
    return tuple(sorted(kept))


def _differs(request: Box, outcomes: Sequence[Hashable], number: int, index: Taken, space: Space) -> bool:
    """Whether a single request of the rule already shows that it would fare otherwise: saves the search."""
    request = {**space.coming_with(request), **request}
    if not space.quietly_possible(request):
        return False
    heir = next(index.takers(request, number), None)
    return heir is None or outcomes[heir] != outcomes[number]


def _highest(mask: int) -> int:
    return 1 << mask.bit_length() - 1


def _heir(found: Survey, space: Space, outcomes: Sequence[Hashable], number: int) -> int | None:
    """Who would decide the requests of a rule instead, if always with the same outcome; the first of them."""
    region = found.regions[number]
    if region is None:
        return None
    space.work.take(2 * number)
    earlier = [Cover(box, owner) for owner in range(number) for box in found.regions[owner] or ()]
    later = range(number + 1, len(found.regions))
    heir = len(found.regions)  # lowered by the first rule that takes anything
    steps = Steps(HEIR_STEPS, space.work)
    try:
        for box in region:
            for left in remains(box, earlier, space, steps, set()):
                pieces = [left]
                for owner in later:
                    theirs = found.regions[owner]
                    if theirs is None:
                        return None
                    space.work.take(1 + len(theirs))
                    if outcomes[owner] != outcomes[number]:
                        if any(_meets(piece, theirs, space) for piece in pieces):
                            return None
                        continue
                    if any(_meets(piece, theirs, space) for piece in pieces):
                        heir = min(heir, owner)
                    for other in theirs:
                        pieces = [
                            part
                            for piece in pieces
                            for part in ([piece] if disjoint(piece, other) else subtract(piece, other, space.full))
                            if space.possible(part)
                        ]
                        for _ in pieces:
                            steps.take()
                if pieces:
                    return None
    except TooManyError:
        return None
    return heir


def _meets(piece: Box, region: Region, space: Space) -> bool:
    return any((common := meet(piece, other)) is not None and space.possible(common) for other in region)
