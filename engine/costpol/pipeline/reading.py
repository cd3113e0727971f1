"""What the guards see of a question: its words, numbers, denials, sides, names and its language."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from msgspec import Struct

from costpol.pipeline.numerals import read_numbers
from costpol.pipeline.order import Order, read_order
from costpol.pipeline.word import COUNTED, COUNTERED, DATED, DENYING, SIDED, UNDOING, Word, look_up
from costpol.pipeline.wording import (
    ASKED,
    ASKING,
    BEFORE_ASKED,
    CALENDAR,
    COUNTS,
    FILLERS,
    JOINTS,
    LAST_WORDS,
    NEGATORS,
    NUMBER_WORDS,
    OPENERS,
    ORDINALS,
    PARTICLES,
    PRONOUNS,
    QUESTIONS,
    SIDES,
    SIGNS,
    SUFFIXES,
    TODAY,
    TONGUES,
    UNITS,
    UNSURE,
)

_EDGE = '.,;:!?"()[]{}<>*`\u2026\u00bf\u00a1\u201e\u201c\u201d\u00ab\u00bb'
_SENTENCE_ENDS = (".", "!", "?", ":", "\u2026")
_CLAUSE_ENDS = (".", "!", "?", ":", ";", ",", "\u2026")
_DASHES = ("-", "--", "\u2013", "\u2014")
_BRACKETS = {"[": "]", "<": ">", "{": "}"}
_KEPT = 16_384
"""Readings that are remembered: the same stored questions are near again and again."""


class Reading(Struct, frozen=True, gc=False):
    """What the guards see of one question."""

    words: tuple[str, ...]
    """In their order, without case, surrounding punctuation, apostrophes and the genitive's `s`."""
    vocabulary: frozenset[str]
    numbers: tuple[str, ...]
    soft_numbers: tuple[str, ...]
    """Those of them that often are none, such as `first`."""
    denied: frozenset[str]
    """The word that follows each denial; empty where none remains."""
    affirmed: frozenset[str]
    """The words of clauses without a denial, where others have one."""
    sides: dict[int, frozenset[int]]
    entities: frozenset[str]
    undone: frozenset[str]
    """What is left of words that may deny another by their beginning: `limited` of `unlimited`."""
    counterparts: frozenset[str]
    """What its words become by an opposite beginning or end."""
    order: Order
    named_first: bool
    """Whether the first word has a capital and does not look like the beginning of any question."""
    tongue: str | None
    """Its language, where the commonest words show it."""
    readable: bool


@lru_cache(maxsize=_KEPT)
def read(text: str) -> Reading:
    """The words of a question and what they tell."""
    if not text.isascii():
        text = text.replace("\u2019", "'").replace("\u2212", "-").replace("\u2192", "->")
    letters = text.rstrip(".!?")
    plain = letters.isascii() and letters.replace(" ", "").isalpha()
    if plain:  # as most questions are: words, spaces, and a mark at the end
        written, placeholders = letters.split(), _NONE
        words = tuple(letters.lower().split())
        starts = [True, *[False] * (len(words) - 1)]
        breaks = [len(words)] if len(letters) < len(text) else []
    else:
        written, starts, breaks, placeholders = _split(text)
        words = tuple([_plain(word) for word in written])
    known = look_up(words)
    kinds = 0
    for word in known:
        kinds |= word.kinds
    vocabulary = frozenset(words)
    counted = kinds & COUNTED or not (plain or ("-" not in text and not _has_digit(text)))
    numbers, soft = read_numbers(written, words) if counted else ((), ())
    denied, affirmed = _denials(words, breaks) if kinds & DENYING else (_NONE, _NONE)
    sides = _sides(words, known) if kinds & SIDED else _NO_SIDES
    if not plain or not letters.islower():
        entities = placeholders | _entities(written, words, starts)
    else:
        entities = vocabulary & CALENDAR - TODAY if kinds & DATED else _NONE
    return Reading(
        words=words,
        vocabulary=vocabulary,
        numbers=numbers,
        soft_numbers=soft,
        denied=denied,
        affirmed=affirmed,
        sides=sides,
        entities=entities,
        undone=frozenset([rest for word in known for rest in word.undone]) if kinds & UNDOING else _NONE,
        counterparts=frozenset([each for word in known for each in word.counterparts]) if kinds & COUNTERED else _NONE,
        order=read_order(words, lettered="a" in vocabulary and _lettered(written, starts)),
        named_first=bool(written) and written[0][0].isupper() and words[0] not in OPENERS,
        tongue=_tongue(words, vocabulary),
        readable=text.isascii() or not any(map(_spaceless, text)),
    )


