from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from costpol.evaluate.record import Record
from costpol.evaluate.replay import Planned, Replayed
from costpol.evaluate.savings import steps_of
from costpol.inference.prices import Price
from costpol.inference.rates import Rates
from costpol.inference.request import Message, Request
from costpol.inference.response import Response
from costpol.inference.usage import Usage
from costpol.pipeline.arrival import Arrival
from costpol.pipeline.decision import Decision, Outcome
from costpol.pipeline.target import Target
from costpol.reporting.savings.assumptions import assumptions
from costpol.reporting.savings.figures import Savings

MILLION = 1_000_000
DAY = "2026-03-02T10:00:00Z"


def net(savings: Savings) -> dict[str, int]:
    return {lever.name: lever.net for lever in savings.levers if lever.saved or lever.own_cost}


def adds_up(savings: Savings) -> bool:
    return sum(lever.net for lever in savings.levers) == savings.saved == savings.baseline - savings.cost


def test_routing_saves_the_difference_of_the_prices(run: Any, record: Any) -> None:
    savings = run([record("hello", (1000, 100))])
    assert savings.baseline == (1000 * 10 + 100 * 40) * MILLION
    assert savings.cost == (1000 * 1 + 100 * 4) * MILLION
    assert net(savings) == {"routing": savings.saved}
    assert savings.routes == {"small": 1}


def test_routing_to_what_is_dearer_is_a_loss(run: Any, record: Any) -> None:
    savings = run([record("analyze this", request={"model": "small"})])
    assert savings.saved == net(savings)["routing"] < 0
    assert savings.saved_fraction == -9


def test_output_limits_are_priced_at_the_routed_model(run: Any, record: Any) -> None:
    savings = run([record("hello", (1000, 3000))])
    assert net(savings)["output"] == 2000 * 4 * MILLION
    assert savings.estimates.cut_off == 1
    assert adds_up(savings)


def test_a_template_that_is_longer_is_a_loss(run: Any, record: Any, policy: Any) -> None:
    prompts = f"""kind: prompts
templates: {{long: {{version: 1, system: "{"word " * 300}"}}}}
otherwise: {{template: long, max_output_tokens: 1k}}
...
"""
    savings = run([record("hello")], policy(prompts=prompts))
    assert net(savings)["prompts"] < 0
    assert savings.estimates.prompts == 1
    assert adds_up(savings)


def test_a_hit_saves_the_routed_call(run: Any, record: Any, cached: Any) -> None:
    savings = run([record("hello", (1000, 100), time=DAY)] * 3, cached)
    assert net(savings)["exact-cache"] == 2 * (1000 * 1 + 100 * 4) * MILLION
    assert (savings.cache.lookups, savings.cache.exact, savings.cache.similar) == (3, 2, 0)
    assert savings.routes == {"small": 1}
    assert adds_up(savings)


def test_a_similar_question_saves_too(run: Any, record: Any, cached: Any) -> None:
    lines = [record(text, time=DAY) for text in ("how can I reset my password", "how can I reset my password?")]
    savings = run(lines, cached)
    assert (savings.cache.exact, savings.cache.similar) == (0, 1)
    assert net(savings)["semantic-cache"] > 0
    assert adds_up(savings)


def test_hits_are_judged_by_the_right_answers_name(run: Any, record: Any, cached: Any) -> None:
    lines = [record("hello", time=DAY, answer_id=name) for name in ("a", "a", "b", None)]
    savings = run(lines, cached)
    assert (savings.cache.hits, savings.cache.judged, savings.cache.wrong_hits) == (3, 2, 1)
    assert str(savings.cache.wrong_hit_rate) == "0.500000"


def test_guards_are_counted(run: Any, record: Any, cached: Any) -> None:
    cached = {**cached, "p/cache.yaml": cached["p/cache.yaml"].replace(b"0.95", b"0.85")}
    lines = [record(f"how do I {word} the two factor login", time=DAY) for word in ("enable", "disable")]
    savings = run(lines, cached)
    assert savings.cache.hits == 0
    assert savings.cache.refused_by_guard == 1
    assert sum(savings.cache.guards.values()) == 1


def test_requests_without_a_tenant_are_told_where_answers_are_kept_per_tenant(
    run: Any, record: Any, cached: Any
) -> None:
    savings = run([record("hello", time=DAY, tenant=tenant) for tenant in (None, None, "acme")], cached)
    assert (savings.cache.lookups, savings.cache.bypassed) == (1, {"tenant unknown": 2})
    assert "2 requests name no tenant" in "\n".join(assumptions(savings))
    assert "name no" not in "\n".join(assumptions(run([record("hello")], cached)))


BUDGETS = """kind: budgets
budgets: {daily: {limit: 0.10 USD, per: day, time_zone: UTC, each: tenant}}
ladder: [{at: 50%, route: small, budgets: daily}]
...
"""


def test_budgets_step_down_and_refuse(run: Any, record: Any, policy: Any) -> None:
    lines = [record("analyze this", (1000, 1000), time=DAY, session="s") for _ in range(60)]
    savings = run(lines, policy(budgets=BUDGETS))
    levers = net(savings)
    daily = savings.budgets["daily"]
    assert levers["budgets"] > 0
    assert levers["refusals"] == savings.avoided > 0
    assert savings.refused == daily.refused > 0
    assert savings.refusals == {"the budget `daily` does not allow it": savings.refused}
    assert savings.refused + sum(savings.routes.values()) == 60
    assert daily.rungs["50%"] > 0
    assert daily.peak is not None
    assert 0.9 < daily.peak <= 1
    assert (daily.per, daily.each, daily.subjects) == ("day", "tenant", 1)
    assert adds_up(savings)


