"""Moving to a fresh shard while serving."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest

from costpol.cache.collection import folder_name
from costpol.cache.edge import EdgeCache, open_cache
from costpol.commands import Entry, Hit, LookupExact, LookupSimilar, Scope, Store

GLOBAL = Scope("global", "global")
DIMENSION = 8


def vector_of(question: int) -> np.ndarray:
    vector = np.random.default_rng(question).normal(size=DIMENSION).astype(np.float32)
    return vector / np.linalg.norm(vector)


def entry(question: int, version: int = 0) -> Entry:
    body = f"answer {question}.{version}".encode()
    return Entry("p", f"q{question}", GLOBAL, "faq", "", body, "m", 0.1, 1000.3 + question, 5)


def wear_out(cache: EdgeCache) -> None:
    """Make the cache want a new shard, however little it takes."""
    cache.slack = -(2**40)
    cache.flush()
    cache.slack = 2**40


def shards(directory: Path) -> list[str]:
    return sorted(path.name for path in (directory / folder_name("e")).glob("shard-*"))


def holds(cache: EdgeCache, kept: dict[int, Entry]) -> None:
    """The cache holds these entries, exact and similar, and no others."""
    assert cache.count() == len(kept)
    for question in range(max(kept, default=0) + 2):
        hit = cache.lookup_exact(LookupExact("p", f"q{question}", GLOBAL, 1.0))
        assert hit == (Hit(kept[question], 1.0) if question in kept else None)
    found = cache.lookup_similar(LookupSimilar(vector_of(0), "p", GLOBAL, "faq", 1.0, 10_000))
    assert isinstance(found, tuple)
    assert {hit.entry.body for hit in found} == {kept[q].body for q in kept if q % 5}


def keep(cache: EdgeCache, kept: dict[int, Entry], question: int, version: int) -> None:
    kept[question] = entry(question, version)
    vector = vector_of(question) if question % 5 else None
    assert cache.store(Store(kept[question], vector)) is None


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_lost_or_comes_back_while_the_shard_is_renewed(tmp_path: Path, seed: int) -> None:
    order = random.Random(seed)
    cache = open_cache(tmp_path, "e", DIMENSION)
    kept: dict[int, Entry] = {}
    for question in range(350):
        keep(cache, kept, question, 0)
    wear_out(cache)
    for step in range(8):
        for version in range(20):
            keep(cache, kept, order.randrange(400), 1 + step * 20 + version)
            gone = order.choice(sorted(kept))
            assert cache.purge(id=kept.pop(gone).id) == 1
        cache.sweep(1.0)
    assert shards(tmp_path) == ["shard-2"]
    holds(cache, kept)
    cache.close()
    cache = open_cache(tmp_path, "e", DIMENSION)
    holds(cache, kept)
    wear_out(cache)
    for _ in range(8):
        cache.sweep(1.0)
    assert shards(tmp_path) == ["shard-3"]
    holds(cache, kept)
    cache.close()


def test_a_move_that_was_cut_short_leaves_the_old_shard_in_charge(tmp_path: Path) -> None:
    cache = open_cache(tmp_path, "e", DIMENSION)
    kept: dict[int, Entry] = {}
    for question in range(250):
        keep(cache, kept, question, 0)
    wear_out(cache)
    cache.sweep(1.0)
    cache.sweep(1.0)
    keep(cache, kept, 251, 0)
    assert shards(tmp_path) == ["shard-1", "shard-2"]
    cache.close()
    cache = open_cache(tmp_path, "e", DIMENSION)
    assert shards(tmp_path) == ["shard-1"]
    holds(cache, kept)
    cache.close()


def test_a_move_that_cannot_begin_is_put_off_and_the_cache_serves_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = open_cache(tmp_path, "e", DIMENSION)
    kept: dict[int, Entry] = {}
    keep(cache, kept, 1, 0)
    in_the_way = tmp_path / folder_name("e") / "shard-2"
    in_the_way.write_text("")
    wear_out(cache)
    cache.sweep(1.0)
    assert "put off" in caplog.text
    keep(cache, kept, 2, 0)
    holds(cache, kept)
    in_the_way.unlink()
    wear_out(cache)
    cache.sweep(1.0)
    cache.sweep(1.0)
    assert shards(tmp_path) == ["shard-2"]
    holds(cache, kept)
    cache.close()


def test_a_store_without_waste_is_left_alone(tmp_path: Path) -> None:
    cache = open_cache(tmp_path, "e", DIMENSION)
    for question in range(200):
        cache.store(Store(entry(question), vector_of(question)))
    cache.flush()
    for _ in range(5):
        cache.sweep(1.0)
    assert shards(tmp_path) == ["shard-1"]
    cache.close()


@pytest.mark.parametrize("quantized", [True, False])
def test_a_changed_precision_is_taken_up_while_the_cache_serves(tmp_path: Path, quantized: bool) -> None:
    before = open_cache(tmp_path, "e", DIMENSION, quantized=not quantized)
    kept: dict[int, Entry] = {}
    for question in range(250):
        keep(before, kept, question, 0)
    before.close()
    cache = open_cache(tmp_path, "e", DIMENSION, quantized=quantized)
    for _ in range(10):
        cache.sweep(1.0)
        found = cache.lookup_similar(LookupSimilar(vector_of(7), "p", GLOBAL, "faq", 1.0, 1))
        assert isinstance(found, tuple)
        assert found[0].entry == kept[7]
        assert found[0].similarity == pytest.approx(1.0, abs=2e-3)
    holds(cache, kept)
    cache.close()
    assert shards(tmp_path) == ["shard-2"]
    manifest = json.loads((tmp_path / folder_name("e") / "manifest.json").read_text())
    assert manifest["quantized"] is quantized
    again = open_cache(tmp_path, "e", DIMENSION)
    again.sweep(1.0)
    again.close()
    assert shards(tmp_path) == ["shard-2"], "left as it is where nothing else is wanted"
