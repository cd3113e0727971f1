from __future__ import annotations

from costpol.diagnostics import Span
from costpol.evaluate.excerpt import excerpt, shorten

FILES = {"f": "a: {b: 1,\n    c: 2}\nd: end\n"}


def test_a_place_on_one_line() -> None:
    assert excerpt(Span("f", 3, 4, 3, 7), FILES, 80) == "end"


def test_a_place_over_several_lines_is_put_on_one() -> None:
    assert excerpt(Span("f", 1, 4, 2, 10), FILES, 80) == "{b: 1, c: 2}"


def test_long_pieces_are_cut() -> None:
    assert excerpt(Span("f", 1, 4, 2, 10), FILES, 6) == "{b: 1…"
    assert shorten("a  b\nc", 80) == "a b c"


def test_a_place_in_no_file_has_no_text() -> None:
    assert excerpt(Span("g", 1, 1, 1, 5), FILES, 80) is None
