"""Hover texts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from costpol.editor.checking import check
from costpol.editor.hover import hover, rule_summary
from costpol.lint.registry import RULES
from costpol.policy.codes import CATALOGUE

NOW = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


def shown(bench: Any, findings: Any = ()) -> str:
    found = hover(bench.project, bench.file, bench.point, findings, NOW)
    assert found is not None
    return found.text


@pytest.mark.parametrize(
    ("file", "part", "expected"),
    [
        ("models.yaml", "¦tiny: {", ["model `tiny`", "$0.10 input, $0.40 output", "8,000", "`small`, `strong`"]),
        ("models.yaml", "b¦ig, tiny]", ["model `big`", "$2.00 input, $8.00 output", "genai-prices", "Lacks images"]),
        ("models.yaml", "openai/g¦pt-4.1", ["$2.00 input, $8.00 output"]),
        ("models.yaml", "provider: ma¦in", ["provider `main`", "https://api.example.com/v1"]),
        ("routing.yaml", "default: small¦", ["tier `small`", "`tiny`", "$0.10 input"]),
        ("routing.yaml", "route: t¦iny", ["model `tiny`"]),
        ("routing.yaml", "intent: b¦illing", ["intent `billing`", "live and personal"]),
        ("routing.yaml", "name: mo¦ney", ["rule `money`", "Rule 1 of 2", "`strong`"]),
        ("routing.yaml", "[faq, r¦est]", ["intent `rest`", "no intent covers"]),
        ("cache.yaml", "f¦aq", ["intent `faq`", "anybody asks", "0.95", "1d", "per tenant"]),
        ("cache.yaml", "scope: te¦nant", ["`scope`", "who shares an answer".capitalize()]),
        ("cache.yaml", "thr¦eshold", ["`threshold`", "a share", "cosine", "`0.95`"]),
        ("cache.yaml", "kind: ca¦che", ["kind: cache"]),
        ("prompts.yaml", "template: he¦llo", ["template `hello`", "Version 2", "You talk to"]),
        ("prompts.yaml", "about {{ top¦ic", ["variable `topic`", "`metadata.topic`"]),
        ("budgets.yaml", "comp¦any:", ["budget `company`", "$1200 per month", "At 90%: route to `small`"]),
        ("budgets.yaml", "p¦er: month", ["`per`", "(required)", "The window."]),
    ],
)  # fmt: skip
def test_a_word_is_explained(cursor: Any, file: str, part: str, expected: list[str]) -> None:
    text = shown(cursor(file, part))
    assert not [each for each in expected if each not in text], text


def test_a_variable_is_that_of_its_own_template(cursor: Any) -> None:
    assert "caller.user" in shown(cursor("prompts.yaml", "You talk to {{ na¦me"))
    assert "caller.tenant" not in shown(cursor("prompts.yaml", "You talk to {{ na¦me"))


def test_a_half_typed_file_is_explained_too(typed: Any) -> None:
    assert "model `tiny`" in shown(typed("routing.yaml", "kind: routing\nrules: [\n  {route: ti¦ny"))
    assert "`fallback`" in shown(typed("routing.yaml", "kind: routing\nfall¦back: {on: [\n"))


def test_a_name_that_nothing_declares_says_so(typed: Any) -> None:
    assert "Nothing in the bundle declares it" in shown(typed("routing.yaml", "kind: routing\ndefault: sm¦al\n"))


def test_a_price_that_is_not_known_says_so(typed: Any) -> None:
    text = "kind: models\nmodels: {x: {provider: main, price: openai/gpt-9¦99}}\n"
    assert "No price of a model `gpt-999`" in shown(typed("models.yaml", text))


def test_a_finding_shows_its_rule(typed: Any) -> None:
    bench = typed("routing.yaml", "kind: routing\ndefault: sm¦al\n...\n")
    files = {name: file.text.encode() for name, file in bench.project.files.items()}
    findings = check(files, NOW)["routing.yaml"]
    assert "**CP102 undefined-reference** (error)" in shown(bench, findings)


def test_the_code_in_a_comment_shows_its_rule(typed: Any) -> None:
    assert RULES[0].NAME in shown(
        typed("cache.yaml", f"kind: cache # costpol: ignore[{RULES[0].CODE[:3]}¦{RULES[0].CODE[3:]}] x\n")
    )


@pytest.mark.parametrize("text", ["kind: cache\n# nothing ¦here\n", "kind: cache\nunknown¦: 1\n", "kind: cache\n ¦\n"])
def test_where_nothing_is_known_nothing_is_shown(typed: Any, text: str) -> None:
    bench = typed("cache.yaml", text)
    assert hover(bench.project, bench.file, bench.point, (), NOW) is None


def test_every_code_has_a_summary() -> None:
    for code in [*(rule.CODE for rule in RULES), *(code.code for code in CATALOGUE)]:
        assert code in str(rule_summary(code))
    assert rule_summary("CP000") is None
