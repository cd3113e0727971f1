"""Two rules on one stream: the declared limit, and a fixed cosine threshold. Only misses are stored."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from cache.streams import Embedding, Stream
from costpol.pipeline.likeness.evidence import CANDIDATES, Candidate, weigh
from costpol.pipeline.likeness.judgement import judge, learn, serve
from costpol.pipeline.likeness.state import Likeness

GRID = np.round(np.arange(0.5, 0.9951, 0.005), 4)


@dataclass(frozen=True)
class Run:
    """What one rule did on one stream. `verified` hits were answered afresh and count as misses."""

    requests: int
    hits: int
    wrong: int
    verified: int = 0
    decision: float = 0.0
    """Median seconds of evidence and judgement, without embedding and search."""
    fitting: float = 0.0
    """Seconds of all fits together."""

    @property
    def hit_rate(self) -> float:
        return self.hits / self.requests

    @property
    def wrong_share(self) -> float:
        return self.wrong / self.hits if self.hits else 0.0


def order(stream: Stream, seed: int) -> np.ndarray:
    """The order in which the messages come."""
    return np.random.default_rng(seed).permutation(len(stream.texts))


def declared(stream: Stream, embedding: Embedding, limit: float, seed: int) -> Run:
    """`max_wrong_hits: <limit>`."""
    dimension = embedding.vectors.shape[1]
    state = Likeness(embedding.name, dimension)
    chances = np.random.default_rng([seed, 1])
    stored = np.zeros((len(stream.texts), dimension), dtype=np.float32)
    names: list[str] = []
    texts: list[str] = []
    hits = wrong = verified = 0
    fitting, times = 0.0, []
    for row in order(stream, seed):
        vector, text, right = embedding.vectors[row], stream.texts[row], stream.answers[row]
        candidates = nearest(stored, names, texts, vector)
        started = time.perf_counter()
        evidence = weigh(state, vector, text, candidates)
        judgement = judge(state, evidence, intent="all", limit=limit, floor=embedding.floor, chance=chances.random())
        times.append(time.perf_counter() - started)
        if judgement.action == "serve":
            hits += 1
            wrong += judgement.answer != right
            serve(state, evidence, judgement)
            continue
        verified += judgement.action == "verify"
        learn(state, evidence, judgement, right if right in evidence.answers else None, right)
        stored[len(names)] = vector
        names.append(right)
        texts.append(text)
        if state.due:
            started = time.perf_counter()
            state.fit()
            fitting += time.perf_counter() - started
    return Run(len(stream.texts), hits, wrong, verified, float(np.median(times)), fitting)


def nearest(stored: np.ndarray, names: list[str], texts: list[str], vector: np.ndarray) -> list[Candidate]:
    """The nearest stored questions, nearest first."""
    if not names:
        return []
    similarity = stored[: len(names)] @ vector
    count = min(CANDIDATES, len(names))
    found = np.argpartition(-similarity, count - 1)[:count]
    found = found[np.argsort(-similarity[found], kind="stable")]
    return [Candidate(names[place], float(similarity[place]), texts[place]) for place in found]


def fixed(stream: Stream, embedding: Embedding, seed: int, grid: np.ndarray = GRID) -> list[tuple[float, Run]]:
    """Every fixed threshold of a grid, each with a cache of its own."""
    rows = order(stream, seed)
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
