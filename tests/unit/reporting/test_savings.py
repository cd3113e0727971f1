from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest

from costpol.diagnostics import Diagnostic, Severity, Span
from costpol.reporting.savings import FORMATS, render
from costpol.reporting.savings.bars import bars
from costpol.reporting.savings.document import to_document
from costpol.reporting.savings.figures import (
    Against,
    BudgetFigures,
    CacheFigures,
    Change,
    Estimates,
    Group,
    Lever,
    Savings,
    share,
)

HOSTILE = "<script>alert(1)</script> | **bold** \x1b[31m ${x} {{ 7*7 }}"


def savings(**changed: Any) -> Savings:
    cache = CacheFigures(lookups=40, exact=10, similar=5, judged=15, wrong_hits=1, refused_by_guard=3,
                         guards={"numbers": 2, "negation": 1})  # fmt: skip
    group = Group(100, 2, 6_000_000_000_003, 2_000_000_000_001, cache)
    made = Savings(
        policy="0123456789abcdef" * 4, prices="book 1", baseline_model="requested", requests=100, unpriced=3, refused=2,
        baseline=6_000_000_000_003, cost=2_000_000_000_001,
        levers=(
            Lever("routing", 4_000_000_000_001), Lever("prompts", -200_000_000_000),
            Lever("semantic-cache", 200_000_000_002, 1), Lever("budgets", 0),
        ),
        cache=cache, routes={"small": 60, "large": 23}, rules={"default": group}, intents={"faq": group},
        budgets={"daily": BudgetFigures("day", "tenant", Decimal("0.8125"), 4, 2, {"75%": 9})},
        unpriced_models={"mystery": 3}, unpriced_cost=5_000_000, avoided=40_000_000_000,
        estimates=Estimates(usage=1, answers=2, prompts=3, times=4, backwards=5, cut_off=6, cold=7),
        first=1_770_000_000.0, last=1_770_086_400.0, skipped=1, skipped_first=("log.jsonl:7: not JSON",),
    )  # fmt: skip
    return replace(made, **changed)


def compared(**changed: Any) -> Savings:
    old = savings(cost=3_000_000_000_000, levers=(Lever("routing", 3_000_000_000_003),), routes={"large": 83})
    change = Change({"model": ("large", "small"), "cache": ("miss", "hit; exact")}, 60, -900_000_000_000, "r17")
    return savings(against=Against(old, 60, (change,)), **changed)


