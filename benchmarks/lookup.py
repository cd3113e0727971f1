"""What a cache lookup costs: `EdgeCache` beside a brute-force scan, on one core.

    PYTHONPATH=engine taskset -c 0 python benchmarks/lookup.py [--entries 10000 50000] [--body 2000]

Vectors are 200 clusters with noise, of unit length, 256 dimensions; a lookup is filtered on tenant (10), intent (8)
and life (half of the entries have expired), and asks for 5 candidates with their bodies, as the decision flow does.
The baseline is numpy with the same filters as boolean masks over all entries; it keeps nothing on disk.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np

from costpol.cache.edge import EdgeCache, open_cache
from costpol.cache.intents import IntentIndex
from costpol.commands import Entry, Failed, LookupExact, LookupSimilar, NearestIntents, Scope, Store

DIMENSION, TENANTS, INTENTS, LIMIT, ROUNDS = 256, 10, 8, 5, 1000
NOW = 1_000_000.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, nargs="+", default=[10_000, 50_000])
    parser.add_argument("--body", type=int, default=2_000, help="bytes of an answer")
    options = parser.parse_args()
    print(f"{'':44}{'p50 ms':>10}{'p99 ms':>10}")
    for count in options.entries:
        measure(count, options.body)
    measure_intents(2_000)


def measure(count: int, body_size: int) -> None:
    rng = np.random.default_rng(count)
    vectors = clustered(rng, count)
    lives = NOW + rng.uniform(-3600, 3600, count)
    body = json.dumps({"choices": [{"message": {"content": "answer \n " * (body_size // 10)}}]}).encode()
    entries = [entry(number, float(lives[number]), body) for number in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        cache = open_cache(Path(folder), "benchmark", DIMENSION, max_entries=count)
        stores = iter(range(count))
        report(f"{count:,} entries: store", timed(lambda: put(cache, entries, vectors, next(stores)), count))
        report(f"{count:,} entries: exact, found or not", timed(lambda: ask_exact(cache, entries, rng), ROUNDS))
        for limit in (1, LIMIT, 10):
            report(f"{count:,} entries: similar, {limit}", timed(asking(cache, entries, vectors, rng, limit), ROUNDS))
        cache.close()
        started = time.perf_counter()
        cache = open_cache(Path(folder), "benchmark", DIMENSION, max_entries=count)
        opening = time.perf_counter() - started
        report(f"{count:,} entries: similar, {LIMIT}, reopened", timed(asking(cache, entries, vectors, rng), ROUNDS))
        report(f"{count:,} entries: numpy scan, {LIMIT}", timed(scanning(vectors, lives, entries, rng), ROUNDS))
        files = [path.stat() for path in Path(folder).rglob("*") if path.is_file()]
        print(
            f"{count:,} entries: reopened in {opening:.2f} s, {sum(s.st_blocks for s in files) * 512 / 2**20:.0f} MiB"
        )
        report(f"{count:,} entries: store when full", timed(overfilling(cache, vectors, body), 2 * count // 50))
        cache.close()


def measure_intents(count: int) -> None:
    rng = np.random.default_rng(1)
    vectors = clustered(rng, count)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        index = IntentIndex(Path(folder) / "intents", [(f"i{n % 50}", f"e{n}", v) for n, v in enumerate(vectors)])
        print(f"{count:,} intent examples: built in {time.perf_counter() - started:.2f} s")
        report(
            f"{count:,} intent examples: nearest {LIMIT}",
            timed(lambda: answered(index.nearest(NearestIntents(near(rng, vectors), LIMIT))), ROUNDS),
        )
        index.close()


def clustered(rng: np.random.Generator, count: int) -> np.ndarray:
    centres = rng.normal(size=(200, DIMENSION))
    vectors = centres[rng.integers(0, 200, count)] + 0.5 * rng.normal(size=(count, DIMENSION))
    return unit(vectors)


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def near(rng: np.random.Generator, vectors: np.ndarray) -> np.ndarray:
    return unit(vectors[rng.integers(0, len(vectors))] + 0.02 * rng.normal(size=DIMENSION))


def entry(number: int, expires: float, body: bytes) -> Entry:
    scope = Scope("tenant", f"tenant:t{number % TENANTS}")
    intent = f"intent-{number // TENANTS % INTENTS}"
    return Entry("p" * 64, f"{number:064x}", scope, intent, "how do I reset it?" * 3, body, "m", NOW, expires, number)


def put(cache: EdgeCache, entries: list[Entry], vectors: np.ndarray, number: int) -> None:
    answered(cache.store(Store(entries[number], vectors[number])))


def overfilling(cache: EdgeCache, vectors: np.ndarray, body: bytes) -> Callable[[], None]:
    fresh = iter(range(10_000_000, 20_000_000))
    return lambda: answered(cache.store(Store(entry(next(fresh), NOW + 3600, body), vectors[0])))


def ask_exact(cache: EdgeCache, entries: list[Entry], rng: np.random.Generator) -> None:
    asked = entries[rng.integers(0, len(entries))]
    answered(cache.lookup_exact(LookupExact(asked.partition, asked.question, asked.scope, NOW)))


def asking(
    cache: EdgeCache, entries: list[Entry], vectors: np.ndarray, rng: np.random.Generator, limit: int = LIMIT
) -> Callable[[], None]:
    questions = iter([near(rng, vectors) for _ in range(ROUNDS)])
    places = iter(rng.integers(0, len(entries), ROUNDS))

    def ask() -> None:
        place = entries[next(places)]
        command = LookupSimilar(next(questions), place.partition, place.scope, place.intent, NOW, limit)
        answered(cache.lookup_similar(command))

    return ask


def scanning(
    vectors: np.ndarray, lives: np.ndarray, entries: list[Entry], rng: np.random.Generator
) -> Callable[[], None]:
    names: dict[tuple[Scope, str], int] = {}
    places = np.array([names.setdefault((e.scope, e.intent), len(names)) for e in entries])
    questions = iter([near(rng, vectors) for _ in range(ROUNDS)])

    def scan() -> None:
        inside = np.flatnonzero((places == rng.integers(0, len(names))) & (lives > NOW))
        similarities = vectors[inside] @ next(questions)
        best = np.argsort(-similarities)[:LIMIT]
        assert len(best) == LIMIT
        [(entries[inside[row]], float(similarities[row])) for row in best]

    return scan


def answered(reply: object) -> None:
    assert not isinstance(reply, Failed), reply


def timed(call: Callable[[], None], rounds: int) -> np.ndarray:
    seconds = np.empty(rounds)
    for number in range(rounds):
        started = time.perf_counter()
        call()
        seconds[number] = time.perf_counter() - started
    return seconds


def report(name: str, seconds: np.ndarray) -> None:
    middle, slow = np.percentile(seconds * 1000, [50, 99])
    print(f"{name:44}{middle:10.3f}{slow:10.3f}   max {seconds.max() * 1000:.1f}")


if __name__ == "__main__":
    main()
