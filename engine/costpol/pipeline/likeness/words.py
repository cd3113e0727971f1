"""The words of a text as a vector: what an embedder blurs, rare words keep apart.

Words and pairs of neighbouring words are hashed with a sign into a fixed number of dimensions, each weighted by how
rare it has been so far. No text is kept, only how often each hash was seen.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate, repeat
from math import sqrt
from typing import NamedTuple
from zlib import crc32

import numpy as np

DIMENSION = 256
_SLOTS = 1 << 16
_MAX_WORDS = 256
"""Words of a long text beyond these do not count: a decision must stay quick."""

_SILENT = b"\0\0\0\0"
"""Stands for a text without words, whose share of anything is nothing."""

_FIRST = np.zeros(1, dtype=np.int64)
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")

Hashes = bytes
"""Of 32 bits each, in their order. As bytes, the words of twenty texts are one array in a single step."""
_Hashed = np.ndarray[tuple[int], np.dtype[np.uint32]]
Vector = np.ndarray[tuple[int], np.dtype[np.float32]]


class Wording(NamedTuple):
    """What the words of a text say."""

    vector: Vector
    """Of unit length; zero without any words."""
    novelty: float
    """The share of them that were never seen before."""
    overlaps: list[float]
    """How much of its words the text shares with each of the others: the cosine of their rarities."""
    coverage: list[float]
    """By rarity, the share of its words that occurs in any text of each group."""


@dataclass(slots=True)
class Words:
    """How many texts each hashed word was in. `texts` is how many were noted."""

    texts: float = 0.0
    seen: np.ndarray[tuple[int], np.dtype[np.float32]] = field(
        default_factory=lambda: np.zeros(_SLOTS, dtype=np.float32)
    )

    def note(self, hashes: Hashes) -> None:
        """Count the words of one more text."""
        self.seen[np.frombuffer(hashes, np.uint32) & (_SLOTS - 1)] += 1
        self.texts += 1

    def compare(self, hashes: Hashes, others: Sequence[Hashes], groups: Sequence[int]) -> Wording:
        """What the words of a text say, alone and beside those of some others, which come in groups of so many.

        All words are looked up at once: a look takes longer than the arithmetic of a hundred words.
        """
        joined = np.frombuffer(b"".join([hashes, *[other or _SILENT for other in others]]), np.uint32)
        own = len(hashes) // 4
        words, joined_others = joined[:own], joined[own:]
        seen = self.seen.take(joined & (_SLOTS - 1))
        rarity = np.log((self.texts + 2.0) / (seen + 1.0))
        vector = _vector(words, rarity[:own])
        novelty = (own - np.count_nonzero(seen[:own])) / own if own else 1.0
        if not own or not others:
            return Wording(vector, novelty, [0.0] * len(others), [0.0] * len(groups))
        rarity *= rarity
        weights = rarity[:own]
        total = float(np.add.reduce(weights))
        ends = np.array([*accumulate([len(other or _SILENT) // 4 for other in others])])
        starts = np.concatenate((_FIRST, ends[:-1]))
        places = words.searchsorted(joined_others)
        shared = (words.take(places, mode="clip") == joined_others).nonzero()[0]
        places = places.take(shared)
        common = np.zeros(len(joined_others), dtype=np.float32)
        common[shared] = weights.take(places)
        totals = np.add.reduceat(rarity[own:], starts).tolist()
        overlaps = np.add.reduceat(common, starts).tolist()
        last = [number - 1 for number in accumulate(groups)]
        covered = np.zeros((len(groups), own), dtype=np.float32)
        covered[ends.take(last).searchsorted(shared, "right"), places] = 1.0
        return Wording(
            vector,
            novelty,
            [each / sqrt(all_ * total + 1e-9) for each, all_ in zip(overlaps, totals, strict=True)],
            [each / (total + 1e-9) for each in covered.dot(weights).tolist()],
        )


def _vector(words: _Hashed, rarity: Vector) -> Vector:
    signed = np.copysign(rarity, (~words).view(np.float32))  # the sign of a number is its highest bit
    vector = np.bincount((words >> 16) & (DIMENSION - 1), signed, DIMENSION).astype(np.float32)
    vector /= np.float32(float(vector.dot(vector)) ** 0.5 + 1e-9)
    return vector


@lru_cache(maxsize=16_384)  # the same stored questions are near again and again
def hash_words(text: str) -> Hashes:
    """The distinct words and pairs of neighbouring words of a text."""
    words = [word.encode() for word in _WORD.findall(text.lower())[:_MAX_WORDS]]
    hashes = [*map(crc32, words)]
    pairs = map(crc32, words[1:], map(crc32, repeat(b" "), hashes))  # a checksum goes on where one before it ended
    return array("I", sorted({*hashes, *pairs})).tobytes()
