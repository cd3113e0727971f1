from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from costpol.diagnostics import Diagnostic, Severity
from costpol.lint.facts import Facts
from costpol.lint.page import page
from costpol.lint.registry import RULES, RuleModule
from costpol.lint.runner import lint
from costpol.policy.bundle import Bundle
from costpol.policy.loader import load_folder

CASES = Path(__file__).parents[2] / "cases" / "lint"
LOOKED_AT_ELSEWHERE = {
    "CP307": "needs a bundle without a personalization file, and CP305 one with it",
    "CP504": "needs a cheap default, and CP505 a dear one",
}
_TYPES = re.compile(r"\b(NoneType|None|dict|list|tuple|str|int|float|bool|object|Decimal|Mapping|True|False)\b")


@pytest.fixture
def every_sin() -> Bundle:
    return load_folder(CASES / "every_sin").require()


def test_every_rule_finds_its_sin(every_sin: Bundle, facts: Facts) -> None:
    found = {finding.code for finding in lint(every_sin, replace(facts, prices_as_of=date(2025, 1, 1)))}
    assert {rule.CODE for rule in RULES} - found == LOOKED_AT_ELSEWHERE.keys()


def test_findings_come_by_place(every_sin: Bundle, facts: Facts) -> None:
    found = lint(every_sin, facts)
    assert found == sorted(found, key=lambda finding: finding.sort_key)
    assert len(found) == len(set(found))


def test_findings_stand_on_a_place_of_their_file(every_sin: Bundle, facts: Facts) -> None:
    for finding in lint(every_sin, facts):
        lines = every_sin.files[finding.span.file].splitlines()
        assert 1 <= finding.span.line <= len(lines)
        assert 1 <= finding.span.column <= len(lines[finding.span.line - 1]) + 1
        assert all(related.span.file in every_sin.files for related in finding.related)


def test_messages_are_worded_as_all_messages_are(every_sin: Bundle, facts: Facts) -> None:
    found = lint(every_sin, replace(facts, prices_as_of=date(2025, 1, 1)))
    for finding in found:
        for text in (finding.message, finding.help, finding.why, finding.label, *(r.message for r in finding.related)):
            assert text
            bare = re.sub(r"`[^`]*`", "", text)
            assert not text[0].isupper(), text
            assert not text.endswith((".", "!")), text
            assert "\n" not in text, text
            assert text.count("`") % 2 == 0, text
            assert not _TYPES.search(bare), text


def test_rules_whose_needs_are_not_met_are_not_run(every_sin: Bundle) -> None:
    found = {finding.code for finding in lint(every_sin)}
    assert found.isdisjoint({"CP501", "CP502", "CP503", "CP505", "CP506", "CP510"})
    assert "CP201" in found


def test_linting_the_same_bundle_twice_finds_the_same(every_sin: Bundle, facts: Facts) -> None:
    assert lint(every_sin, facts) == lint(every_sin, facts)


@pytest.mark.parametrize("rule", [r for r in RULES if not r.CODE.startswith("CP9")], ids=lambda rule: rule.NAME)
def test_every_rule_can_be_accepted_with_a_reason(
    rule: RuleModule, linted: Callable[..., list[Diagnostic]], facts: Facts
) -> None:
    example = page(rule).example("Bad")
    if example.options:
        pytest.skip("the example is written out by its own test")
    files = list(example.files)
    for finding in linted(*files):
        kind = finding.span.file.removesuffix(".yaml")
        if not any(text.startswith(f"kind: {kind}") for text in files):
            files.append((CASES / "sound" / f"{kind}.yaml").read_text())
        at = next(i for i, text in enumerate(files) if text.startswith(f"kind: {kind}"))
        lines = files[at].splitlines()
        comment = f"# costpol: ignore[{rule.CODE}] approved_by=ada it is meant"
        lines[finding.span.line - 1] = lines[finding.span.line - 1].rstrip() + f" {comment}"
        files[at] = "\n".join(lines) + "\n"
    assert linted(*files) == []


def test_the_severity_of_a_rule_is_that_of_its_findings_but_for_hopeless_thresholds(
    every_sin: Bundle, facts: Facts
) -> None:
    usual = {rule.CODE: rule.SEVERITY for rule in RULES}
    for finding in lint(every_sin, facts):
        assert finding.severity is usual[finding.code] or (finding.code, finding.severity) == ("CP401", Severity.ERROR)
