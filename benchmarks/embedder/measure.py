"""What embedders are worth to a semantic cache, on 10,000 shuffled Banking77 messages, three shuffles.

    python benchmarks/embedder/measure.py --data DIR [--artifact FOLDER ...] [--without-transformer]

`DIR` holds `banking77/train.csv` (text, category); its category is the id of the right answer. Only misses are stored,
the nearest neighbour answers from a fixed cosine threshold up, and the threshold is chosen with hindsight: these are
upper bounds for a fixed threshold, good for comparing embedders. Without the data it says `skipped`.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import time
from pathlib import Path

import numpy as np
import stream

from costpol.commands import Failed
from costpol.embedding.measured import STATIC_EN
from costpol.embedding.static import StaticEmbedder

SEEDS = (1, 2, 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--artifact", type=Path, action="append", help="measure this folder, not the built-in one")
    parser.add_argument("--without-transformer", action="store_true", help="needs no torch, gives no correlations")
    arguments = parser.parse_args()
    file = arguments.data / "banking77" / "train.csv"
    if not file.exists():
        print(f"skipped: there is no `{file}`")
        return
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    texts = [row["text"] for row in rows]
    answers = np.unique([row["category"] for row in rows], return_inverse=True)[1]
    print(f"{len(texts)} messages, {answers.max() + 1} answers; hit rate (threshold) at wrong hits <= 1, 2, 5 %")
    reference = None
    if not arguments.without_transformer:
        from teacher import Teacher

        reference = Teacher().embed(texts)
        report("transformer", reference, answers, reference)
    for folder in arguments.artifact or [STATIC_EN]:
        embedder = StaticEmbedder(folder)
        started = time.perf_counter()
        vectors = embed_all(embedder, texts)
        micros = (time.perf_counter() - started) / len(texts) * 1e6
        report(embedder.id, vectors, answers, reference)
        print(f"  {micros:.0f} us a message; at its cache_threshold {embedder.cache_threshold}: ", end="")
        points = [stream.run_stream(vectors, answers, seed, np.array([embedder.cache_threshold]))[0] for seed in SEEDS]
        print(f"hits {mean_of(points, 'hit_rate'):.2%}, wrong {mean_of(points, 'wrong_share'):.2%}")


def embed_all(embedder: StaticEmbedder, texts: list[str]) -> np.ndarray:
    vectors = [embedder.embed(text) for text in texts]
    return np.stack([vector for vector in vectors if not isinstance(vector, Failed)])


def report(name: str, vectors: np.ndarray, answers: np.ndarray, reference: np.ndarray | None) -> None:
    runs = [stream.run_stream(vectors, answers, seed) for seed in SEEDS]
    cells = []
    for target in stream.TARGETS:
        best = [stream.best_within(points, target) for points in runs]
        cells.append(f"{mean_of(best, 'hit_rate'):6.1%} ({mean_of(best, 'threshold'):.3f})")
    correlation = ""
    if reference is not None:
        all_pairs, near = stream.spearman(vectors, reference, 0), stream.near_spearman(vectors, reference, 0)
        correlation = f"  Spearman {all_pairs:.3f}, near pairs {near:.3f}"
    print(f"{name:26} {'  '.join(cells)}{correlation}", flush=True)


def mean_of(points: list[stream.Point], field: str) -> float:
    return statistics.mean(getattr(point, field) for point in points)


if __name__ == "__main__":
    main()
