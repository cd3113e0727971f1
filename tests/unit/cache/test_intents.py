"""The index of intent examples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from costpol.cache.intents import IntentIndex
from costpol.commands import Failed, NearestIntents
from costpol.errors import ProvisionError


def units(count: int, dimension: int, seed: int = 3) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_neighbours_are_those_of_a_full_scan(tmp_path: Path) -> None:
    vectors = units(700, 32)
    examples = [(f"intent{n % 7}", f"example {n}", vector) for n, vector in enumerate(vectors)]
    index = IntentIndex(tmp_path / "intents", examples)
    for asked in units(20, 32, seed=4):
        found = index.nearest(NearestIntents(asked, 5))
        cosines = vectors @ asked
        nearest = np.argsort(-cosines)[:5]
        assert isinstance(found, tuple)
        assert [(n.intent, n.example) for n in found] == [examples[i][:2] for i in nearest]
        assert [n.similarity for n in found] == pytest.approx(cosines[nearest], abs=1e-6)
    index.close()


def test_an_example_that_two_intents_share_is_found_for_both(tmp_path: Path) -> None:
    vector = units(1, 8)[0]
    index = IntentIndex(tmp_path / "intents", [("a", "hello", vector), ("b", "hello", vector)])
    found = index.nearest(NearestIntents(vector, 5))
    assert isinstance(found, tuple)
    assert {neighbour.intent for neighbour in found} == {"a", "b"}
    assert all(neighbour.similarity == pytest.approx(1.0, abs=1e-6) for neighbour in found)
    index.close()


def test_no_examples_have_no_neighbours(tmp_path: Path) -> None:
    index = IntentIndex(tmp_path / "intents", [])
    assert index.nearest(NearestIntents(units(1, 8)[0], 5)) == ()
    index.close()


def test_a_vector_that_does_not_fit_is_a_value(tmp_path: Path) -> None:
    index = IntentIndex(tmp_path / "intents", [("a", "hello", units(1, 8)[0])])
    assert index.nearest(NearestIntents(units(1, 9)[0], 5)) == Failed("vector-unfit")
    assert index.nearest(NearestIntents(units(1, 8)[0] * np.float32("nan"), 5)) == Failed("vector-unfit")
    index.close()


def test_examples_of_different_lengths_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ProvisionError, match="different lengths"):
        IntentIndex(tmp_path / "intents", [("a", "x", units(1, 8)[0]), ("b", "y", units(1, 9)[0])])


def test_a_folder_that_is_taken_is_refused(tmp_path: Path) -> None:
    examples = [("a", "hello", units(1, 8)[0])]
    index = IntentIndex(tmp_path / "intents", examples)
    with pytest.raises(ProvisionError, match="cannot be built"):
        IntentIndex(tmp_path / "intents", examples)
    index.close()
