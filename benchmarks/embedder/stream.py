"""What an embedder is worth to a cache: similarity to the transformer, and hits at a given share of wrong ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

STREAM = 10_000
PAIRS = 200_000
GRID = np.round(np.arange(0.50, 0.9951, 0.005), 4)
TARGETS = (0.01, 0.02, 0.05)


@dataclass(frozen=True)
class Point:
    """One run of the stream: a fixed threshold, and what it served."""

    threshold: float
    hit_rate: float
    wrong_share: float


def run_stream(vectors: np.ndarray, answers: np.ndarray, seed: int, grid: np.ndarray = GRID) -> list[Point]:
    """Send messages in random order; the nearest stored one answers from the threshold up, else the message is stored.

    `vectors` are unit rows, `answers` the id of each message's right answer. A hit is wrong when the ids differ.
    """
    order = np.random.default_rng(seed).permutation(len(vectors))[:STREAM]
    ordered = vectors[order]
    similarity = ordered @ ordered.T
    labels = answers[order]
    points = []
    for threshold in grid:
        stored = np.empty(len(order), dtype=np.int64)
        count = hits = wrong = 0
        for message, row in enumerate(similarity):
            if count:
                near = row[stored[:count]]
                best = near.argmax()
                if near[best] >= threshold:
                    hits += 1
                    wrong += labels[stored[best]] != labels[message]
                    continue
            stored[count] = message
            count += 1
        points.append(Point(float(threshold), hits / len(order), wrong / hits if hits else 0.0))
    return points


def best_within(points: list[Point], target: float) -> Point:
    """With hindsight: the most hits among thresholds whose wrong share keeps the target."""
    within = [point for point in points if point.wrong_share <= target]
    return max(within, key=lambda point: point.hit_rate, default=Point(1.0, 0.0, 0.0))


def spearman(first: np.ndarray, second: np.ndarray, seed: int, pairs: int = PAIRS) -> float:
    """Rank correlation of the cosines that two embedders give the same random pairs of texts."""
    rng = np.random.default_rng(seed)
    left, right = rng.integers(0, len(first), (2, pairs))
    left, right = left[left != right], right[left != right]
    return _rank_correlation(_cosines(first, left, right), _cosines(second, left, right))


def near_spearman(first: np.ndarray, second: np.ndarray, seed: int, texts: int = 2_000, nearest: int = 20) -> float:
    """The same among near pairs only: each text with its `nearest` by the second embedder. Caches live there."""
    chosen = np.random.default_rng(seed).choice(len(first), min(texts, len(first)), replace=False)
    similarity = second[chosen] @ second.T
    similarity[np.arange(len(chosen)), chosen] = -1
    right = np.argpartition(-similarity, nearest, axis=1)[:, :nearest].ravel()
    left = np.repeat(chosen, nearest)
    return _rank_correlation(_cosines(first, left, right), _cosines(second, left, right))


def _cosines(vectors: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->i", vectors[left], vectors[right])


def _rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    ranks = [np.argsort(np.argsort(values)) for values in (first, second)]
    return float(np.corrcoef(*ranks)[0, 1])