def _split(text: str) -> tuple[list[str], list[bool], list[int], frozenset[str]]:
    """The words as they are written; whether a sentence begins with each; where clauses end, as places of words; and
    the placeholders among them."""
    written: list[str] = []
    starts: list[bool] = []
    breaks: list[int] = []
    placeholders: set[str] = set()
    begins = True
    for token in text.split():
        if token in _DASHES:
            begins = True
            breaks.append(len(written))
            continue
        word = token.strip(_EDGE)
        if word:
            if word is not token and _BRACKETS.get(token[0]) == token.rstrip(".,;:!?")[-1]:
                placeholders.add(word.casefold())  # `[NAME]`, `<EMAIL_1>`
            parts = [word] if word.isalpha() else _parts(word)
            written += parts
            starts += [begins] * len(parts)
        if token.endswith(_CLAUSE_ENDS):
            breaks.append(len(written))
        begins = token.endswith(_SENTENCE_ENDS)
    return written, starts, breaks, frozenset(placeholders)


def _has_digit(text: str) -> bool:
    return any(map(str.isdecimal, text))


def _parts(word: str) -> list[str]:
    """A word that is several: `cat/dog`, `4pm`, `bad.This`, `card...how`; an ordinal is its number."""
    if "..." in word or "\u2026" in word:
        return [part for part in word.replace("\u2026", "...").split("...") if part]
    if "/" in word:
        parts = word.rstrip("/").split("/")
        return parts if all(map(str.isalpha, parts)) else [word]  # else a path or a fraction, not an "or"
    if word[0].isdecimal() or (word[0] in SIGNS and word[1:2].isdecimal()):
        digits = word.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
        suffix = word[len(digits) :].casefold()
        if suffix in ORDINALS and digits.isdigit():
            return [digits]
        return [digits, suffix] if suffix in SUFFIXES else [word]
    left, dot, right = word.partition(".")
    if dot and left.isalpha() and right.isalpha() and right[0].isupper() and right.casefold() in OPENERS:
        return [left, right]
    return [word]


def _plain(word: str) -> str:
    plain = word.casefold()
    if "'" in plain:
        plain = plain.removesuffix("'s").replace("'", "")
    elif "-" in plain and any(map(str.isdigit, plain)) and any(map(str.isalpha, plain)):
        plain = plain.replace("-", "")  # `W-2` is `w2`
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


def _denials(words: Sequence[str], breaks: Sequence[int]) -> tuple[frozenset[str], frozenset[str]]:
    """The words denied by clauses that say no, and all words of the other clauses. Two denials in one clause cancel
    each other."""
    denied: set[str] = set()
    affirmed: set[str] = set()
    ends = set(breaks)
    begin = 0
    heads: list[str] = []
    for place, word in enumerate((*words, "")):
        if place == len(words) or (place > begin and (place in ends or word in JOINTS)):
            if len(heads) % 2:
                denied.update(heads)
            else:
                affirmed.update(words[begin:place])
            begin, heads = place, []
        if word[:4] == "non-":
            heads.append(word[4:])
        elif (word in NEGATORS and not _says_nothing(words, place, ends)) or tuple(words[place : place + 2]) == _YET:
            heads.append(next((w for w in words[place + 1 : place + 6] if w not in FILLERS), ""))
    return frozenset(denied), frozenset(affirmed)


_NONE: frozenset[str] = frozenset()
_YET = ("yet", "to")


def _says_nothing(words: Sequence[str], place: int, ends: set[int]) -> bool:
    """Whether a denial denies nothing: `I don't know why`, `or not`, `not only`, `can't I`, `isn't there`."""
    before = words[place - 1] if place else ""
    first, second = (*words[place + 1 : place + 3], "", "")[:2]
    if first in UNSURE and (second in ASKING or second in PRONOUNS):
        return second in ASKING or first in ("figure", "sure")
    if first in ("really", "quite", "exactly") and second in UNSURE:
        return words[place + 3 : place + 4] != () and words[place + 3] in ASKING
    if first in ("find", "remember", "recall"):
        return True
    if first in ("only", "matter", "problem", "worries"):
        return True
    if words[place] in ("not", "no") and before == "or":
        return True
    opens = place == 0 or place in ends
    return opens and words[place].endswith("nt") and first in PRONOUNS


