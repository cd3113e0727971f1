from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpol.pipeline.likeness.words import Words, hash_words

ONE = np.zeros(1, dtype=np.int64)


def noted(*texts: str) -> Words:
    words = Words()
    for text in texts:
        words.note(hash_words(text))
    return words


@given(st.text(max_size=200))
def test_a_vector_is_of_unit_length_or_empty(text: str) -> None:
    vector, novelty = noted("where is my card").vector(hash_words(text))
    assert float(vector @ vector) == pytest.approx(1.0 if vector.any() else 0.0, abs=1e-4)
    assert 0 <= novelty <= 1


def test_rare_words_weigh_more() -> None:
    words = noted(*["please help me"] * 50, "passport lost")
    common, rare = (
        words.overlaps(hash_words("please passport"), [hash_words(other)], ONE)[0][0]
        for other in ("please", "passport")
    )
    assert rare > common


def test_a_text_overlaps_with_itself_wholly_and_with_strangers_not_at_all() -> None:
    words = noted("where is my card", "what is the rate")
    question = hash_words("where is my card")
    others = [question, hash_words("quite other things"), hash_words("")]
    overlaps, coverage = words.overlaps(question, others, np.arange(3))
    assert np.allclose(overlaps, [1, 0, 0], atol=1e-4)
    assert np.allclose(coverage, [1, 0, 0], atol=1e-4)


def test_texts_of_one_answer_cover_a_question_together() -> None:
    words = noted("where is it", "my card", "what is the rate")
    texts = [hash_words(text) for text in ("where is it", "is my card lost", "what is the rate")]
    _, coverage = words.overlaps(hash_words("where is my card"), texts, np.array([0, 0, 1]))
    _, alone = words.overlaps(hash_words("where is my card"), texts[:1], ONE)
    assert 1 >= coverage[0] > alone[0] > coverage[1]


def test_known_words_are_not_novel() -> None:
    words = noted("where is my card")
    assert words.vector(hash_words("where is my card"))[1] == 0
    assert words.vector(hash_words("hello world"))[1] == 1
