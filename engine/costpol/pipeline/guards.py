"""Differences that forbid giving one question's answer to another, however near their vectors are.

An embedding puts "enable" beside "disable" and 20 beside 200. Each guard looks for one kind of difference in the words
themselves; it only ever refuses.

| guard    | refuses when                                                                                |
| -------- | ------------------------------------------------------------------------------------------- |
| numbers  | the numbers differ: amounts, counts, ordinals, versions, written in digits or as words      |
| negation | one says no where the other does not, or they stand on different sides: on and off, day and |
|          | week, buyer and seller                                                                      |
| entities | a name, date, address, identifier or placeholder of one is not in the other, or they are    |
|          | written in two languages                                                                    |
| order    | the same words tell another story: from savings to checking, from checking to savings       |

Where a question cannot be read (words without spaces between them), any difference refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from costpol.pipeline.order import tells_otherwise
from costpol.pipeline.reading import Reading, read
from costpol.pipeline.wording import NEGATIONS, NUMBER_WORDS, OPENERS, SLOTS

_STEM = 4
"""Letters by which two forms of one word are known."""


def refusing(guards: Collection[str], question: str, cached: str) -> str | None:
    """The first guard that sees a difference between a question and one that is kept, if any.

    Where one of them has no words (a question that was not kept as text), the first guard asked for refuses.
    """
    return refusals(guards, question, (cached,))[0]


def refusals(guards: Collection[str], question: str, cached: Sequence[str]) -> list[str | None]:
    """As `refusing`, for each of several kept questions."""
    asked = [(name, differ) for name, differ in _GUARDS if name in guards]
    left = read(question)
    return [None if text == question else _first(asked, left, read(text)) for text in cached]


_Guards = Sequence[tuple[str, Callable[[Reading, Reading], bool]]]


def _first(guards: _Guards, left: Reading, right: Reading) -> str | None:
    wordless = not (left.words and right.words)
    for name, differ in guards:
        if wordless or differ(left, right):
            return name
    return None


def _numbers_differ(left: Reading, right: Reading) -> bool:
    if left.numbers == right.numbers:
        return False
    if left.soft_numbers and right.soft_numbers:
        return True
    return _hard(left) != _hard(right)


def _hard(reading: Reading) -> list[str]:
    numbers = list(reading.numbers)
    for number in reading.soft_numbers:
        numbers.remove(number)
    return numbers


def _polarity_differs(left: Reading, right: Reading) -> bool:
    if not (left.readable and right.readable) and left.words != right.words:
        return True
    if left.denied or right.denied:
        if not (left.denied and right.denied):
            return True
        if _swapped(left.denied - right.denied, right.denied - left.denied, left, right):
            return True
    if left.sides and right.sides:
        for group, sides in left.sides.items():
            if right.sides.get(group, sides) != sides:
                return True
    if (left.undone and _negates(left, right)) or (right.undone and _negates(right, left)):
        return True
    return bool((left.counterparts and _opposed(left, right)) or (right.counterparts and _opposed(right, left)))


def _swapped(ours: frozenset[str], theirs: frozenset[str], left: Reading, right: Reading) -> bool:
    """Whether each denies what the other affirms: `works but does not print`, `prints but does not work`."""
    return bool(ours) and bool(theirs) and _affirms(right, ours) and _affirms(left, theirs)


def _affirms(reading: Reading, words: frozenset[str]) -> bool:
    """Whether all of these words, in any form, stand in clauses without a denial."""
    return all(any(word[:_STEM] == other[:_STEM] for other in reading.affirmed) for word in words)


def _negates(one: Reading, other: Reading) -> bool:
    """Whether a word of one is a word of the other denied by its beginning: `unlimited` and `limited`."""
    if one.undone.isdisjoint(other.vocabulary):
        return False
    words, others = one.vocabulary - other.vocabulary, other.vocabulary - one.vocabulary
    return any(f"{beginning}{word}" in words for word in one.undone & others for beginning in NEGATIONS)


def _opposed(one: Reading, other: Reading) -> bool:
    """Whether the other has a word's counterpart and not the word: `prenatal` and `postnatal`."""
    if one.counterparts.isdisjoint(other.vocabulary):
        return False
    return not one.counterparts & other.vocabulary <= one.vocabulary


def _entities_differ(left: Reading, right: Reading) -> bool:
    if not (left.readable and right.readable) and left.words != right.words:
        return True
    if left.entities and not _named(left.entities, right.vocabulary):
        return True
    if right.entities and not _named(right.entities, left.vocabulary):
        return True
    if left.tongue != right.tongue and left.tongue is not None and right.tongue is not None:
        return True
    return len(left.words) == len(right.words) and _another_name(left, right)


def _named(entities: frozenset[str], vocabulary: frozenset[str]) -> bool:
    """Whether the other text has all of them, be it in the plural."""
    return entities <= vocabulary or all(
        name in vocabulary or f"{name}s" in vocabulary or (name[-1] == "s" and name[:-1] in vocabulary)
        for name in entities
    )


def _another_name(left: Reading, right: Reading) -> bool:
    """Whether the texts differ in one word only, which stands where names stand."""
    place = -1
    for number, (one, other) in enumerate(zip(left.words, right.words, strict=True)):
        if one != other:
            if place >= 0:
                return False
            place = number
    if place < 0:
        return False
    one, other = left.words[place], right.words[place]
    if place == 0:
        return left.named_first and right.named_first
    if left.words[place - 1] not in SLOTS or one in OPENERS or other in OPENERS:
        return False
    if one[-1:].isdecimal() or other[-1:].isdecimal() or one in NUMBER_WORDS or other in NUMBER_WORDS:
        return False
    return one[:_STEM] != other[:_STEM]


def _order_differs(left: Reading, right: Reading) -> bool:
    return tells_otherwise(left.order, right.order) and left.words != right.words


_GUARDS: _Guards = (
    ("numbers", _numbers_differ),
    ("negation", _polarity_differs),
    ("entities", _entities_differ),
    ("order", _order_differs),
)
