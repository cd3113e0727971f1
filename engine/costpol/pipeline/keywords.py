"""All words, phrases and patterns of a policy as one set: a text is scanned once, whatever the number of rules.

RE2 runs in linear time, so a user-written pattern cannot stall a request. A word matches as a whole word: the
characters beside it are no letters, marks or digits. Scripts that are written without spaces have no such boundary.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from costpol.errors import ProvisionError

_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u02bc": "'", "\u201c": '"', "\u201d": '"'})

_POWERS = str.maketrans(
    {"\u00b9": "^1", "\u00b2": "^2", "\u00b3": "^3"}
    | {chr(0x2070 + digit): f"^{digit}" for digit in (0, *range(4, 10))}
    | {chr(0x2080 + digit): f"_{digit}" for digit in range(10)}
)
"""The compatibility form of a power is a plain digit: 5\u00b2 would read 52."""


def normalise(text: str) -> str:
    """One spelling for what a reader takes for the same text: compatibility forms and typographic quotes."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", text.translate(_POWERS)).translate(_APOSTROPHES)


def bare(text: str) -> str:
    """A message without case, outer white space and closing punctuation, for comparing it as a whole."""
    return " ".join(normalise(text).casefold().split()).strip(".!?,;:\u2026\u3002\uff01\uff1f ")


_SPACE = r"[\s\pZ\x0b\x1c-\x1f\x85]+"
"""All that ends a word; RE2's own `\\s` is ASCII only."""


def _word_pattern(word: str) -> str:
    import re2

    text = " ".join(normalise(word).split())
    body = _SPACE.join(re2.escape(part) for part in text.split(" "))
    before = r"(?:^|[^\pL\pM\pN_])" if _bounded(text[:1]) else ""
    after = r"(?:$|[^\pL\pM\pN_])" if _bounded(text[-1:]) else ""
    return f"(?i:{before}{body}{after})"


def _bounded(character: str) -> bool:
    """Whether a word that begins or ends with this character has a boundary there."""
    if unicodedata.category(character or " ")[0] not in "LMN":
        return False
    return not unicodedata.name(character, "").startswith(_SPACELESS)


_SPACELESS = ("CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")


@dataclass(slots=True)
class KeywordCollector:
    """Gathers patterns while a policy is compiled and gives each a number."""

    _numbers: dict[str, int] = field(default_factory=dict)

    def words(self, words: Iterable[str]) -> frozenset[int]:
        """The numbers of words and phrases."""
        return frozenset(self.pattern(_word_pattern(word)) for word in words if word.strip())

    def pattern(self, pattern: str) -> int:
        """The number of a pattern in RE2 syntax."""
        return self._numbers.setdefault(pattern, len(self._numbers))

    def compile(self) -> KeywordSet:
        """The set of everything gathered so far."""
        import re2

        if not self._numbers:
            return KeywordSet(None)
        options = re2.Options()
        options.log_errors = False
        options.max_mem = 64 << 20
        patterns = re2.Set.SearchSet(options)
        try:
            for pattern in self._numbers:  # in the order of their numbers
                patterns.Add(pattern)
            patterns.Compile()
        except re2.error as error:
            raise ProvisionError(
                "the words and patterns of the policy are too many, or repeat too much, for one set",
                help="shorten counted repetitions such as `{1000}`",
            ) from error
        return KeywordSet(patterns)


class KeywordSet:
    """The compiled set."""

    __slots__ = ("_set",)

    def __init__(self, patterns: Any | None) -> None:
        self._set = patterns

    def match(self, text: str) -> frozenset[int]:
        """The numbers of all patterns that occur in a normalised text."""
        if self._set is None:
            return frozenset()
        return frozenset(self._set.Match(text) or ())
