"""Completions."""

from __future__ import annotations

from typing import Any

import pytest

from costpol.editor.completion import MOST, completions
from costpol.editor.positions import Point
from costpol.editor.project import read_project
from costpol.policy.loader import KINDS


def offered(bench: Any) -> list[str]:
    return [each.insert for each in completions(bench.project, bench.file, bench.point)]


def typed_in(bench: Any) -> list[str]:
    """The lines that the proposals would leave."""
    line = bench.project.files[bench.file].text.split("\n")[bench.point.line]
    found = completions(bench.project, bench.file, bench.point)
    return [line[: each.start] + each.insert + line[each.end :] for each in found]


LACKS = ("tools", "json", "images", "streaming")
RULES = "kind: routing\ndefault: small\nrules:\n"


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("new.yaml", "k¦", ["kind: "]),
        ("routing.yaml", "kind: ¦", list(KINDS)),
        ("routing.yaml", "kind: routing\n¦", ["default: ", "rules:", "fallback:"]),
        ("routing.yaml", "kind: routing\nfa¦: {to: x}", ["default", "rules", "fallback"]),
        ("routing.yaml", RULES + "  - ¦", ["name: ", "when:", "route: ", "max_output_tokens: "]),
        ("routing.yaml", RULES + "  - name: a\n    ¦\n    route: b", ["when:", "max_output_tokens: "]),
        ("routing.yaml", RULES + "  - name: a\n    when:\n      tokens: {mi¦", ["min: ", "max: "]),
        ("routing.yaml", RULES + "  - {name: a, when: {tokens: {min: 1, ¦", ["max: "]),
        ("routing.yaml", RULES + "  - route: ¦", ["tiny", "big", "small", "strong", "requested"]),
        ("routing.yaml", "kind: routing\ndefault: small\nfallback: {to: [¦", ["tiny", "big", "small", "strong"]),
        ("routing.yaml", RULES + "  - when: {intent: ¦", ["faq", "billing", "rest"]),
        ("routing.yaml", RULES + "  - when: {intent: [faq, ¦", ["faq", "billing", "rest"]),
        ("routing.yaml", RULES + "  - when: {stream: ¦", ["true", "false"]),
        ("routing.yaml", RULES + "  - when: {tools: ¦", ["none", "any"]),
        ("routing.yaml", RULES + "  - when:\n      output: te¦", ["text", "json", "schema"]),
        ("routing.yaml", RULES + "  - name: ¦", []),
        ("routing.yaml", "kind: routing\nfallback: {on: [¦", ["429", "5xx", "timeout", "unreachable"]),
        ("models.yaml", "kind: models\nmodels: {a: {provider: ¦", ["main"]),
        ("models.yaml", "kind: models\nproviders: {p: {type: ¦", ["openai"]),
        ("models.yaml", "kind: models\nproviders:\n  p: {base_url: ¦", ["https://api.openai.com/v1"]),
        ("models.yaml", "kind: models\nmodels: {a: {lacks: to¦}}", [f"[{each}]" for each in LACKS]),
        ("cache.yaml", "kind: cache\nembedder: ¦", ["static-en"]),
        ("cache.yaml", "kind: cache\nintents:\n  faq: off\n  ¦", ["billing: ", "rest: "]),
        ("cache.yaml", "kind: cache\nintents: {faq: {scope: ¦}}", ["global", "tenant", "user"]),
        ("prompts.yaml", "kind: prompts\nintents: {faq: {template: ¦", ["hello", "other"]),
        ("budgets.yaml", "kind: budgets\nbudgets:\n  company: {per: day}\nladder: [{budgets: ¦}]", ["company"]),
        ("tests.yaml", "kind: tests\ntests: [{expect: {rule: ¦", ["money", "the-rest", "default"]),
        ("tests.yaml", "kind: tests\ntests: [{spent: {¦", ["company: "]),
        ("cache.yaml", "kind: cache\n# ¦", []),
        ("cache.yaml", "kind: cache\nnothing: {¦", []),
    ],
)  # fmt: skip
def test_what_may_stand_here_is_offered(typed: Any, file: str, text: str, expected: list[str]) -> None:
    assert offered(typed(file, text)) == expected


def test_names_come_from_the_last_good_text(typed: Any) -> None:
    text = "kind: models\nproviders:\n  main: {type: openai\nmodels:\n  new: {provider: ¦"
    assert offered(typed("models.yaml", text)) == ["main"]


def test_the_word_at_the_cursor_is_replaced(typed: Any) -> None:
    assert "  - route: strong # dear" in typed_in(typed("routing.yaml", RULES + "  - route: st¦ro # dear"))
    assert '  - {route: "strong"}' in typed_in(typed("routing.yaml", RULES + '  - {route: "st¦ro"}'))


def test_required_keys_come_first(typed: Any) -> None:
    bench = typed("routing.yaml", RULES + "  - ¦")
    assert [each.label for each in completions(bench.project, bench.file, bench.point) if each.first] == [
        "name", "when", "route",
    ]  # fmt: skip


def test_the_variables_of_a_template_are_offered_in_its_text(typed: Any, texts: dict[str, str]) -> None:
    text = texts["prompts.yaml"].replace("about {{ topic }}", "about {{ ¦")
    assert offered(typed("prompts.yaml", text)) == ["name }}", "topic }}"]
    closed = texts["prompts.yaml"].replace("about {{ topic }}", "about {{ to¦pic }}")
    assert "      about {{ topic }}." in typed_in(typed("prompts.yaml", closed))
    outside = texts["prompts.yaml"].replace("about {{ topic }}", "about ¦")
    assert offered(typed("prompts.yaml", outside)) == []


def test_references_into_the_price_book_are_offered_by_what_is_typed(typed: Any) -> None:
    mini = offered(typed("models.yaml", "kind: models\nmodels: {a: {price: gpt-4.1-m¦"))
    assert "openai/gpt-4.1-mini" in mini
    assert all("gpt-4.1-m" in each for each in mini)
    assert len(offered(typed("models.yaml", "kind: models\nmodels: {a: {price: o¦"))) == MOST


@pytest.mark.parametrize("text", ["on: push\n¦\n", "apiVersion: v1\nkind: ¦\n"])
def test_files_of_others_are_offered_nothing(text: str) -> None:
    before, _, after = text.partition("¦")
    project = read_project({"ci.yaml": before + after})
    lines = before.split("\n")
    assert completions(project, "ci.yaml", Point(len(lines) - 1, len(lines[-1]))) == []


def test_a_new_file_in_an_empty_folder_is_offered_its_kind() -> None:
    assert [each.label for each in completions(read_project({"a.yaml": ""}), "a.yaml", Point(0, 0))] == ["kind"]
    assert len(completions(read_project({"a.yaml": "kind: "}), "a.yaml", Point(0, 6))) == len(KINDS)
