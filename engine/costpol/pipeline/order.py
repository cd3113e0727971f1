"""Who does what to whom: what the order of a question's words tells, and whether two questions tell it the other way
round."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct

from costpol.pipeline.word import look_up
from costpol.pipeline.wording import (
    FILLERS,
    OBJECTS,
    PERSONS,
    SOURCES,
    SUBJECTS,
    TARGETS,
    TURNS,
    WEAK_SOURCES,
    WEAK_TARGETS,
)

_LONGEST_SWAP = 40
"""Words between the first and the last difference, up to which two parts that changed places are looked for."""
_SYMMETRIC = frozenset({"and", "or", "vs", "versus", "same", "equal"})
"""What stands on their two sides may change places."""
_MOBILE = frozenset(
    "how what when where why who which now today please there here again still yet already just also ever soon only "
    "then this that up down on off out in back".split()
)
"""Words that may stand before or behind another without a change of meaning."""
_ASKED_FOR = frozenset({"who", "what", "which"})
"""May be the one who does it, or the one to whom it is done."""
_WITHOUT_LETTER = FILLERS - {"a"}
_ONE_FORM = {"an": "a", "are": "is", "were": "was", "does": "do", "did": "do"}


class Turn(Struct, frozen=True, gc=False):
    """The word behind a joint such as `than`, and those before it that it may change places with."""

    behind: str
    before: tuple[str, ...]


class Order(Struct, frozen=True, gc=False):
    """What the order of a question's words tells."""

    words: tuple[str, ...]
    told: tuple[str, ...]
    """Those of them that carry a meaning, in the singular."""
    bag: str
    """The same, sorted, in one piece: compared with a look at one place, where a list asks for one per word."""
    sources: frozenset[str]
    """The words behind `from`."""
    targets: frozenset[str]
    weak_sources: frozenset[str]
    """The words behind all prepositions that may tell a direction."""
    weak_targets: frozenset[str]
    turns: dict[str, Turn]
    """What stands around the joints in it."""
    subjects: frozenset[int]
    """Persons that only do something: `i`, not `me`."""
    objects: frozenset[int]
    """Persons to whom it is only done."""


_NONE: frozenset[str] = frozenset()
_NOBODY: frozenset[int] = frozenset()
_PREPOSITIONS = (SOURCES, TARGETS, WEAK_SOURCES, WEAK_TARGETS)
_WAYS = WEAK_SOURCES | WEAK_TARGETS
_Ends = tuple[frozenset[str], frozenset[str], frozenset[str], frozenset[str]]
_NO_ENDS: _Ends = (_NONE, _NONE, _NONE, _NONE)


def read_order(words: tuple[str, ...], *, lettered: bool) -> Order:
    """What the order of the words tells; `lettered` says that `a` is the name of something and no article."""
    fillers = _WITHOUT_LETTER if lettered else FILLERS
    singulars = [known.singular for known in look_up(words)]
    if lettered:
        singulars = ["a" if word == "a" else singular for word, singular in zip(words, singulars, strict=True)]
    told = tuple([word for word in singulars if word is not None])
    doing = {SUBJECTS[word] for word in words if word in SUBJECTS}
    done_to: set[int] = set()
    if not OBJECTS.keys().isdisjoint(words):
        done_to = {OBJECTS[w] for before, w in pairwise(("", *words)) if w in OBJECTS and before != "help"}
    subjects = frozenset(doing - done_to) if doing else _NOBODY
    objects = frozenset(done_to - doing) if done_to else _NOBODY
    return Order(words, told, " ".join(sorted(told)), *_ends(words, fillers), _turns(words, fillers), subjects, objects)


def tells_otherwise(ours: Order, theirs: Order) -> bool:
    """Whether two questions of much the same words tell another story."""
    if (ours.weak_sources or theirs.weak_sources) and _crossed(ours, theirs):
        return True
    if ((ours.subjects and theirs.objects) or (ours.objects and theirs.subjects)) and _roles_changed(ours, theirs):
        return True
    if ours.turns and theirs.turns and _turned(ours.turns, theirs.turns):
        return True
    if ours.bag != theirs.bag or ours.told == theirs.told:
        return False
    return _rest(ours) == _rest(theirs) and _exchanged(list(ours.told), list(theirs.told))


