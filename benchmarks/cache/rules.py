"""What a rule did on one stream, and the plain rule to compare with: a fixed cosine threshold, without guards."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from cache.streams import Embedding, Stream

GRID = np.round(np.arange(0.5, 0.9951, 0.005), 4)


@dataclass(frozen=True)
class Run:
    """What one rule did on one stream. `verified` would-be hits were answered afresh to learn from them."""

    requests: int
    hits: int
    wrong: int
    verified: int = 0
    decision: float = 0.0
    """Median seconds of the whole decision, embedding, search and storing included."""
    slowest: float = 0.0
    """Seconds of the slowest one: with the largest fit of what was learned."""
    guarded: Counter[str] = field(default_factory=Counter)
    """How often a guard refused the nearest question, by its name."""

    @property
    def hit_rate(self) -> float:
        return self.hits / self.requests

    @property
    def wrong_share(self) -> float:
        return self.wrong / self.hits if self.hits else 0.0


def order(stream: Stream, seed: int, in_order: bool = False) -> np.ndarray:
    """The order in which the messages come: drawn anew for each seed, or nearly their own."""
    if in_order:
        places = np.arange(len(stream.texts)) + np.random.default_rng(seed).normal(size=len(stream.texts)) * 80
        return np.argsort(places)
    return np.random.default_rng(seed).permutation(len(stream.texts))


def fixed(
    stream: Stream, embedding: Embedding, seed: int, grid: np.ndarray = GRID, in_order: bool = False
) -> list[tuple[float, Run]]:
    """Every fixed threshold of a grid, each with a cache of its own."""
    rows = order(stream, seed, in_order)
    vectors = embedding.vectors[rows]
    _, answers = np.unique(np.array(stream.answers)[rows], return_inverse=True)
    similarity = vectors @ vectors.T
    runs = []
    for threshold in grid:
        stored = np.empty(len(rows), dtype=np.int64)
        count = hits = wrong = 0
        for message, row in enumerate(similarity):
            if count:
                near = row[stored[:count]]
                best = near.argmax()
                if near[best] >= threshold:
                    hits += 1
                    wrong += int(answers[stored[best]] != answers[message])
                    continue
            stored[count] = message
            count += 1
        runs.append((float(threshold), Run(len(rows), hits, wrong)))
    return runs


def best_within(runs: list[tuple[float, Run]], limit: float) -> tuple[float, Run]:
    """With hindsight: the most hits among the thresholds that kept the limit."""
    kept = [found for found in runs if found[1].wrong_share <= limit]
    return max(kept, key=lambda found: found[1].hits, default=(1.0, Run(runs[0][1].requests, 0, 0)))
