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
from typing import Any

import numpy as np

DIMENSION = 256
_SLOTS = 1 << 16
_MAX_WORDS = 256
"""Words of a long text beyond these do not count: a decision must stay quick."""

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")

Hashes = np.ndarray[tuple[int], np.dtype[np.int64]]
Places = np.ndarray[Any, np.dtype[np.int64]]
Vector = np.ndarray[tuple[int], np.dtype[np.float32]]


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

    def vector(self, hashes: Hashes) -> tuple[Vector, float]:
        """The unit vector of a text's words (zero without any), and the share of them that were never seen before."""
        if not len(hashes):
            return np.zeros(DIMENSION, dtype=np.float32), 1.0
        seen = self.seen[hashes & (_SLOTS - 1)]
        weights = np.log((self.texts + 2.0) / (seen + 1.0))
        weights[(hashes >> 31) & 1 == 0] *= -1
        vector = np.bincount((hashes >> 16) % DIMENSION, weights, DIMENSION).astype(np.float32)
        length = float(vector @ vector) ** 0.5
        return vector / np.float32(length + 1e-9), float(np.count_nonzero(seen < 1) / len(hashes))

    def overlaps(self, hashes: Hashes, others: Sequence[Hashes], owner: Places) -> tuple[Vector, Vector]:
        """How much of its words a text shares with each of some others (the cosine of their rarities), and the share of
        them that occurs in any other text of the same owner. Owners are counted from 0."""
        sizes = [len(other) for other in others]
        count = int(owner.max()) + 1
        if not len(hashes) or not sum(sizes):
            return np.zeros(len(others), dtype=np.float32), np.zeros(count, dtype=np.float32)
        joined = np.concatenate(others)
        text = np.repeat(np.arange(len(others)), sizes)
        rarity = np.log((self.texts + 2.0) / (self.seen[joined & (_SLOTS - 1)] + 1.0)) ** 2
        own = np.log((self.texts + 2.0) / (self.seen[hashes & (_SLOTS - 1)] + 1.0)) ** 2
        place = np.minimum(np.searchsorted(hashes, joined), len(hashes) - 1)
        shared = hashes[place] == joined
        total = np.bincount(text, rarity, len(others)) * float(own.sum())
        overlaps = np.bincount(text, rarity * shared, len(others)) / np.sqrt(total + 1e-9)
        covered = np.zeros((count, len(hashes)), dtype=np.float32)
        covered[owner[text[shared]], place[shared]] = 1.0
        coverage = (covered * own).sum(axis=1) / (own.sum() + 1e-9)
        return np.asarray(overlaps, dtype=np.float32), np.asarray(coverage, dtype=np.float32)


@lru_cache(maxsize=16_384)  # the same stored questions are near again and again
def hash_words(text: str) -> Hashes:
    """The distinct words and pairs of neighbouring words of a text, hashed to 32 bits, in order of their hashes."""
    words = _WORD.findall(text.lower())[:_MAX_WORDS]
    distinct = dict.fromkeys(words) | dict.fromkeys(f"{one} {other}" for one, other in pairwise(words))
    hashes = {zlib.crc32(word.encode("utf-8", "surrogatepass")) for word in distinct}
    return np.array(sorted(hashes), dtype=np.int64)
