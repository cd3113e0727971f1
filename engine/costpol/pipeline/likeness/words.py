"""The words of a text as a vector: what an embedder blurs, rare words keep apart.

Words and pairs of neighbouring words are hashed with a sign into a fixed number of dimensions, each weighted by how
rare it has been so far. No text is kept, only how often each hash was seen.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

import numpy as np

DIMENSION = 256
_SLOTS = 1 << 16
_MAX_WORDS = 256
"""Words of a long text beyond these do not count: a decision must stay quick."""

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")

Hashes = np.ndarray[tuple[int], np.dtype[np.int64]]
Matrix = np.ndarray[tuple[int, int], np.dtype[np.float32]]


@dataclass(slots=True)
class Words:
    """How many texts each hashed word was in. `texts` is how many were noted."""

    texts: float = 0.0
    seen: np.ndarray[tuple[int], np.dtype[np.float32]] = field(
        default_factory=lambda: np.zeros(_SLOTS, dtype=np.float32)
    )

    def note(self, hashes: Hashes) -> None:
        """Count the words of one more text."""
        self.seen[hashes & (_SLOTS - 1)] += 1
        self.texts += 1

    def novelty(self, hashes: Hashes) -> float:
        """The share of a text's words that were never seen before; 1 where it has none."""
        if not len(hashes):
            return 1.0
        return float(np.count_nonzero(self.seen[hashes & (_SLOTS - 1)] < 1) / len(hashes))

    def vectors(self, texts: Sequence[Hashes]) -> Matrix:
        """One row per text: the unit vector of its words, or zeros where it has none."""
        joined = np.concatenate(texts)
        row = np.repeat(np.arange(len(texts)), [len(hashes) for hashes in texts])
        weights = np.log((self.texts + 2.0) / (self.seen[joined & (_SLOTS - 1)] + 1.0))
        weights[joined >> 31 == 0] *= -1
        places = row * DIMENSION + (joined >> 16) % DIMENSION
        rows = np.bincount(places, weights, len(texts) * DIMENSION).reshape(len(texts), DIMENSION)
        return np.asarray(rows / (np.sqrt((rows * rows).sum(axis=1, keepdims=True)) + 1e-9), dtype=np.float32)


@lru_cache(maxsize=16_384)  # the same stored questions are near again and again
def hash_words(text: str) -> Hashes:
    """The distinct words and pairs of neighbouring words of a text, hashed to 32 bits, in order of their hashes."""
    words = _WORD.findall(text.lower())[:_MAX_WORDS]
    distinct = dict.fromkeys(words) | dict.fromkeys(f"{one} {other}" for one, other in pairwise(words))
    hashes = {zlib.crc32(word.encode("utf-8", "surrogatepass")) for word in distinct}
    return np.array(sorted(hashes), dtype=np.int64)
