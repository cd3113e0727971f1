from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpol.pipeline.likeness.words import Wording, Words, hash_words


def noted(*texts: str) -> Words:
    words = Words()
    for text in texts:
        words.note(hash_words(text))
    return words


def compared(words: Words, text: str, *groups: tuple[str, ...]) -> Wording:
    others = [hash_words(other) for group in groups for other in group]
    return words.compare(hash_words(text), others, [*map(len, groups)])


@given(st.text(max_size=200), st.lists(st.text(max_size=20), max_size=3))
def test_a_vector_is_of_unit_length_or_empty_and_shares_are_shares(text: str, others: list[str]) -> None:
    wording = compared(noted("where is my card"), text, tuple(others)) if others else compared(noted("card"), text)
    assert float(wording.vector @ wording.vector) == pytest.approx(1.0 if wording.vector.any() else 0.0, abs=1e-4)
    assert 0 <= wording.novelty <= 1
    assert all(0 <= share <= 1 + 1e-4 for share in (*wording.overlaps, *wording.coverage))


def test_rare_words_weigh_more() -> None:
    words = noted(*["please help me"] * 50, "passport lost")
    common, rare = compared(words, "please passport", ("please",), ("passport",)).overlaps
    assert rare > common


def test_a_text_overlaps_with_itself_wholly_and_with_strangers_not_at_all() -> None:
    words = noted("where is my card", "what is the rate")
    wording = compared(words, "where is my card", ("where is my card",), ("quite other things",), ("",))
    assert np.allclose(wording.overlaps, [1, 0, 0], atol=1e-4)
    assert np.allclose(wording.coverage, [1, 0, 0], atol=1e-4)


def test_texts_of_one_answer_cover_a_question_together() -> None:
    words = noted("where is it", "my card", "what is the rate")
    both = compared(words, "where is my card", ("where is it", "is my card lost"), ("what is the rate",)).coverage
    (alone,) = compared(words, "where is my card", ("where is it",)).coverage
    assert 1 >= both[0] > alone > both[1]


def test_a_text_is_told_by_the_rarities_of_its_words() -> None:
    """By the definition, one word after the other."""
    words = noted("my card is lost", "my card is blocked", "where is my card", "my pin")
    text, other = "is my card blocked", "my card was blocked again"

    def parts(each: str) -> set[str]:
        return {*each.split(), *map(" ".join, pairwise(each.split()))}

    seen = [parts(each) for each in ("my card is lost", "my card is blocked", "where is my card", "my pin")]

    def square(part: str) -> float:
        return math.log(6 / (sum(part in each for each in seen) + 1)) ** 2

    ours, theirs = ({part: square(part) for part in parts(each)} for each in (text, other))
    shared = sum(ours[part] for part in ours.keys() & theirs.keys())
    wording = compared(words, text, (other,))
    assert wording.overlaps == pytest.approx([shared / math.sqrt(sum(ours.values()) * sum(theirs.values()))], rel=1e-4)
    assert wording.coverage == pytest.approx([shared / sum(ours.values())], rel=1e-4)


def test_known_words_are_not_novel() -> None:
    words = noted("where is my card")
    assert compared(words, "where is my card").novelty == 0
    assert compared(words, "hello world").novelty == 1