def test_a_model_that_the_policy_does_not_declare_is_refused(run: Any, record: Any, policy: Any) -> None:
    savings = run(
        [record("hello", request={"model": "gpt-4.1"})], policy(routing="kind: routing\ndefault: requested\n...\n")
    )
    assert savings.refused == 1
    assert list(savings.refusals.values()) == [1]
    assert next(iter(savings.refusals)).startswith("the policy declares no model `")
    assert net(savings) == {"refusals": savings.baseline}
    assert savings.avoided == savings.baseline > 0


def test_a_request_without_a_price_is_in_neither_sum(run: Any, record: Any) -> None:
    savings = run([record("hello"), record("hello", request={"model": "nobody-knows-this"})])
    assert savings.requests == 2
    assert savings.unpriced == 1
    assert savings.unpriced_models == {"nobody-knows-this": 1}
    assert savings.unpriced_cost > 0
    assert savings.baseline == run([record("hello")]).baseline
    assert savings.cost == run([record("hello")]).cost
    assert adds_up(savings)


def test_the_baseline_may_be_one_model_for_all(run: Any, record: Any) -> None:
    savings = run([record("hello", (1000, 100), request={"model": "unknown"})], baseline="small")
    assert savings.baseline == savings.cost == (1000 + 400) * MILLION
    assert savings.unpriced == 0


def test_prompt_cache_hits_are_kept_within_a_family_only(run: Any, record: Any) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 800}}
    warm = run([record("analyze this", response={"content": "x", "usage": usage})])
    assert warm.baseline == warm.cost == (200 * 10 + 800 * 1 + 100 * 40) * MILLION
    assert warm.estimates.cold == 0
    moved = run([record("hello", response={"content": "x", "usage": usage})])
    assert moved.baseline == warm.baseline
    assert moved.cost == (1000 + 400) * MILLION
    assert moved.estimates.cold == 1


def test_rules_and_intents_have_their_own_sums(run: Any, record: Any) -> None:
    savings = run([record("hello"), record("analyze this"), record("analyze that")])
    assert {name: group.requests for name, group in savings.rules.items()} == {"deep-work": 2, "default": 1}
    assert sum(group.saved for group in savings.rules.values()) == savings.saved
    assert sum(group.saved for group in savings.intents.values()) == savings.saved


def test_what_the_cache_saved_is_told_in_all_and_per_intent(run: Any, record: Any, cached: Any) -> None:
    lines = [record("hello", (1000, 100), time=DAY)] * 3 + [record("analyze this", (1000, 100), time=DAY)] * 2
    savings = run(lines, cached)
    caches = ("exact-cache", "semantic-cache")
    levers = [lever for lever in savings.levers if lever.name in caches]
    groups = [group.cache for group in savings.rules.values()]
    assert savings.cache.saved == sum(lever.saved for lever in levers) == 2 * 1400 * MILLION + 14000 * MILLION
    assert savings.cache.net == sum(lever.net for lever in levers) == sum(cache.net for cache in groups)
    assert {group.saved for group in groups} == {2 * 1400 * MILLION, 14000 * MILLION}


def overhead(similar: bool, kind: str = "answered") -> dict[str, int]:
    """Own costs by lever of a request whose embedding cost 7 picodollars."""
    target = Target("small", "small", "sim", "small", Price(Rates(1, 1)), 1.0)
    decision = Decision("digest", routed="small", cache="hit; similar" if kind == "hit" else "miss")
    outcome = Outcome(kind, decision, (), cost=7 if kind == "hit" else 27, routed_cost=20)  # type: ignore[arg-type]
    request = Request("openai", "small", (Message("user", "hello", b""),), b"")
    record = Record("r", Arrival(request), Usage(10, 10), Response("x", "stop", Usage()))
    pipeline: Any = SimpleNamespace(targets={"small": target})
    return {
        step.lever: step.own_cost
        for step in steps_of(Replayed(record, outcome, Planned(), similar), pipeline)
        if step.own_cost
    }


def test_an_embedding_is_a_cost_of_the_lever_that_it_served() -> None:
    assert overhead(similar=True) == {"semantic-cache": 7}
    assert overhead(similar=True, kind="hit") == {"semantic-cache": 7}
    assert overhead(similar=False) == {"routing": 7}


def test_the_period_is_that_of_the_records(run: Any, record: Any) -> None:
    savings = run([record("hello", time=1000), record("hello", time=2000)])
    assert (savings.first, savings.last) == (1000, 2000)
    empty = run([])
    assert (empty.first, empty.requests, empty.saved_fraction) == (None, 0, None)


def test_a_verification_is_a_cost_of_the_cache(run: Any, record: Any, policy: Any) -> None:
    cache = "kind: cache\notherwise: {{threshold: 0.9, ttl: 1h, scope: tenant, verify: {}%}}\n{}...\n"
    personal = "kind: personalization\nexclusions: []\n...\n"
    texts = ("what are your opening hours", "what are your opening hours?", "what are your opening hours?")
    lines = [record(text, (1000, 100)) for text in texts]

    def savings(share: int, more: str = "") -> Any:
        return run(lines, policy(cache=cache.format(share, more), personalization=personal))

    without, checked, broke = savings(0), savings(100), savings(100, "verification: {limit: 0.000001 USD}\n")
    assert (without.cache.similar, checked.cache.similar) == (2, 1), "the fresh answer is kept for its own question"
    assert (checked.cache.exact, broke.cache.similar) == (1, 2)
    own = {lever.name: lever.own_cost for lever in checked.levers}
    assert own["semantic-cache"] == 1000 * 10**6 + 100 * 4 * 10**6
    assert without.saved - checked.saved == own["semantic-cache"]
    assert broke.saved == without.saved, "a budget that is used up verifies nothing"
