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


@given(st.text(max_size=200))
def test_a_vector_is_of_unit_length_or_empty(text: str) -> None:
    vector, novelty = noted("where is my card").vector(hash_words(text))
    assert float(vector @ vector) == pytest.approx(1.0 if vector.any() else 0.0, abs=1e-4)
    assert 0 <= novelty <= 1


def test_rare_words_weigh_more() -> None:
    words = noted(*["please help me"] * 50, "passport lost")
    common, rare = (
        words.overlaps(hash_words("please passport"), [hash_words(other)])[0] for other in ("please", "passport")
    )
    assert rare > common


def test_a_text_overlaps_with_itself_wholly_and_with_strangers_not_at_all() -> None:
    words = noted("where is my card", "what is the rate")
    question = hash_words("where is my card")
    overlaps = words.overlaps(question, [question, hash_words("quite other things"), hash_words("")])
    assert np.allclose(overlaps, [1, 0, 0], atol=1e-4)


def test_known_words_are_not_novel() -> None:
    words = noted("where is my card")
    assert words.vector(hash_words("where is my card"))[1] == 0
    assert words.vector(hash_words("hello world"))[1] == 1
