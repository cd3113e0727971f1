from __future__ import annotations

from pathlib import Path

import pytest

from costpol.cli.rule import pages
from costpol.lint.page import index, markdown, page
from costpol.lint.registry import RULES, RuleModule

DOCS = Path(__file__).parents[3] / "docs" / "rules"


def test_the_written_pages_are_current() -> None:
    written = {path.name: path.read_text() for path in DOCS.glob("*.md")}
    assert written == dict(pages()), "run `costpol rule --write docs/rules`"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.NAME)
def test_a_page_names_its_rule_and_shows_plain_yaml(rule: RuleModule) -> None:
    text = markdown(rule)
    assert text.startswith(f"# {rule.CODE} {rule.NAME}\n")
    assert text.count("```yaml\n") == text.count("```") // 2 >= 2


def test_the_index_links_every_rule() -> None:
    assert all(f"[{rule.NAME}]({rule.NAME}.md)" in index() for rule in RULES)


def test_an_example_is_told_apart_into_files() -> None:
    rule = next(rule for rule in RULES if rule.CODE == "CP303")
    files = page(rule).example("Good").files
    assert [text.splitlines()[0] for text in files] == ["kind: intents", "kind: cache", "kind: personalization"]
