"""Cutting texts into rows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpol.embedding.wordpiece import MAX_WORD, WordPiece

PIECES = ["card", "lost", "my", "##s", "##board", "un", "##lock", "?", "cafe", "12", "##3", "_"]


@pytest.fixture
def cut() -> WordPiece:
    return WordPiece(PIECES, buckets=8)


def names(cut: WordPiece, text: str) -> list[str]:
    return [PIECES[row] if row < len(PIECES) else "bucket" for row in cut.rows(text)]


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("my card", ["my", "card"]),
        ("My LOST card?", ["my", "lost", "card", "?"]),
        ("cards", ["card", "##s"]),
        ("cardboards", ["card", "##board", "##s"]),
        ("unlock", ["un", "##lock"]),
        ("CAFÉ", ["cafe"]),
        ("cafe\u0301", ["cafe"]),
        ("my_card", ["my", "_", "card"]),
        ("123", ["12", "##3"]),
        ("my\u00a0\t\ncard", ["my", "card"]),
        ("", []),
        (" \n", []),
    ],
)
def test_words_are_cut_into_the_longest_known_pieces(cut: WordPiece, text: str, want: list[str]) -> None:
    assert names(cut, text) == want


def test_an_unknown_sign_takes_a_bucket_and_the_rest_of_the_word_is_still_read(cut: WordPiece) -> None:
    assert names(cut, "card\u6f22s") == ["card", "bucket", "##s"]


def test_typographic_quotes_are_read_as_typed_ones(cut: WordPiece) -> None:
    assert cut.rows("\u2018my\u2019 \u201ccard\u201d \u2013\u2014\u2026") == cut.rows("'my' \"card\" --...")


def test_unknown_signs_are_told_apart(cut: WordPiece) -> None:
    many = WordPiece(PIECES, buckets=4096)
    assert many.rows("\u6f22") != many.rows("\u5b57")


def test_a_very_long_word_takes_one_bucket(cut: WordPiece) -> None:
    assert names(cut, "card" * MAX_WORD) == ["bucket"]


@given(st.text(max_size=200))
def test_every_row_exists_and_the_same_text_has_the_same_rows(text: str) -> None:
    cut = WordPiece(PIECES, buckets=8)
    rows = cut.rows(text)
    assert all(0 <= row < len(PIECES) + 8 for row in rows)
    assert rows == WordPiece(PIECES, buckets=8).rows(text)


@given(st.text(min_size=1, max_size=50))
def test_case_never_matters_in_ascii(text: str) -> None:
    cut = WordPiece(PIECES, buckets=8)
    if text.isascii():
        assert cut.rows(text.upper()) == cut.rows(text)