def _rest(order: Order) -> set[str]:
    """The words that carry no meaning, each in one form."""
    return {_ONE_FORM.get(word, word) for word in order.words if word in FILLERS}


def _ends(words: Sequence[str], fillers: frozenset[str]) -> _Ends:
    if _WAYS.isdisjoint(words):
        return _NO_ENDS
    found: tuple[set[str], ...] = (set(), set(), set(), set())
    for place in [place for place, word in enumerate(words[:-1]) if word in _WAYS]:
        following = [w for w in words[place + 1 : place + 6] if w not in fillers][:2]
        if len(following) == 2 and len(following[1]) > 1:
            del following[1]  # else it numbers the first: `account b`
        for ends, prepositions in zip(found, _PREPOSITIONS, strict=True):
            if words[place] in prepositions:
                ends.update(following)
    sources, targets, weak_sources, weak_targets = [frozenset(ends) if ends else _NONE for ends in found]
    return sources, targets, weak_sources, weak_targets


def _turns(words: Sequence[str], fillers: frozenset[str]) -> dict[str, Turn]:
    if _JOINTS.isdisjoint(words):
        return _NO_TURNS
    found: dict[str, Turn] = {}
    for joint, reach in TURNS.items():
        if joint in words:
            place = words.index(joint)
            behind = next((word for word in words[place + 1 :] if word not in fillers), "")
            found[joint] = Turn(behind, tuple([word for word in words[:place] if word not in fillers][-reach:]))
    return found


_JOINTS = frozenset(TURNS)
_NO_TURNS: dict[str, Turn] = {}
"""One for all readings, as are the empty sets."""


def _crossed(ours: Order, theirs: Order) -> bool:
    """Whether what one comes from is what the other goes to."""
    if ours.weak_sources.isdisjoint(theirs.weak_targets) and ours.weak_targets.isdisjoint(theirs.weak_sources):
        return False
    both = (ours.sources & ours.targets) | (theirs.sources & theirs.targets)
    if ((ours.sources & theirs.targets) | (ours.targets & theirs.sources)) - both:
        return True
    back, forth = ours.weak_sources & theirs.weak_targets, ours.weak_targets & theirs.weak_sources
    return bool(back - both) and bool(forth - both)


def _turned(ours: dict[str, Turn], theirs: dict[str, Turn]) -> bool:
    """Whether what stands before and behind a joint has changed places: `savings to checking`, `a is better than b`."""
    for joint, turn in ours.items():
        other = theirs.get(joint)
        if other is None or turn.behind == other.behind:
            continue
        if turn.behind in other.before and other.behind in turn.before:
            return True
    return False


def _roles_changed(ours: Order, theirs: Order) -> bool:
    """Whether a person who does it in one is, in the same words, the one to whom it is done in the other: `can I call
    my bank`, `can my bank call me`."""
    there, back = not ours.subjects.isdisjoint(theirs.objects), not ours.objects.isdisjoint(theirs.subjects)
    if not (there or back):
        return False
    left, right = ([word for word in each.told if word not in PERSONS] for each in (ours, theirs))
    if sorted(left) != sorted(right):
        return False
    if (there and back) or left != right or ("you" in ours.words and "you" in theirs.words):
        return True
    return left[:1] != [] and left[0] in _ASKED_FOR


def _exchanged(ours: list[str], theirs: list[str]) -> bool:
    """Whether the same words stand in another order, and not only one part was moved: `a man bites a dog`."""
    start, end = 0, len(ours)
    while ours[start] == theirs[start]:
        start += 1
    while ours[end - 1] == theirs[end - 1]:
        end -= 1
    ours, theirs = ours[start:end], theirs[start:end]
    size = len(ours)
    if not _SYMMETRIC.isdisjoint(ours) and _WAYS.isdisjoint(ours):
        return False
    if size > _LONGEST_SWAP:
        return True
    for cut in range(1, size):
        if ours[cut:] + ours[:cut] == theirs:  # one part was moved behind the other
            return size == 2 and not (ours[0] in _MOBILE or ours[1] in _MOBILE)
    return True
