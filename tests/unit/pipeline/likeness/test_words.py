from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpol.pipeline.likeness.words import Words, hash_words


def noted(*texts: str) -> Words:
    words = Words()
    for text in texts:
        words.note(hash_words(text))
    return words


@given(st.lists(st.text(max_size=200), min_size=1, max_size=5))
def test_vectors_are_of_unit_length_or_empty(texts: list[str]) -> None:
    words = noted("where is my card")
    for text, vector in zip(texts, words.vectors([hash_words(text) for text in texts]), strict=True):
        assert float(vector @ vector) == pytest.approx(1.0 if vector.any() else 0.0, abs=1e-4)
        assert 0 <= words.novelty(hash_words(text)) <= 1


def test_rare_words_weigh_more() -> None:
    words = noted(*["please help me"] * 50, "passport lost")
    question, common, rare = words.vectors([hash_words(text) for text in ("please passport", "please", "passport")])
    assert question @ rare > question @ common


def test_a_text_is_like_itself_and_not_like_strangers() -> None:
    words = noted("where is my card", "what is the rate")
    texts = ("where is my card", "where is my card", "quite other things", "")
    question, *others = words.vectors([hash_words(text) for text in texts])
    assert np.allclose([question @ other for other in others], [1, 0, 0], atol=0.3)


def test_known_words_are_not_novel() -> None:
    words = noted("where is my card")
    assert words.novelty(hash_words("where is my card")) == 0
    assert words.novelty(hash_words("hello world")) == 1
    assert words.novelty(hash_words("")) == 1
