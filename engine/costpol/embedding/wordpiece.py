"""Texts to rows of the vector table: lower case, no accents, words cut into the longest known pieces.

The pieces are BERT's (continuations carry `##`), the search is BERT's greedy one, in plain Python: short messages
mostly find their words whole, and no tokenizer library has to be loaded. What no piece covers is hashed to one of the
`bucket` rows, so that unknown words and signs still tell texts apart.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Sequence

MAX_WORD = 64
"""Longer words (keys, base64, URLs run together) are not cut but hashed whole: the search is quadratic."""

_TYPEWRITTEN = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-", "\u2026": "..."}
)
"""Typographic quotes, dashes and dots: keyboards differ, questions do not."""

_WORD_OR_SIGN = re.compile(r"[^\W_]+|[^\w\s]|_")


class WordPiece:
    """Cuts texts. `pieces[i]` is row `i` of the table; the `buckets` rows after them are for what is unknown."""

    def __init__(self, pieces: Sequence[str], buckets: int) -> None:
        self._rows = {piece: row for row, piece in enumerate(pieces)}
        self._first_bucket = len(pieces)
        self._buckets = buckets
        self._longest = max(map(len, pieces), default=1)

    def rows(self, text: str) -> list[int]:
        """The rows of a text, in its order; empty for a text without a word or sign."""
        text = text.lower()
        if not text.isascii():
            text = _without_accents(text.translate(_TYPEWRITTEN))
        rows: list[int] = []
        known = self._rows
        for word in _WORD_OR_SIGN.findall(text):
            row = known.get(word)
            if row is not None:
                rows.append(row)
            elif len(word) > MAX_WORD:
                rows.append(self._bucket(word))
            else:
                self._cut(word, rows)
        return rows

    def _cut(self, word: str, rows: list[int]) -> None:
        start, prefix = 0, ""
        while start < len(word):
            for end in range(min(len(word), start + self._longest), start, -1):
                row = self._rows.get(prefix + word[start:end])
                if row is not None:
                    break
            else:
                end, row = start + 1, self._bucket(word[start])
            rows.append(row)
            start, prefix = end, "##"

    def _bucket(self, word: str) -> int:
        return self._first_bucket + zlib.crc32(word.encode("utf-8", "surrogatepass")) % self._buckets


def _without_accents(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFD", text) if unicodedata.category(sign) != "Mn")
