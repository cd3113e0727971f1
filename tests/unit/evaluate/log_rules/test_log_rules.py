from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from costpol.diagnostics import Diagnostic
from costpol.evaluate.log_registry import LOG_RULES, LogRuleModule, log_findings
from costpol.evaluate.seen import Seen
from costpol.lint.page import page
from costpol.lint.registry import RULES
from costpol.lint.suppressions import ONLY_IN_A_LOG
from costpol.policy.codes import CATALOGUE
from costpol.policy.loader import load_bundle
from costpol.reporting.savings.figures import BudgetFigures, CacheFigures, Group, Lever, Savings

FOLDER = Path(__file__).parents[4] / "engine" / "costpol" / "evaluate" / "log_rules"
BUDGETS = "kind: budgets\nbudgets: {company: {limit: 100 USD, per: week, time_zone: UTC}}\n...\n"
FIRED = {"default": Group(600), "deep-work": Group(400)}
QUIET = Savings(
    policy="", prices="", baseline_model="requested", requests=1000, unpriced=0, refused=0, baseline=0, cost=0,
    levers=(), cache=CacheFigures(), routes={}, rules=FIRED, intents={}, budgets={}, unpriced_models={},
    unpriced_cost=0, avoided=0, estimates=None, first=0.0, last=30 * 86_400.0,  # type: ignore[arg-type]
)  # fmt: skip


def found(files: Mapping[str, bytes], inputs: Mapping[str, int] | None = None, **figures: Any) -> list[Diagnostic]:
    bundle = load_bundle(files).require()
    return list(log_findings(bundle, Seen(replace(QUIET, **figures), inputs or {})))


def codes(files: Mapping[str, bytes], **figures: Any) -> list[str]:
    return [finding.code for finding in found(files, **figures)]


def test_a_log_without_anything_odd_shows_nothing(cached: Any) -> None:
    assert found(cached) == []


@pytest.mark.parametrize(("requests", "wanted"), [(499, []), (500, ["CP208"])])
def test_a_rule_that_never_fires(requests: int, wanted: list[str], policy: Any) -> None:
    assert codes(policy(), requests=requests, rules={"default": Group(requests)}) == wanted


@pytest.mark.parametrize(
    ("cache", "wanted"),
    [
        (CacheFigures(lookups=199), []),
        (CacheFigures(lookups=200), ["CP408"]),
        (CacheFigures(lookups=200, exact=1), []),
        (CacheFigures(lookups=200, similar=90, judged=80, wrong_hits=3), ["CP409"]),
        (CacheFigures(lookups=900, similar=400, judged=300, wrong_hits=3), []),
        (CacheFigures(lookups=900, similar=4, judged=2, wrong_hits=2), []),
    ],
)
def test_a_cache_that_never_hits_or_hits_wrongly(cache: CacheFigures, wanted: list[str], cached: Any) -> None:
    assert codes(cached, intents={"other": Group(1000, cache=cache)}) == wanted


def test_a_declared_limit_of_wrong_hits_is_the_limit(policy: Any) -> None:
    def cache(limit: str) -> dict[str, bytes]:
        text = f"kind: cache\notherwise: {{max_wrong_hits: {limit}, ttl: 1h, scope: tenant}}\n...\n"
        return dict(policy(cache=text, personalization="kind: personalization\nexclusions: []\n...\n"))

    intents = {"other": Group(1000, cache=CacheFigures(900, 0, 100, 100, 4))}
    assert codes(cache("5%"), intents=intents) == []
    assert codes(cache("3%"), intents=intents) == ["CP409"]


@pytest.mark.parametrize(("saved", "own", "wanted"), [(10, 5, []), (10, 11, ["CP408"]), (0, 0, []), (-5, 1, ["CP408"])])
def test_a_cache_that_costs_more_than_it_saves(saved: int, own: int, wanted: list[str], cached: Any) -> None:
    assert codes(cached, levers=(Lever("semantic-cache", saved * 10**9, own * 10**9),)) == wanted


@pytest.mark.parametrize(
    ("figures", "wanted"),
    [
        ({"peak": "0.04"}, ["CP610"]),
        ({"peak": "0.06"}, []),
        ({"peak": "0.04", "each": "user"}, []),
        ({"peak": "0"}, []),
        ({"peak": "1", "refused": 11}, ["CP611"]),
        ({"peak": "1", "refused": 10}, []),
    ],
)
def test_budgets_too_wide_and_too_tight(figures: dict[str, Any], wanted: list[str], policy: Any) -> None:
    from decimal import Decimal

    budget = BudgetFigures("week", peak=Decimal(figures.pop("peak")), **figures)
    files = policy(budgets=BUDGETS)
    assert codes(files, budgets={"company": budget}) == wanted
    if wanted == ["CP610"]:
        assert codes(files, budgets={"company": budget}, last=86_400.0) == []


@pytest.mark.parametrize(("words", "median", "wanted"), [(1500, 1800, ["CP707"]), (1500, 9000, []), (100, 120, [])])
def test_a_template_that_is_most_of_the_input(words: int, median: int, wanted: list[str], policy: Any) -> None:
    prompts = (
        f"kind: prompts\ntemplates: {{long: {{version: 1, system: '{'keep it short. ' * (words // 3)}'}}}}\n"
        "otherwise: {template: long, max_output_tokens: 9}\n...\n"
    )
    assert [finding.code for finding in found(policy(prompts=prompts), {"long": median})] == wanted


def test_what_the_author_accepts_is_left_out(policy: Any) -> None:
    text = policy()["p/routing.yaml"].decode()
    accepted = text.replace("strong}", "strong} # costpol: ignore[CP208] it is for the release next week")
    assert codes(policy(routing=accepted), rules={"default": Group(1000)}) == []


def test_a_dry_run_reports_them(run: Any, record: Any, policy: Any) -> None:
    savings = run([record("hello", (10, 10)) for _ in range(500)], policy())
    assert [finding.code for finding in savings.findings] == ["CP208"]


@pytest.mark.parametrize("rule", LOG_RULES, ids=lambda rule: rule.NAME)
def test_a_rule_has_a_page(rule: LogRuleModule) -> None:
    assert list(page(rule).sections) == ["Bad", "Good", "Why"]
    assert page(rule).summary.endswith(".")


def test_every_module_is_registered_and_its_codes_are_its_own() -> None:
    modules = {path.stem for path in FOLDER.glob("*.py")} - {"__init__"}
    assert modules == {rule.NAME.replace("-", "_") for rule in LOG_RULES}
    own = {word for rule in LOG_RULES for word in (rule.CODE, rule.NAME)}
    assert own == ONLY_IN_A_LOG
    assert own.isdisjoint(word for rule in RULES for word in (rule.CODE, rule.NAME))
    assert own.isdisjoint(word for code in CATALOGUE for word in (code.code, code.name))
