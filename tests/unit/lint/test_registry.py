from __future__ import annotations

from pathlib import Path

import pytest

from costpol.lint.page import Example, page
from costpol.lint.registry import RULES, RuleModule
from costpol.policy.codes import CATALOGUE

HEADINGS = ["Bad", "Good", "Why"]
FOLDER = Path(__file__).parents[3] / "engine" / "costpol" / "lint" / "rules"
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.NAME)


def files(example: Example) -> tuple[str, ...]:
    """The files of an example; a line that stands for many is written out."""
    times = int(example.options.get("repeat", 1))
    if times == 1:
        return example.files
    return tuple(
        "".join(line * (times if line.startswith("      ") else 1) for line in text.splitlines(keepends=True))
        for text in example.files
    )


@every_rule
def test_the_bad_example_yields_exactly_the_rule(rule: RuleModule, linted) -> None:
    example = page(rule).example("Bad")
    found = linted(*files(example), options=example.options)
    assert found
    assert {finding.code for finding in found} == {rule.CODE}, found


@every_rule
def test_the_good_example_yields_nothing(rule: RuleModule, linted) -> None:
    example = page(rule).example("Good")
    assert linted(*files(example), options=example.options) == []


@every_rule
def test_the_page_has_its_headings_in_order(rule: RuleModule) -> None:
    parts = page(rule)
    assert list(parts.sections)[:3] == HEADINGS
    assert set(parts.sections) <= {*HEADINGS, "Options"}
    assert parts.summary.endswith(".")
    assert "\n\n" not in parts.summary


@every_rule
def test_findings_carry_code_and_name_of_their_rule(rule: RuleModule, linted) -> None:
    example = page(rule).example("Bad")
    for finding in linted(*files(example), options=example.options):
        assert finding.name == rule.NAME
        assert finding.help
        assert finding.why
        assert finding.label
        assert finding.span.file


def test_the_sound_policy_has_no_findings(linted) -> None:
    assert linted() == []


def test_every_module_of_rules_is_registered_and_named_for_its_rule() -> None:
    modules = {path.stem for path in FOLDER.glob("*.py")} - {"__init__"}
    assert modules == {rule.NAME.replace("-", "_") for rule in RULES}


def test_codes_and_names_are_each_used_once_and_in_order() -> None:
    codes = [rule.CODE for rule in RULES]
    assert codes == sorted(set(codes))
    assert len({rule.NAME for rule in RULES}) == len(RULES)


def test_a_code_shared_with_the_loader_has_the_same_name_there() -> None:
    loaders = {code.code: code.name for code in CATALOGUE}
    for rule in RULES:
        assert loaders.get(rule.CODE, rule.NAME) == rule.NAME
