"""Defaults that belong to an embedder: where an intent ends, and from where one answer may serve another question.

Both are chosen on CLINC150's training part (in scope) and its out-of-scope training messages.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import stream
from corpus import CLINC

POLICIES = 200
INTENTS, EXAMPLES, PROBES = 8, 8, 20
"""A policy as people write them: a few intents with a few examples each; then messages of these intents and others."""

STRANGERS_ADMITTED = 0.05
"""The share of messages of no intent that may come out above the floor."""

WRONG_HITS = 0.005
"""The share of wrong hits that a fixed threshold may give on CLINC150, whose intents lie further apart than most."""


@dataclass(frozen=True)
class Labelled:
    """CLINC150's training messages: texts, their intents by number, and texts of no intent."""

    texts: list[str]
    intents: np.ndarray
    strangers: list[str]


def read_labelled(data: Path) -> Labelled:
    parts = json.loads((data / CLINC).read_text(encoding="utf-8"))
    texts, names = zip(*parts["train"], strict=True)
    return Labelled(list(texts), np.unique(names, return_inverse=True)[1], [text for text, _ in parts["oos_train"]])


def nearest_example(
    vectors: np.ndarray, intents: np.ndarray, strangers: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Cosine to the nearest example, over many small policies: of messages in scope, and of strangers (messages of
    other intents, and of none)."""
    rng = np.random.default_rng(seed)
    inside, outside = [], []
    for _ in range(POLICIES):
        chosen = rng.choice(intents.max() + 1, INTENTS, replace=False)
        members = [rng.permutation(np.flatnonzero(intents == intent)) for intent in chosen]
        examples = vectors[np.concatenate([member[:EXAMPLES] for member in members])]
        probes = vectors[np.concatenate([member[EXAMPLES : EXAMPLES + PROBES] for member in members])]
        others = rng.permutation(np.flatnonzero(~np.isin(intents, chosen)))[: INTENTS * PROBES]
        inside.append((probes @ examples.T).max(axis=1))
        outside.append((np.concatenate([vectors[others], strangers]) @ examples.T).max(axis=1))
    return np.concatenate(inside), np.concatenate(outside)


def similarity_floor(inside: np.ndarray, outside: np.ndarray) -> float:
    """The smallest cosine, in steps of 0.01, that admits few enough strangers."""
    floor = math.ceil(float(np.quantile(outside, 1 - STRANGERS_ADMITTED)) * 100) / 100
    print(
        f"floor {floor}: {np.mean(inside >= floor):.1%} in scope kept, {np.mean(outside >= floor):.1%} others admitted"
    )
    return floor


def cache_threshold(vectors: np.ndarray, intents: np.ndarray) -> float:
    """The smallest fixed threshold, in steps of 0.01, that keeps the share of wrong hits over three shuffles."""
    grid = np.round(np.arange(0.80, 1.0, 0.01), 2)
    runs = [stream.run_stream(vectors, intents, seed, grid) for seed in (1, 2, 3)]
    for points in zip(*runs, strict=True):
        hits = sum(point.hit_rate for point in points)
        wrong = sum(point.hit_rate * point.wrong_share for point in points)
        if wrong <= WRONG_HITS * hits:
            print(f"cache threshold {points[0].threshold}: {hits / len(points):.1%} hits on CLINC150")
            return points[0].threshold
    raise SystemExit("no threshold below 1 keeps the share of wrong hits")
