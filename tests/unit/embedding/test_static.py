"""The built-in embedder: its artifact and its vectors."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpol.commands import Failed
from costpol.embedding.embedder import EMPTY_TEXT
from costpol.embedding.measured import STATIC_EN
from costpol.embedding.static import MAX_CHARACTERS, MAX_TOKENS, StaticEmbedder
from costpol.errors import ProvisionError

EMBEDDER = StaticEmbedder(STATIC_EN)


def cosine(one: str, other: str) -> float:
    first, second = EMBEDDER.embed(one), EMBEDDER.embed(other)
    assert not isinstance(first, Failed)
    assert not isinstance(second, Failed)
    return float(first @ second)


def test_a_paraphrase_is_nearer_than_another_question() -> None:
    question = "How do I reset my password?"
    assert cosine(question, "i forgot my password, how can i change it") > cosine(question, "Where is my parcel?") + 0.3


def test_the_same_words_in_another_case_have_the_same_vector() -> None:
    assert cosine("Where is MY parcel?", "where is my parcel?") == pytest.approx(1)


def test_the_order_of_words_counts_a_little() -> None:
    one, other = "transfer money from savings to checking", "transfer money from checking to savings"
    assert 0.8 < cosine(one, other) < 0.98


def test_unknown_words_still_tell_texts_apart() -> None:
    assert cosine("what does \u6f22 mean", "what does \u5b57 mean") < 0.999


@given(st.text(max_size=300))
def test_every_text_has_a_unit_vector_or_a_reason(text: str) -> None:
    vector = EMBEDDER.embed(text)
    if isinstance(vector, Failed):
        assert vector == EMPTY_TEXT
    else:
        assert vector.dtype == np.float32
        assert vector.shape == (EMBEDDER.dimension,)
        assert float(vector @ vector) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_a_text_without_a_word_has_no_vector(text: str) -> None:
    assert EMBEDDER.embed(text) == EMPTY_TEXT


def test_beyond_the_bound_only_beginning_and_end_count() -> None:
    half = "where is my parcel? " * (MAX_CHARACTERS // 40 + 1)
    head, tail = half[: MAX_CHARACTERS // 2], half[-MAX_CHARACTERS // 2 :]
    assert cosine(head + tail, head + " something else entirely " * 9 + tail) == pytest.approx(1)


def test_many_tokens_in_few_characters_are_bounded_too() -> None:
    head, tail = "a " * (MAX_TOKENS // 2), " z" * (MAX_TOKENS // 2)
    assert cosine(head + tail, head + "unseen" + tail) == pytest.approx(1)
    assert cosine(head + tail, "unseen " * 99 + head + tail) < 0.99


def test_waiting_gives_the_same_vector() -> None:
    waited = asyncio.run(EMBEDDER.embed_async("where is my parcel?"))
    assert np.array_equal(waited, EMBEDDER.embed("where is my parcel?"))


def test_the_id_names_the_files_that_are_there() -> None:
    digest = hashlib.sha256()
    for name in ("vocabulary.txt", "vectors.npy", "scales.npy"):
        digest.update((STATIC_EN / name).read_bytes())
    manifest = json.loads((STATIC_EN / "manifest.json").read_text())
    digest.update(str(manifest["order_weight"]).encode())
    assert manifest["digest"] == digest.hexdigest()
    assert EMBEDDER.id == f"static-en/{manifest['version']}-{digest.hexdigest()[:8]}/{EMBEDDER.dimension}"


def test_it_is_small_and_carries_its_licence_and_provenance() -> None:
    assert sum(file.stat().st_size for file in STATIC_EN.iterdir()) < 16_000_000
    assert "Apache License" in (STATIC_EN / "LICENSE").read_text()
    assert "all-MiniLM-L6-v2" in (STATIC_EN / "PROVENANCE.md").read_text()


def test_the_thresholds_are_cosines_in_order() -> None:
    assert 0 < EMBEDDER.similarity_floor < EMBEDDER.cache_threshold < 1


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(STATIC_EN, tmp_path / "copy"))


@pytest.mark.parametrize("name", ["manifest.json", "vocabulary.txt", "vectors.npy", "scales.npy"])
def test_a_missing_file_is_said(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(ProvisionError, match=name):
        StaticEmbedder(copy)


@pytest.mark.parametrize("name", ["manifest.json", "vocabulary.txt", "vectors.npy", "scales.npy"])
def test_a_torn_file_is_said(copy: Path, name: str) -> None:
    whole = (copy / name).read_bytes()
    (copy / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ProvisionError):
        StaticEmbedder(copy)


def test_objects_in_the_vectors_are_refused(copy: Path) -> None:
    np.save(copy / "vectors.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ProvisionError, match="cannot be read"):
        StaticEmbedder(copy)
