from __future__ import annotations

import pytest

from costpol.diagnostics import Diagnostic, Severity, Span
from costpol.lint.suppressions import accepted, suppressions


def finding(code: str = "CP605", name: str = "budget-fails-open", line: int = 2, file: str = "a.yaml") -> Diagnostic:
    return Diagnostic(code, name, Severity.WARNING, Span(file, line, 1, line, 5), "message")


def accepts(text: str, *findings: Diagnostic) -> list[bool]:
    taken = accepted(findings, suppressions({"a.yaml": text}))
    return [position in taken for position in range(len(findings))]


def test_a_comment_at_the_end_of_a_line_is_about_that_line() -> None:
    text = "kind: x\nledger_down: allow # costpol: ignore[CP605] it is meant\nlast: 1\n"
    assert accepts(text, finding(line=1), finding(line=2), finding(line=3)) == [False, True, False]


def test_comments_above_are_about_the_next_line_of_content() -> None:
    text = "kind: x\n# costpol: ignore[CP605] it is meant\n\n# more\n  ledger_down: allow\n"
    assert accepts(text, finding(line=1), finding(line=2), finding(line=5)) == [False, False, True]


def test_a_rule_may_be_named_by_its_name_and_several_may_be_listed() -> None:
    text = "x: 1 # costpol: ignore[CP101, budget-fails-open] it is meant\n"
    assert accepts(text, finding(line=1), finding("CP602", "missing-budget", line=1)) == [True, False]


def test_another_file_or_code_is_not_accepted() -> None:
    text = "x: 1 # costpol: ignore[CP605] it is meant\n"
    assert accepts(text, finding(line=1, file="b.yaml"), finding("CP602", "missing-budget", 1)) == [False, False]


@pytest.mark.parametrize("comment", ["ignore", "ignore[]", "ignore[CP605]", "ignore[CP605] approved_by=ada"])
def test_without_codes_or_a_reason_nothing_is_accepted(comment: str) -> None:
    assert accepts(f"x: 1 # costpol: {comment}\n", finding(line=1)) == [False]


def test_a_leak_needs_somebody_who_answers_for_it() -> None:
    leak = finding("CP303", "personal-intent-cached", 1)
    assert accepts("x: 1 # costpol: ignore[CP303] one company\n", leak) == [False]
    assert accepts("x: 1 # costpol: ignore[CP303] approved_by=ada one company\n", leak) == [True]
    assert accepts("x: 1 # costpol: ignore[CP303] one company, approved_by=ada\n", leak) == [True]


def test_the_place_of_a_comment_is_its_own() -> None:
    (comment,) = suppressions({"a.yaml": "x: 1 # costpol: ignore[CP605] why\n"})
    assert comment.span == Span("a.yaml", 1, 6, 1, 34)
    assert (comment.codes, comment.reason, comment.approved_by) == (("CP605",), "why", None)


def test_a_hash_inside_a_word_starts_no_comment() -> None:
    assert suppressions({"a.yaml": "x: a#costpol: ignore[CP605] why\n"}) == []


def test_a_range_reaches_to_where_it_is_enabled_again() -> None:
    text = "a: 1\n# costpol: disable[CP605] meant\nb: 1\nc: 1\n# costpol: enable[CP605]\nd: 1\n"
    assert accepts(text, *(finding(line=line) for line in (1, 3, 4, 6))) == [False, True, True, False]


def test_a_range_that_is_never_enabled_reaches_to_the_end() -> None:
    text = "a: 1\n# costpol: disable[CP605, CP602] meant\nb: 1\n# costpol: enable[CP602]\nc: 1\n"
    assert accepts(text, finding(line=5), finding("CP602", "missing-budget", 5)) == [True, False]


def test_a_whole_file_is_disabled_above_its_content_only() -> None:
    head = "# yaml-language-server: x\n# costpol: disable-file[CP605] meant\na: 1\nb: 1\n"
    assert accepts(head, finding(line=1), finding(line=4), finding("CP602", "missing-budget", 4)) == [True, True, False]
    late = "a: 1\n# costpol: disable-file[CP605] meant\nb: 1\n"
    assert accepts(late, finding(line=1), finding(line=3)) == [False, True]


@pytest.mark.parametrize("verb", ["disable", "disable-file"])
def test_ranges_ask_for_codes_and_reasons_like_any_other(verb: str) -> None:
    for rest in ("", "[]", "[CP605]", " CP605 why"):
        assert accepts(f"# costpol: {verb}{rest}\nx: 1\n", finding(line=2)) == [False]
