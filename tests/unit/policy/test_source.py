"""Any bytes are a tree or findings; what YAML readers disagree on is refused with its place."""

from __future__ import annotations

import re
import time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costpol.diagnostics import Diagnostic
from costpol.policy.source import MAX_BYTES, Source, read_source
from costpol.policy.tree import MapTree, ScalarTree, Tree, plain_data

_YAML_PIECES = st.sampled_from(
    [
        *"abc01:-?,[]{}#&*!|>'\"%@`~ \t\n\r\\.",
        ": ",
        "- ",
        "\n  ",
        "kind: x\n",
        "...",
        "---",
        "<<: ",
        "!!int ",
        "\u00e9",
        "\U0001f600",
    ]
)


def _read(text: str) -> Source:
    return read_source(text.encode(), "policy.yaml")


def _places(source: Source) -> list[tuple[str, int, int]]:
    return [(found.code, found.span.line, found.span.column) for found in source.diagnostics]


def _assert_inside(found: Diagnostic, source: Source) -> None:
    lines = re.split(r"\r\n|\r|\n", source.text)
    span = found.span
    assert 1 <= span.line <= span.end_line <= len(lines)
    assert 1 <= span.column <= len(lines[span.line - 1]) + 1
    assert 1 <= span.end_column <= len(lines[span.end_line - 1]) + 1
    assert (span.line, span.column) <= (span.end_line, span.end_column)


def _trees(tree: Tree) -> list[Tree]:
    if isinstance(tree, ScalarTree):
        return [tree]
    members = [part for member in tree.members for part in member] if isinstance(tree, MapTree) else tree.items
    return [tree, *(nested for member in members for nested in _trees(member))]


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a: 1\na: 2\n", "CP002", 2, 1),
        ("a: {b: 1, c: 2, b: 3}\n", "CP002", 1, 17),
        ("1: x\n", "CP003", 1, 1),
        ("true: x\n", "CP003", 1, 1),
        ("null: x\n", "CP003", 1, 1),
        ("1.0: x\n", "CP003", 1, 1),
        ("? \n: 1\n", "CP003", 1, 2),
        ("<<: {a: 1}\n", "CP004", 1, 1),
        ("a: &x 1\n", "CP004", 1, 4),
        ("a: *x\n", "CP004", 1, 4),
        ("&a [*a]\n", "CP004", 1, 1),
        ('a: !!int "x"\n', "CP001", 1, 4),
        ('a: !!bool "maybe"\n', "CP001", 1, 4),
        ("a: !!python/object:os.system x\n", "CP001", 1, 4),
        ("a: !!binary aGk=\n", "CP001", 1, 4),
        ("a: !local x\n", "CP001", 1, 4),
        ("a: ! x\n", "CP001", 1, 4),
        ("a: {{x}}\n", "CP001", 1, 5),
        ("? [a]\n: b\n", "CP001", 1, 3),
        ("a:\tb\n", "CP001", 1, 3),
        ("a: b\t# comment\n", "CP001", 1, 5),
        ("a: b\n\tc: d\n", "CP001", 2, 1),
        ("a: 'x\ty'\t\n", "CP001", 1, 9),
        ("a: \x00b\n", "CP001", 1, 4),
        ("a: \x1bb\n", "CP001", 1, 4),
        ("a: \u2028b\n", "CP001", 1, 4),
        ("a: \ufeffb\n", "CP001", 1, 4),
        ('a: "\\0"\n', "CP001", 1, 4),
        ('a: "\\ud800"\n', "CP001", 1, 7),
        ("%YAML 1.1\n---\na: 1\n", "CP001", 1, 1),
        ("%TAG ! tag:x,2000:\n---\na: 1\n", "CP001", 1, 1),
        ("a: 1\n---\nb: 2\n", "CP001", 2, 1),
        ("a: 1\n...\nb: 2\n", "CP001", 3, 1),
        ("", "CP001", 1, 1),
        ("# only a comment\n", "CP001", 1, 1),
        ("--- \n...\n", "CP001", 2, 1),
        ("- a\n", "CP001", 1, 1),
        ("just text\n", "CP001", 1, 1),
        ("a: b: c\n", "CP001", 1, 5),
        ("a: [1, 2\n", "CP001", 2, 1),
        ('a: "open\n', "CP001", 1, 4),
        ("a: @x\n", "CP001", 1, 4),
    ],
)
def test_what_readers_disagree_on_is_refused_with_its_place(text: str, code: str, line: int, column: int) -> None:
    source = _read(text)
    assert source.tree is None
    assert _places(source)[0] == (code, line, column)
    _assert_inside(source.diagnostics[0], source)


def test_a_byte_that_is_not_utf_8_is_refused_where_it_stands() -> None:
    source = read_source("# \u00e9\na: ".encode() + b"\xff\n", "policy.yaml")
    assert _places(source) == [("CP001", 2, 4)]


def test_a_lone_surrogate_is_refused() -> None:
    source = read_source("a: \ud800".encode(errors="surrogatepass"), "policy.yaml")
    assert _places(source) == [("CP001", 1, 4)]


def test_a_byte_order_mark_at_the_start_is_no_part_of_the_text() -> None:
    source = read_source(b"\xef\xbb\xbfa: 1\n", "policy.yaml")
    assert source.tree is not None
    assert source.tree.members[0][0].span.column == 1


