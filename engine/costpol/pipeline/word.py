"""What one word tells wherever it stands, worked out once: traffic uses few words, and uses them again and again."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from costpol.pipeline.wording import (
    BEGINNINGS,
    CALENDAR,
    ENDS,
    FILLERS,
    LAST_WORDS,
    NEGATIONS,
    NEGATORS,
    NUMBER_WORDS,
    PARTICLES,
    SIDES,
    SIGNS,
    UNITS,
)

COUNTED, DENYING, SIDED, DATED, UNDOING, COUNTERED = (1 << place for place in range(6))
"""Kinds of words, as bits: numbers, denials, those that may stand on a side, those of the calendar, those that have
something `undone`, those that have `counterparts`."""

_KEPT = 65_536


class Word(Struct, frozen=True, gc=False):
    """What it tells alone, written as in `Reading.words`."""

    kinds: int
    singular: str | None
    """`None` where it carries no meaning."""
    undone: tuple[str, ...]
    """What is left of it if it denies another by its beginning: `limited` of `unlimited`."""
    counterparts: tuple[str, ...]
    """What it becomes by an opposite beginning or end: `postnatal` of `prenatal`, `trainee` of `trainer`."""


def look_up(words: Sequence[str]) -> list[Word]:
    """What each of the words tells."""
    return [*map(_known.__getitem__, words)]


class _Known(dict[str, Word]):
    def __missing__(self, word: str) -> Word:
        if len(self) >= _KEPT:
            self.clear()
        found = self[word] = _tell(word)
        return found


_known = _Known()
"""Not the standard cache: that one moves an entry each time it is asked for, which is most of its cost here."""


def singular(word: str) -> str:
    """The word without the `s` of its plural."""
    return word[:-1] if word[-1] == "s" and len(word) > 3 and word[-2] not in "siu" else word


def _tell(word: str) -> Word:
    undone = tuple([word[len(b) :] for b in NEGATIONS if word.startswith(b) and len(word) > len(b) + 2])
    counterparts = tuple(_counterparts(word)) if len(word) > 4 else ()
    return Word(
        kinds=(COUNTED if word in NUMBER_WORDS else 0)
        | (DENYING if word in NEGATORS or word == "yet" or word[:4] == "non-" else 0)
        | (SIDED if word in _SIDED or word[0] in SIGNS or word[-1] in SIGNS else 0)
        | (DATED if word in CALENDAR else 0)
        | (UNDOING if undone else 0)
        | (COUNTERED if counterparts else 0),
        singular=None if word in FILLERS else singular(word),
        undone=undone,
        counterparts=counterparts,
    )


def _counterparts(word: str) -> list[str]:
    begun = [other + word[size:] for size in _SIZES[: len(word) - 2] for other in BEGINNINGS.get(word[:size], ())]
    ended = [word.removesuffix(end) + other for end, others in ENDS.items() if word.endswith(end) for other in others]
    return begun + ended


_SIDED = SIDES.keys() | UNITS.keys() | PARTICLES | LAST_WORDS.keys()
_SIZES = sorted({len(beginning) for beginning in BEGINNINGS})
