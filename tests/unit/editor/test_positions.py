"""Columns as editors count them, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpol.diagnostics import Span
from costpol.editor.positions import Point, client_column, code_point_column, holds, split_lines

ENCODINGS = ("utf-16", "utf-8", "utf-32")


@given(st.text(max_size=30), st.integers(0, 30), st.sampled_from(ENCODINGS))
def test_a_column_survives_the_way_to_the_client_and_back(line: str, column: int, encoding: str) -> None:
    column = min(column, len(line))
    assert code_point_column(line, client_column(line, column, encoding), encoding) == column


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_columns_are_the_lengths_of_encoded_text(line: str) -> None:
    assert client_column(line, len(line)) == len(line.encode("utf-16-le")) // 2
    assert client_column(line, len(line), "utf-8") == len(line.encode())
    assert client_column(line, len(line), "utf-32") == len(line)


def test_a_column_inside_of_a_character_is_that_of_the_character() -> None:
    assert code_point_column("a\U0001f600b", 2) == 1
    assert code_point_column("a\U0001f600b", 3) == 2


def test_a_column_behind_the_line_is_its_end() -> None:
    assert code_point_column("abc", 99) == 3


def test_lines_break_only_where_the_language_breaks_them() -> None:
    assert split_lines("a\r\nb\rc\nd\x0be") == ["a", "b", "c", "d\x0be"]


@pytest.mark.parametrize(("line", "column", "inside"), [(1, 2, True), (1, 5, True), (1, 6, False), (1, 1, False)])
def test_a_span_holds_both_of_its_ends(line: int, column: int, inside: bool) -> None:
    assert holds(Span("f", 2, 3, 2, 6), Point(line, column)) is inside