def exact(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def test_json_adds_up_to_the_last_digit() -> None:
    document = exact(render(savings(), "json"))
    nets = sum(lever["saved_usd"] - lever["own_cost_usd"] for lever in document["levers"])
    assert nets == document["saved_usd"] == document["baseline_usd"] - document["policy_usd"]
    assert document["saved_usd"] == Decimal("4.000000000002")


def test_json_has_the_figures_that_others_rely_on() -> None:
    document = to_document(savings())
    assert {"requests", "unpriced", "refused", "baseline_usd", "policy_usd", "saved_usd", "saved_fraction"} <= set(
        document
    )
    assert {"levers", "cache", "routes", "intents", "budgets", "policy"} <= set(document)
    assert set(document["levers"][0]) >= {"lever", "saved_usd", "own_cost_usd"}
    assert document["cache"] == {
        "lookups": 40, "hits": 15, "hit_rate": Decimal("0.375000"), "exact_hits": 10, "similar_hits": 5, "judged": 15,
        "wrong_hits": 1, "wrong_hit_rate": Decimal("0.066667"), "refused_by_guard": 3,
        "refused_by_guards": {"negation": 1, "numbers": 2}, "bypassed": {},
        "saved_usd": Decimal("0"), "own_cost_usd": Decimal("0"), "net_usd": Decimal("0"),
    }  # fmt: skip
    figures = replace(savings().cache, saved=9, own_cost=2)
    assert to_document(savings(cache=figures))["cache"]["net_usd"] == Decimal("0.000000000007")
    assert document["routes"] == {"small": 60, "large": 23}
    assert document["policy"] == "0123456789abcdef" * 4


def test_money_in_json_is_an_exact_number_without_trailing_zeros() -> None:
    text = render(savings(baseline=10**12), "json")
    assert '"baseline_usd": 1,' in text
    assert exact(text)["levers"][2]["own_cost_usd"] == Decimal("1e-12")


def test_what_was_not_measured_is_null() -> None:
    empty = savings(requests=0, baseline=0, cost=0, levers=(), cache=CacheFigures(), first=None, last=None)
    document = exact(render(empty, "json"))
    assert document["saved_fraction"] is None
    assert document["cache"]["hit_rate"] is None
    assert document["cache"]["wrong_hit_rate"] is None
    assert document["period"] == {"first": None, "last": None}


def test_a_comparison_is_new_less_old() -> None:
    difference = exact(render(compared(), "json"))["against"]["difference"]
    assert difference["policy_usd"] == Decimal("-0.999999999999")
    assert difference["routes"] == {"small": 60, "large": -60}
    assert difference["levers"][0] == {"lever": "routing", "net_usd": Decimal("0.999999999998")}


def test_policies_are_compared_by_what_they_pay_for_all_requests() -> None:
    old = savings(cost=3_000_000_000_000, unpriced_cost=1_000_000_000_000)
    new = savings(against=Against(old, 3), cost=3_000_000_000_000, unpriced_cost=2_500_000_000_000)
    against = exact(render(new, "json"))["against"]
    assert against["difference"]["policy_usd"] == Decimal("1.5")
    assert against["unpriced_policy_usd"] == 1
    for format in ("text", "html", "markdown"):
        assert "$1.5000 dearer" in re.sub(r"\s+", " ", render(new, format)), format


@pytest.mark.parametrize("format", ["text", "html", "markdown"])
def test_a_sum_without_some_requests_says_so_and_one_of_nothing_is_not_zero(format: str) -> None:
    def told(**changed: Any) -> str:
        return re.sub(r"\s+", " ", render(savings(**changed), format)).lower()

    assert "(without 3 requests of unknown baseline)" in told()
    assert "(without 1 request of unknown baseline)" in told(unpriced=1)
    assert "of unknown baseline" not in told(unpriced=0)
    none = told(unpriced=100, baseline=0, cost=0, levers=(), rules={}, intents={})
    assert "what the policy saves is not known" in none
    assert "it pays $0.000005" in none
    assert "$0.000000" not in none


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_says_what_matters(format: str) -> None:
    text = render(compared(), format)
    for told in ("100", "0123456789ab", "mystery", "not JSON", "r17", "small", "daily"):
        assert told in text, told
    assert not text.endswith("\n")


@pytest.mark.parametrize("format", ["text", "html", "markdown"])
def test_what_the_cache_saves_is_told_per_intent(format: str) -> None:
    text = render(savings(intents={"faq": Group(100, 2, 3, 1, CacheFigures(lookups=4321, exact=7))}), format)
    assert "own cost" in text
    assert "4,321" in text


@pytest.mark.parametrize("format", FORMATS)
def test_an_empty_report_renders(format: str) -> None:
    empty = savings(requests=0, baseline=0, cost=0, levers=(), cache=CacheFigures(), routes={}, rules={}, intents={})
    assert render(empty, format)


@pytest.mark.parametrize("format", ["text", "html", "markdown"])
def test_a_loss_is_printed_as_a_loss(format: str) -> None:
    text = render(savings(), format).lower()
    assert "loss" in text
    lost = render(savings(cost=7_000_000_000_003), format).lower()
    assert "the policy loses" in lost


def test_text_fits_its_width_and_carries_colour_only_where_asked() -> None:
    text = render(compared(), "text")
    assert all(len(line) <= 100 for line in text.splitlines())
    assert "\x1b" not in text
    assert "\x1b[" in render(savings(), "text", color=True)


@pytest.mark.parametrize("format", FORMATS)
def test_words_of_the_log_steer_nothing(format: str) -> None:
    group = savings().rules["default"]
    change = Change({"model": (HOSTILE, HOSTILE)}, 1, 5, HOSTILE)
    hostile = savings(
        rules={HOSTILE: group}, intents={HOSTILE: group}, routes={HOSTILE: 1}, skipped_first=(HOSTILE,),
        unpriced_models={HOSTILE: 1}, against=Against(savings(), 1, (change,)),
    )  # fmt: skip
    text = render(hostile, format)
    assert "\x1b" not in text
    if format == "html":
        assert "<script" not in text
        assert "{{ 7*7 }}" in text
    if format == "markdown":
        assert "<script" not in text
        assert "**bold**" not in text.replace("\\*", "")


class _References(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [f"{tag} {name}" for name, _ in attrs if name in ("src", "href", "action", "data", "srcset")]
        if tag in ("script", "link", "iframe", "img", "object"):
            self.found.append(tag)


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_tells_what_the_log_shows(format: str) -> None:
    place = Span("routing.yaml", 3, 4, 3, 9)
    finding = Diagnostic("CP408", "unfired-rule", Severity.WARNING, place, "no request reaches it")
    shown = render(savings(findings=(finding,)), format)
    assert "no request reaches it" in shown
    assert "CP408" in shown


def test_html_loads_nothing_from_anywhere() -> None:
    text = render(compared(), "html")
    parser = _References()
    parser.feed(text)
    assert parser.found == []
    assert not re.search(r"https?://|@import|url\(", text)
    assert text.startswith("<!DOCTYPE html>")
    assert text.count("<rect") == len(bars(compared()))


def test_bars_lead_from_the_baseline_to_the_cost() -> None:
    drawn = bars(savings())
    assert [bar.label for bar in drawn] == ["before", "routing", "prompts and tools", "semantic cache", "after"]
    levels = [bar.end for bar in drawn[:-1]]
    assert [bar.start for bar in drawn[1:-1]] == levels[:-1]
    assert levels[-1] == drawn[-1].end == savings().cost


def test_only_what_was_assumed_is_told() -> None:
    plain = savings(unpriced=0, refused=0, estimates=Estimates())
    assert len(to_document(plain)["assumptions"]) == 2
    assert len(to_document(savings())["assumptions"]) == 11


def test_a_share_of_nothing_is_unknown() -> None:
    assert share(0, 0) is None
    assert share(1, 3) == Decimal("0.333333")
