"""When a message contains a word, and when it *is* a phrase, as the decision flow sees it.

The flow has its own compiled form of this for the request path (one pattern set for all words); a test holds the two
together.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any

_QUOTES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u02bc": "'", "\u201c": '"', "\u201d": '"'})
_SPACES = re.compile("[\t\n\f\r ]+")
_CLOSING = ".!?,;:\u2026\u3002\uff01\uff1f "
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")


def normalise(text: str) -> str:
    """One spelling for what a reader takes for the same text."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text).translate(_QUOTES)


def bare(text: str) -> str:
    """A message without case, outer space and closing punctuation."""
    return " ".join(normalise(text).casefold().split()).strip(_CLOSING)


def word(text: str) -> str:
    """A word or phrase in the one spelling that stands for all that match the same messages."""
    text = " ".join(normalise(text).split())
    return text.lower() if text.isascii() else text


def occurs(phrase: str, text: str) -> bool:
    """Whether a word or phrase (as `word` gives it) occurs in a text, as whole words and whatever the case."""
    if not phrase:
        return False
    spaced = _SPACES.sub(" ", normalise(text))
    plain, whole = phrase.casefold(), spaced.casefold()
    if len(plain) == len(phrase) and len(whole) == len(spaced):  # each letter has one letter for its case
        return _occurs_plainly(plain, whole)
    return beginning(phrase) in whole and _pattern(phrase).search(spaced) is not None


def beginning(phrase: str) -> str:
    """What stands in the `folded` form of every text in which the phrase occurs."""
    return phrase.partition(" ")[0].casefold()


def ends_apart(phrase: str) -> bool:
    """Whether no letter or digit can stand right before or after a phrase: not so in scripts without spaces."""
    return all(_bounded(end) or not (end.isalnum() or end == "_") for end in (phrase[0], phrase[-1]))


def folded(text: str) -> str:
    """A text without case."""
    return normalise(text).casefold()


def found(pattern: str, text: str) -> bool:
    """Whether a user-written RE2 pattern matches somewhere in a text."""
    return _compiled(pattern).search(normalise(text)) is not None


def settles(whole: str, phrase: str) -> bool:
    """Whether a message that is `whole` (bare) surely contains, or surely lacks, the phrase.

    Not where letters beyond ASCII may have been folded, nor where the phrase begins or ends with punctuation that
    `bare` strips.
    """
    return whole.isascii() and phrase.isascii() and phrase[0] not in _CLOSING and phrase[-1] not in _CLOSING


def least_characters(whole: str) -> int:
    """The shortest message that is `whole` (bare): folding case can make three characters of one."""
    return len(whole) - whole.count("ss") if whole.isascii() else -(-len(whole) // 3)


def _occurs_plainly(phrase: str, text: str) -> bool:
    """The same for texts without case, and without compiling a pattern."""
    at = text.find(phrase)
    first, last = (_bounded(phrase[end]) for end in (0, -1)) if at >= 0 else (False, False)
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(phrase) : at + len(phrase) + 1]
        if not (first and _in_word(before)) and not (last and _in_word(after)):
            return True
        at = text.find(phrase, at + 1)
    return False


def _in_word(character: str) -> bool:
    return character.isalnum() or character == "_"


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)


@lru_cache(maxsize=4096)
def _pattern(phrase: str) -> Any:
    import re2

    body = r"\s+".join(re2.escape(part) for part in phrase.split(" "))
    before = r"(?:^|[^\pL\pN_])" if _bounded(phrase[0]) else ""
    after = r"(?:$|[^\pL\pN_])" if _bounded(phrase[-1]) else ""
    return _compiled(f"(?i:{before}{body}{after})")


def _bounded(character: str) -> bool:
    if character.isascii():
        return character.isalnum()
    return character.isalnum() and not unicodedata.name(character, "").startswith(_UNSPACED)
