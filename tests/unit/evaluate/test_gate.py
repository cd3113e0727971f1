from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from costpol.errors import UsageError
from costpol.evaluate.gate import parse_gate

REPORT: dict[str, Any] = {
    "saved_fraction": Decimal("0.25"),
    "refused": 3,
    "cache": {"wrong_hit_rate": None, "hits": 7},
    "intents": {"v1.2-faq": {"hits": 4}, "and-or": {"hits": 1}},
    "levers": [{"lever": "routing", "net_usd": Decimal("-1.5")}],
    "policy": "digest",
}


@pytest.mark.parametrize(
    ("expression", "tripped"),
    [
        ("saved_fraction < 0.2", False),
        ("saved_fraction < 0.3", True),
        ("saved_fraction < 30%", True),
        ("saved_fraction<=25%", True),
        ("refused == 3", True),
        ("refused != 3", False),
        ("refused > 2 and saved_fraction > 0.5", False),
        ("refused > 2 and saved_fraction > 0.5 or cache.hits >= 7", True),
        ("refused > 5 or saved_fraction > 0.5", False),
        ("intents.v1.2-faq.hits < 5", True),
        ("intents.and-or.hits > 1", False),
        ("levers.routing.net_usd < 0", True),
        ("levers.routing.net_usd < -$2", False),
        ("levers.routing.net_usd < -2", False),
    ],
)
def test_comparisons_hold_or_not(expression: str, tripped: bool) -> None:
    if "-$" in expression:
        with pytest.raises(UsageError):
            parse_gate(expression)
        return
    assert (parse_gate(expression).trips(REPORT) is not None) is tripped


def test_what_was_not_measured_trips() -> None:
    assert (
        parse_gate("cache.wrong_hit_rate > 1%").trips(REPORT) == "`cache.wrong_hit_rate` was not measured on this log"
    )


def test_the_reason_names_figure_and_value() -> None:
    assert parse_gate("refused > 2").trips(REPORT) == "refused is 3, which is > 2"


@pytest.mark.parametrize(
    "expression",
    ["", "saved_fraction", "saved_fraction < ", "< 2", "refused > 1 and", "__import__('os') > 1", "refused > refused",
     "refused > 1; refused > 2", "(refused > 1)", "refused > 1e9"],
)  # fmt: skip
def test_anything_else_is_no_expression(expression: str) -> None:
    with pytest.raises(UsageError, match="is no comparison"):
        parse_gate(expression)


def test_an_unknown_figure_is_named_with_what_was_meant() -> None:
    with pytest.raises(UsageError) as raised:
        parse_gate("saved_fractoin < 1").trips(REPORT)
    assert raised.value.help == "did you mean `saved_fraction`?"


@pytest.mark.parametrize(
    ("expression", "message", "help"),
    [
        ("intents.billing.hits > 0", "no such intent in this log: `billing`", "there are `v1.2-faq`, `and-or`"),
        ("intents.and-ro.hits > 0", "no such intent in this log: `and-ro`", "did you mean `and-or`?"),
        ("intents.and-or.hit > 0", "the intent `and-or` has no figure `hit`", "did you mean `hits`?"),
        ("intents.v1.2-faq.cost > 0", "the intent `v1.2-faq` has no figure `cost`", "there are `hits`"),
        ("levers.magic.net_usd < 0", "no such lever in this log: `magic`", "there are `routing`"),
        ("routes.gpt-4.2 > 0", "no such model in this log: `gpt-4.2`", "did you mean `gpt-4.1`?"),
        ("budgets.company.refused > 0", "no such budget in this log: `company`", "there is no budget in it"),
    ],
)
def test_a_name_that_the_report_does_not_have_is_bad_usage(expression: str, message: str, help: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_gate(expression).trips(REPORT | {"routes": {"gpt-4.1": 3}, "budgets": {}})
    assert (raised.value.message, raised.value.help) == (message, help)


def test_a_misspelt_name_is_told_also_where_another_comparison_trips() -> None:
    with pytest.raises(UsageError, match="no such intent"):
        parse_gate("refused > 2 or intents.fqa.hits > 0").trips(REPORT)


def test_a_text_is_no_figure() -> None:
    with pytest.raises(UsageError, match="no figure `policy`"):
        parse_gate("policy > 1").trips(REPORT)
