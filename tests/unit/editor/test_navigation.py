"""Definitions, references and symbols."""

from __future__ import annotations

from typing import Any

import pytest

from costpol.diagnostics import Span
from costpol.editor.navigation import definitions, references, symbols
from costpol.editor.project import Project


def places(spans: list[Span]) -> list[tuple[str, int]]:
    return [(span.file.partition(".")[0], span.line) for span in spans]


@pytest.mark.parametrize(
    ("file", "part", "expected"),
    [
        ("routing.yaml", "default: s¦mall", [("models", 8)]),
        ("routing.yaml", "route: t¦iny", [("models", 5)]),
        ("routing.yaml", "intent: bil¦ling", [("intents", 6)]),
        ("routing.yaml", "[faq, re¦st]", [("intents", 7)]),
        ("models.yaml", "[big, t¦iny]", [("models", 5)]),
        ("models.yaml", "ti¦ny: {", [("models", 5)]),
        ("cache.yaml", "fa¦q", [("intents", 3)]),
        ("prompts.yaml", "template: hel¦lo", [("prompts", 3)]),
        ("prompts.yaml", "hi {{ nam¦e", [("prompts", 15)]),
        ("budgets.yaml", "budgets: c¦ompany", [("budgets", 3)]),
        ("routing.yaml", "kind: r¦outing", []),
    ],
)
def test_a_name_leads_to_its_declaration(cursor: Any, file: str, part: str, expected: list[tuple[str, int]]) -> None:
    bench = cursor(file, part)
    assert places(definitions(bench.project, bench.file, bench.point)) == expected


def test_a_name_in_a_half_typed_file_leads_to_its_declaration(typed: Any) -> None:
    bench = typed("routing.yaml", "kind: routing\nrules:\n  - {name: x, route: str¦ong\n  - [")
    assert places(definitions(bench.project, bench.file, bench.point)) == [("models", 9)]


def test_every_place_of_a_name_is_found(cursor: Any) -> None:
    bench = cursor("intents.yaml", "  f¦aq:")
    found = references(bench.project, bench.file, bench.point)
    assert places(found) == [("cache", 3), ("intents", 3), ("prompts", 17), ("routing", 8)]
    without = references(bench.project, bench.file, bench.point, declarations=False)
    assert places(without) == [("cache", 3), ("prompts", 17), ("routing", 8)]


def test_a_route_counts_for_what_it_is(cursor: Any) -> None:
    bench = cursor("models.yaml", "  ti¦ny: {")
    assert places(references(bench.project, bench.file, bench.point)) == [
        ("models", 5), ("models", 8), ("models", 9), ("routing", 9),
    ]  # fmt: skip


def test_variables_of_two_templates_are_two_things(cursor: Any) -> None:
    bench = cursor("prompts.yaml", "hi {{ nam¦e")
    assert places(references(bench.project, bench.file, bench.point)) == [("prompts", 13), ("prompts", 15)]


def test_the_symbols_of_a_file_are_what_it_declares(project: Project) -> None:
    models = symbols(project.files["models.yaml"])
    assert [(each.name, [child.name for child in each.children]) for each in models] == [
        ("providers", ["main"]), ("models", ["tiny", "big"]), ("tiers", ["small", "strong"]),
    ]  # fmt: skip
    rules = symbols(project.files["routing.yaml"])
    assert [(each.name, each.what) for each in rules] == [("money", "rule"), ("the-rest", "rule")]
    hello = symbols(project.files["prompts.yaml"])[0].children[0]
    assert (hello.name, [each.name for each in hello.children]) == ("hello", ["variables"])
    assert [(each.name, each.what) for each in symbols(project.files["budgets.yaml"])][-1] == ("90%", "rung")


def test_a_symbol_lies_around_its_name(project: Project) -> None:
    def check(found: list[Any]) -> None:
        for each in found:
            span, selection = each.span, each.selection
            assert (span.line, span.column) <= (selection.line, selection.column)
            assert (selection.end_line, selection.end_column) <= (span.end_line, span.end_column)
            check(list(each.children))

    for file in project.files.values():
        check(symbols(file))
