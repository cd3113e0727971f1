"""Differences that forbid giving one question's answer to another, however near their vectors are.

An embedding puts "enable" beside "disable" and 20 beside 200. Each guard looks for one kind of difference in the words
themselves; it only ever refuses.

| guard    | refuses when                                                                                |
| -------- | ------------------------------------------------------------------------------------------- |
| numbers  | the numbers differ: amounts, counts, ordinals, versions, written in digits or as words      |
| negation | one says no where the other does not, or they stand on different sides: on and off, day and |
|          | week, buyer and seller                                                                      |
| entities | a name, date, address or identifier of one is not in the other                              |
| order    | the same words tell another story: from savings to checking, from checking to savings       |

Where a question cannot be read (words without spaces between them), any difference refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache

from costpol.pipeline.wording import (
    CALENDAR,
    COUNTS,
    FILLERS,
    NEGATIONS,
    NEGATORS,
    NUMBER_WORDS,
    OPENERS,
    PARTICLES,
    SIDES,
    SIGNS,
    SOURCES,
    TARGETS,
    UNITS,
)

_EDGE = '.,;:!?"()[]{}<>*`\u2026\u00bf\u00a1\u201e\u201c\u201d\u00ab\u00bb'
_SENTENCE_ENDS = (".", "!", "?", ":", "\u2026")


@dataclass(frozen=True, slots=True)
class Reading:
    """What the guards see of one question."""

    words: tuple[str, ...]
    """In their order, without case, surrounding punctuation, apostrophes and the genitive's `s`."""
    vocabulary: frozenset[str]
    numbers: tuple[str, ...]
    negations: int
    sides: dict[int, frozenset[int]]
    entities: frozenset[str]
    named_first: bool
    """Whether the first word has a capital and does not look like the beginning of any question."""
    readable: bool


def refusing(guards: Collection[str], question: str, cached: str) -> str | None:
    """The first guard that sees a difference between a question and one that is kept, if any.

    Where one of them has no words (a question that was not kept as text), the first guard asked for refuses.
    """
    if question == cached or not guards:
        return None
    left, right = read(question), read(cached)
    for name, differ in _GUARDS:
        if name in guards and (not (left.words and right.words) or differ(left, right)):
            return name
    return None


@lru_cache(maxsize=2048)
def read(text: str) -> Reading:
    """The words of a question and what they tell."""
    if not text.isascii():
        text = text.replace("\u2019", "'").replace("\u2212", "-")
    written: list[str] = []
    starts: list[bool] = []
    begins = True
    for token in text.split():
        word = token.strip(_EDGE)
        if word:
            parts = word.split("/") if "/" in word else [word]
            if len(parts) > 1 and not all(map(str.isalpha, parts)):
                parts = [word]  # a path or a fraction, not an "or"
            written += parts
            starts += [begins] * len(parts)
        begins = token.endswith(_SENTENCE_ENDS)
    words = tuple([_plain(word) for word in written])
    return Reading(
        words=words,
        vocabulary=frozenset(words),
        numbers=tuple(sorted(_numbers(written, words))),
        negations=len([word for word in words if word in NEGATORS or word[:4] == "non-"]),
        sides=_sides(words),
        entities=_entities(written, words, starts),
        named_first=bool(written) and written[0][0].isupper() and words[0] not in OPENERS,
        readable=text.isascii() or not any(map(_spaceless, text)),
    )


def _plain(word: str) -> str:
    plain = word.casefold()
    if "'" in plain:
        plain = plain.removesuffix("'s").replace("'", "")
    return plain or word  # a lone apostrophe is its own word


def _spaceless(character: str) -> bool:
    """Whether it belongs to a script that writes no spaces between words: Chinese, Japanese, Thai and its relatives."""
    return (
        "\u0e00" <= character <= "\u0eff"
        or "\u1000" <= character <= "\u109f"
        or "\u1780" <= character <= "\u17ff"
        or "\u2e80" <= character <= "\ua4ff"
        or "\uf900" <= character <= "\ufaff"
        or "\U00020000" <= character <= "\U0003ffff"
    )