def _sides(words: Sequence[str], known: Sequence[Word]) -> dict[int, frozenset[int]]:
    found: dict[int, frozenset[int]] = {}
    last = len(words) - 1
    for place in [place for place, word in enumerate(known) if word.kinds & SIDED]:
        word, before = words[place], words[place - 1] if place else ""
        stand = SIDES.get(word)
        if word in PARTICLES:
            stand = SIDES.get(f"{before} {word}", stand)
        elif word in UNITS and (before in COUNTS or before in NUMBER_WORDS or before[-1:].isdigit()):
            stand = UNITS[word]
        elif word in QUESTIONS:
            if not (place == last or words[place + 1] in ASKED or before in BEFORE_ASKED):
                stand = None
        elif word[0] in SIGNS or word[-1] in SIGNS:
            stand = SIDES[word[0] if word[0] in SIGNS else word[-1]]
        if place == last and word in LAST_WORDS:
            stand = LAST_WORDS[word]
        if stand is not None:
            group, side = stand
            found[group] = found.get(group, _NOWHERE) | {side}
    return found


_NOWHERE: frozenset[int] = frozenset()
_NO_SIDES: dict[int, frozenset[int]] = {}


def _entities(written: Sequence[str], words: Sequence[str], starts: Sequence[bool]) -> frozenset[str]:
    """Names, calendar words, addresses and identifiers. A capital at the start of a sentence, or in a text that has
    capitals everywhere, says nothing."""
    if all(map(str.islower, written)) and all(map(str.isalpha, written)):
        return _NONE if CALENDAR.isdisjoint(words) else frozenset(words) & CALENDAR - TODAY
    inner = [word[0].isupper() for word, start in zip(written, starts, strict=True) if not start]
    capitals = sum(inner)
    telling = capitals * 3 <= len(inner) * 2 or len(inner) < 4
    found: set[str] = set()
    for raw, word, start in zip(written, words, starts, strict=True):
        if word in CALENDAR:
            if word not in TODAY:  # what is asked without a day is asked for today
                found.add(word)
        elif word in UNITS or (word in SIDES and raw.isupper()):
            continue  # `p.m`, `EUR`, `ON`: compared by its side
        elif raw.isalpha():
            if raw.islower() or (word in OPENERS and (len(raw) < 2 or not raw.isupper() or not telling)):
                continue
            named = telling and not start and raw[0].isupper()
            if named or not (raw[1:].islower() or raw[1:].isupper() or not raw[1:]):  # or capitals within
                found.add(word)
        elif "'" in raw and word in OPENERS | _CONTRACTED:
            continue
        elif _coded(raw) or (telling and not start and raw[0].isupper()):
            found.add(word)
    return frozenset(found)


_CONTRACTED = frozenset(
    "im ive id ill its whats hows wheres whos whens whys thats theres youre youve theyre weve".split()
)


def _lettered(written: Sequence[str], starts: Sequence[bool]) -> bool:
    """Whether an `a` is a letter: a capital within a sentence, or beside other lone letters. `is A bigger than B`."""
    if not _LETTERS.isdisjoint(written):
        return True
    inner = [word for word, start in zip(written, starts, strict=True) if not start]
    return "A" in inner and sum(word[0].isupper() for word in inner) * 3 <= len(inner) * 2


_LETTERS = frozenset("bcdfghjklmnpqrstuvwxzBCDFGHJKLMNPQRSTUVWXZ")
"""That are no words of any language that the guards read."""


def _coded(word: str) -> bool:
    """Whether it is an identifier, an address, a path: letters with digits, or joined by signs that join no words."""
    if any(sign in word for sign in "@/\\_#") or "." in word:
        return any(map(str.isalpha, word))
    return any(map(str.isdigit, word)) and any(map(str.isalpha, word))


def _tongue(words: Sequence[str], vocabulary: frozenset[str]) -> str | None:
    if len(vocabulary & _ENGLISH) > 2:
        return "en"
    counts: dict[str, int] = {}
    for word in words:
        for tongue in _TONGUES_OF.get(word, ()):
            counts[tongue] = counts.get(tongue, 0) + 1
    if not counts:
        return None
    best = max(counts, key=counts.__getitem__)
    count = counts.pop(best)
    return best if count >= 2 and count > max(counts.values(), default=0) else None


_ENGLISH = frozenset(TONGUES["en"].split()).difference(*(TONGUES[name].split() for name in TONGUES if name != "en"))
_TONGUES_OF: dict[str, tuple[str, ...]] = {}
for _name, _words in TONGUES.items():
    for _word in _words.split():
        _TONGUES_OF[_word] = (*_TONGUES_OF.get(_word, ()), _name)
