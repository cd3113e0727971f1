"""Cursor contexts: told from the text alone, and the same as the tree says wherever there is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpol.editor.context import Context, context_at
from costpol.editor.positions import Point, split_lines
from costpol.policy.source import read_source
from costpol.policy.tree import ListTree, ScalarTree, Tree

ROOT = Path(__file__).parents[3]
SHIPPED = sorted([*ROOT.glob("policies/*.yaml"), *ROOT.glob("examples/*/**/*.yaml")])


def at(text: str) -> Context | None:
    """The context of the mark `¦`."""
    before, _, after = text.partition("¦")
    lines = before.split("\n")
    return context_at(before + after, Point(len(lines) - 1, len(lines[-1])))


def scalars(tree: Tree, path: tuple[str | None, ...] = ()) -> Iterator[tuple[ScalarTree, tuple[str | None, ...], bool]]:
    """Every scalar of a tree with its path, and whether it is a key."""
    if isinstance(tree, ScalarTree):
        yield tree, path, False
    elif isinstance(tree, ListTree):
        for item in tree.items:
            yield from scalars(item, (*path, None))
    else:
        for key, value in tree.members:
            yield key, path, True
            yield from scalars(value, (*path, key.text))


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_the_context_is_what_the_tree_says(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    tree = read_source(text.encode(), file.name).tree
    if tree is None:
        pytest.skip("not a policy")
    checked = 0
    for scalar, path, is_key in scalars(tree):
        span = scalar.span
        if span.line != span.end_line or not scalar.text:
            continue
        quote = 0 if scalar.plain else 1
        for column in {span.column - 1 + quote, (span.column + span.end_column) // 2 - 1, span.end_column - 2}:
            context = context_at(text, Point(span.line - 1, column))
            assert context is not None, (scalar, column)
            assert (context.path, bool(context.is_key)) == (path, is_key), (scalar, column)
            assert (
                context.word == text.splitlines()[span.line - 1][span.column - 1 + quote : span.end_column - 1 - quote]
            )
            checked += 1
    assert checked > 3


PATHS = [
    ("¦", (), True, ""),
    ("ki¦", (), True, "ki"),
    ("kind: routing\nru¦", (), True, "ru"),
    ("kind: routing\ndefault: st¦", ("default",), False, "st"),
    ("kind: routing\ndefault:\n  st¦", ("default",), None, "st"),
    ("rules:\n  - ¦", ("rules", None), None, ""),
    ("rules:\n- na¦", ("rules", None), None, "na"),
    ("rules:\n  - name: a\n    ro¦", ("rules", None), True, "ro"),
    ("rules:\n- name: a\n  ¦\n- name: b", ("rules", None), True, ""),
    ("rules:\n- name: a\n¦", (), True, ""),
    ("rules:\n  - when: {int¦", ("rules", None, "when"), True, "int"),
    ("rules:\n  - when: {intent: [faq, b¦", ("rules", None, "when", "intent", None), False, "b"),
    ("rules:\n  - when: {intent: faq, message: {wo¦ }}", ("rules", None, "when", "message"), True, "wo"),
    (
        "rules:\n  - when: {message: {words: [a,\n      b¦",
        ("rules", None, "when", "message", "words", None),
        False,
        "b",
    ),
    ('a: {b: "x, ¦y"}', ("a", "b"), False, "x, y"),
    ('"a b": {"c: d": e¦}', ("a b", "c: d"), False, "e"),
    ("a:\n  'b¦c': 1", ("a",), True, "bc"),
    ("a:\n  b: [1, 2\nc: ¦", ("c",), False, ""),
    ('a:\n  b: "open\nc: ¦', ("c",), False, ""),
    ("a: |\n  b: {\n  c: ¦", ("a",), False, ""),
    ("a: |\n  b: {\nc: ¦", ("c",), False, ""),
    ("a:\n  - - x\n    - y¦", ("a", None, None), None, "y"),
    ("a: https://x.y/z¦", ("a",), False, "https://x.y/z"),
    ("a:\n  b: 1\n\n  # a comment: {\n  ¦", ("a",), True, ""),
    ("a: \U0001f600 b¦", ("a",), False, "\U0001f600 b"),
    ("a:\r\n  b: c¦\r\n", ("a", "b"), False, "c"),
]


@pytest.mark.parametrize(("text", "path", "is_key", "word"), PATHS)
def test_half_typed_text_has_a_context(text: str, path: tuple[str | None, ...], is_key: bool | None, word: str) -> None:
    context = at(text)
    assert context is not None
    assert (context.path, context.is_key, context.word) == (path, is_key, word)


@pytest.mark.parametrize("text", ["# ki¦nd", "a: b # c¦", "a: {b: c} ¦", "a: 1\n...\n¦", "a: [b, # c¦\n"])
def test_comments_and_what_is_closed_have_none(text: str) -> None:
    assert at(text) is None


def test_keys_above_and_below_are_known() -> None:
    context = at("rules:\n  - name: a\n    ¦\n    route: b\n  - when: {}\n")
    assert context is not None
    assert context.written == {"name", "route"}


def test_keys_between_brackets_are_known() -> None:
    context = at("a: {b: 1, c: {d: 2}, e¦")
    assert context is not None
    assert context.written == {"b", "c"}


@given(st.text(alphabet="ab:- \n\r#{}[],\"'|>\\.\t\U0001f600", max_size=80), st.integers(0, 10), st.integers(0, 80))
def test_any_text_has_an_answer_within_its_line(text: str, line: int, column: int) -> None:
    context = context_at(text, Point(line, column))
    if context is not None:
        here = split_lines(text)[line]
        assert 0 <= context.start <= min(column, len(here)) <= context.end <= len(here)
        assert here[context.start : context.end] == context.word