def _numbers(written: list[str], words: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    for raw, word in zip(written, words, strict=True):
        if not raw.isalpha() and any(map(str.isdigit, raw)):
            found += _digits(raw)
        elif word in NUMBER_WORDS:
            found.append(NUMBER_WORDS[word])
    return found


def _digits(word: str) -> list[str]:
    """The numbers in a word: `1,000` is 1000, `20.00` is 20, `2/3` is 2 and 3; but version 1.10 is not 1.1."""
    found: list[str] = []
    number = "-" if word[0] == "-" else ""
    for character in word + " ":
        if character.isdigit() or (character in ".," and number[-1:].isdigit()):
            number += character
        elif number:
            number = number.rstrip(".,")
            if number:
                found.append(_canonical(number))
            number = ""
    return found


def _canonical(number: str) -> str:
    groups = number.split(",")
    if all(len(group) == 3 for group in groups[1:-1]) and len(groups[-1].partition(".")[0]) == 3:
        number = "".join(groups)
    number = number.replace(",", ".")
    whole, _, decimals = number.partition(".")
    # Three decimals may be thousands, as half of the world writes them.
    return whole if decimals and decimals.strip("0") == "" and len(decimals) != 3 else number


def _sides(words: tuple[str, ...]) -> dict[int, frozenset[int]]:
    found: dict[int, frozenset[int]] = {}
    before = ""
    for word in words:
        stand = SIDES.get(word)
        if word in PARTICLES:
            stand = SIDES.get(f"{before} {word}", stand)
        elif word in UNITS and (before in COUNTS or before in NUMBER_WORDS or before[-1:].isdigit()):
            stand = UNITS[word]
        elif word[0] in SIGNS or word[-1] in SIGNS:
            stand = SIDES[word[0] if word[0] in SIGNS else word[-1]]
        if stand is not None:
            group, side = stand
            found[group] = found.get(group, frozenset()) | {side}
        before = word
    return found


def _entities(written: list[str], words: tuple[str, ...], starts: list[bool]) -> frozenset[str]:
    """Names, calendar words, addresses and identifiers. A capital at the start of a sentence, or in a text that has
    capitals everywhere, says nothing."""
    inner = [word[0].isupper() for word, start in zip(written, starts, strict=True) if not start]
    capitals = sum(inner)
    telling = capitals * 3 <= len(inner) * 2 or len(inner) < 4
    found: set[str] = set()
    for raw, word, start in zip(written, words, starts, strict=True):
        if word in CALENDAR:
            found.add(word)
        elif word in SIDES and raw.isupper():
            continue  # `EUR`, `ON`: compared by its side
        elif raw.isalpha():
            if not raw.islower() and word != "i":
                named = telling and not start and raw[0].isupper()
                if named or not (raw[1:].islower() or raw[1:].isupper() or not raw[1:]):  # or capitals within
                    found.add(word)
        elif "'" in raw and word in ("im", "ive", "id", "ill"):
            continue
        elif _coded(raw) or (telling and not start and raw[0].isupper()):
            found.add(word)
    return frozenset(found)


def _coded(word: str) -> bool:
    """Whether it is an identifier, an address, a path: letters with digits, or joined by signs that join no words."""
    if any(sign in word for sign in "@/\\_#") or "." in word:
        return any(map(str.isalpha, word))
    return any(map(str.isdigit, word)) and any(map(str.isalpha, word))


def _numbers_differ(left: Reading, right: Reading) -> bool:
    return left.numbers != right.numbers


def _polarity_differs(left: Reading, right: Reading) -> bool:
    if not (left.readable and right.readable) and left.words != right.words:
        return True
    if left.negations % 2 != right.negations % 2:
        return True
    for group, sides in left.sides.items():
        if right.sides.get(group, sides) != sides:
            return True
    ours, theirs = left.vocabulary - right.vocabulary, right.vocabulary - left.vocabulary
    return _negates(ours, theirs) or _negates(theirs, ours)


def _negates(words: frozenset[str], others: frozenset[str]) -> bool:
    """Whether a word is another's denial by its beginning: `unlimited` and `limited`."""
    for word in words:
        if word[:2] in _DENIALS or word[:3] in _DENIALS:
            for beginning in NEGATIONS:
                if word.startswith(beginning) and word[len(beginning) :] in others:
                    return True
    return False


_DENIALS = frozenset(beginning[:3] for beginning in NEGATIONS)


def _entities_differ(left: Reading, right: Reading) -> bool:
    if not (left.readable and right.readable) and left.words != right.words:
        return True
    if not (left.entities <= right.vocabulary and right.entities <= left.vocabulary):
        return True
    if not (left.named_first and right.named_first):
        return False
    return left.words[0] != right.words[0] and left.words[1:] == right.words[1:]


def _order_differs(left: Reading, right: Reading) -> bool:
    if left.words == right.words:
        return False
    (our_from, our_to), (their_from, their_to) = _ends(left.words), _ends(right.words)
    both_ends = (our_from & our_to) | (their_from & their_to)
    if ((our_from & their_to) | (our_to & their_from)) - both_ends:
        return True
    if left.vocabulary != right.vocabulary or len(left.words) != len(right.words):
        return False
    if not left.vocabulary.isdisjoint(_SYMMETRIC) and not (our_from or our_to):
        return False
    ours, theirs = ([word for word in each.words if word not in FILLERS] for each in (left, right))
    return ours != theirs and sorted(ours) == sorted(theirs)


_SYMMETRIC = frozenset({"and", "or", "between", "vs", "versus"})


def _ends(words: tuple[str, ...]) -> tuple[set[str], set[str]]:
    """The words that follow a `from`-like and a `to`-like preposition."""
    sources: set[str] = set()
    goals: set[str] = set()
    for position, word in enumerate(words[:-1]):
        if word in SOURCES or word in TARGETS:
            following = next((w for w in words[position + 1 :] if w not in FILLERS), None)
            if following is not None:
                (sources if word in SOURCES else goals).add(following)
    return sources, goals


_GUARDS: tuple[tuple[str, Callable[[Reading, Reading], bool]], ...] = (
    ("numbers", _numbers_differ),
    ("negation", _polarity_differs),
    ("entities", _entities_differ),
    ("order", _order_differs),
)