def test_a_duplicate_key_names_both_places() -> None:
    found = _read("a: 1\nb: 2\na: 3\n").diagnostics[0]
    assert (found.span.line, found.related[0].span.line) == (3, 1)


def test_several_findings_are_told_at_once() -> None:
    assert len(_read("a: &x 1\nb: *x\na: 2\n").diagnostics) == 3


def test_findings_in_one_file_are_bounded() -> None:
    source = _read("a: 1\n" * 10_000)
    assert len(source.diagnostics) == 100


def test_columns_count_code_points() -> None:
    source = _read('"\U0001f600\u6f22": {a: 1, a: 2}\n')
    assert _places(source) == [("CP002", 1, 14)]


@pytest.mark.parametrize(
    ("text", "explicit"), [("a: 1\n...\n", True), ("a: 1\n", False), ("a: 1\n... # end\n\n", True)]
)
def test_the_end_marker_is_noticed(text: str, explicit: bool) -> None:
    source = _read(text)
    assert source.tree is not None
    assert source.explicit_end is explicit


def test_no_proper_prefix_of_a_file_ends_with_the_marker() -> None:
    text = "kind: personalization\nexclusions:\n  - {phrases: [my account]}\n...\n"
    for length in range(len(text) - 2):
        assert not _read(text[:length]).explicit_end


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: no", "no"),
        ("a: off", "off"),
        ("a: true", True),
        ('a: "true"', "true"),
        ("a: 1:30", "1:30"),
        ("a: 2024-13-45", "2024-13-45"),
        ("a: 0755", 755),
        ("a: 0x10", 16),
        ("a: 1e-6", Decimal("0.000001")),
        ("a: ~", None),
        ("a:", None),
        ("a: 'x\ty'", "x\ty"),
        ("a: |\n  one\n  two\n", "one\ntwo\n"),
        ("a: [1, {b: c}]", [1, {"b": "c"}]),
        ("a: " + "9" * 5000, "9" * 5000),
    ],
)
def test_plain_data_follows_the_core_schema(text: str, value: object) -> None:
    source = _read(text)
    assert source.tree is not None
    assert plain_data(source.tree) == {"a": value}


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        "{" * 200_000,
        "- " * 200_000,
        "? " * 200_000,
        "a: " * 200_000,
        "{a: " * 200_000,
        "[? " * 200_000,
        "&a " * 200_000,
        "*a " * 200_000,
        "---\n" * 200_000,
        "a: [" + "a," * 500_000,
        "[" + "a: b, " * 160_000,
        '"' + "\n" * 1_000_000,
        '"' + "\\\n" * 500_000,
        "!" * 1_000_000,
        "x\n" * 500_000,
        "'\t'" * 300_000,
        "a: '" + "\t" * 1_000_000,
        "k: " + "9" * 1_000_000,
        "a: [" + "'\t'," * 49_000 + "]",
        "\n".join(" " * depth + "-" for depth in range(1400)),
        "a: &a [" + "*a," * 40_000 + "]",
        "x" * (MAX_BYTES + 1),
    ],
    ids=lambda text: repr(text[:6]),
)
def test_hostile_files_are_refused_quickly(text: str) -> None:
    start = time.perf_counter()
    source = _read(text)
    assert time.perf_counter() - start < 30
    assert source.tree is None or len(source.diagnostics) == 0


def test_a_bomb_of_merge_keys_is_refused_before_it_expands() -> None:
    text = "a0: &a0 {x: 1}\n" + "".join(f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}\n" for i in range(1, 20))
    start = time.perf_counter()
    assert {found.code for found in _read(text).diagnostics} == {"CP004"}
    assert time.perf_counter() - start < 10


@given(st.binary(max_size=200))
def test_any_bytes_are_a_tree_or_findings(data: bytes) -> None:
    source = read_source(data, "policy.yaml")
    assert (source.tree is None) == bool(source.diagnostics)
    for found in source.diagnostics:
        _assert_inside(found, source)


@settings(max_examples=300)
@given(st.lists(_YAML_PIECES, max_size=40).map("".join))
def test_any_text_is_a_tree_whose_places_lie_inside_the_file(text: str) -> None:
    source = _read(text)
    assert (source.tree is None) == bool(source.diagnostics)
    for found in source.diagnostics:
        _assert_inside(found, source)
    if source.tree is not None:
        lines = re.split(r"\r\n|\r|\n", source.text)
        for tree in _trees(source.tree):
            assert 1 <= tree.span.line <= len(lines)
            assert 1 <= tree.span.column <= len(lines[tree.span.line - 1]) + 1
            assert (tree.span.line, tree.span.column) <= (tree.span.end_line, tree.span.end_column)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.text(max_size=30), min_size=1, max_size=5))
def test_text_in_quotes_is_read_back(members: dict[str, str]) -> None:
    import json

    from costpol.policy.source import _REFUSED_IN_TEXT

    text = "".join(f"{name!r}: {json.dumps(value)}\n" for name, value in members.items())
    source = _read(text)
    refused = any(_REFUSED_IN_TEXT.search(value) for value in members.values())
    astral = any(ord(character) > 0xFFFF for value in members.values() for character in value)  # JSON writes surrogates
    if refused or astral or any("\ud800" <= c <= "\udfff" for value in members.values() for c in value):
        return
    assert source.tree is not None
    assert plain_data(source.tree) == members
