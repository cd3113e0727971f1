from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from costpol.evaluate.waterfall import LEVERS, Step, Waterfall
from costpol.reporting.savings.figures import share
from costpol.units import picodollars, usd


def test_the_worked_example_of_a_month() -> None:
    """100,000 conversations of 2,000 tokens at 0.03 USD per 1,000; 70 % routed at a fifth of the price; prompt caching
    removes 30 %; semantic caching answers 30 % at a tenth."""
    waterfall = Waterfall(("routing", "prompt-caching", "semantic-cache"))
    full = picodollars(Decimal("0.03")) * 2
    for number in range(100_000):
        routed = full // 5 if number % 10 < 7 else full
        cached = routed * 7 // 10
        steps = [Step("routing", routed), Step("prompt-caching", cached)]
        if number // 10 % 10 < 3:
            steps.append(Step("semantic-cache", 0, own_cost=cached // 10))
        waterfall.book(full, steps)

    assert usd(waterfall.baseline) == 6000
    routing, prompt_caching, semantic_cache = waterfall.levers
    assert usd(waterfall.baseline - routing.net) == 2640
    assert usd(waterfall.baseline - routing.net - prompt_caching.net) == 1848
    assert usd(semantic_cache.saved) == Decimal("554.40")
    assert usd(semantic_cache.own_cost) == Decimal("55.44")
    assert usd(waterfall.cost) == Decimal("1349.04")
    assert share(waterfall.saved, waterfall.baseline) == Decimal("0.775160")


def test_a_lever_that_makes_things_dearer_is_a_loss() -> None:
    waterfall = Waterfall()
    waterfall.book(100, [Step("routing", 40), Step("prompts", 70), Step("semantic-cache", 70, own_cost=5)])
    net = {lever.name: lever.net for lever in waterfall.levers}
    assert net["routing"] == 60
    assert net["prompts"] == -30
    assert net["semantic-cache"] == -5
    assert waterfall.saved == 25


def test_a_request_without_steps_costs_what_it_did() -> None:
    waterfall = Waterfall()
    assert waterfall.book(100, []) == 100
    assert waterfall.saved == 0


amounts = st.integers(0, 10**15)
steps = st.lists(st.builds(Step, st.sampled_from(LEVERS), amounts, st.integers(0, 10**9)), max_size=7)


@given(st.lists(st.tuples(amounts, steps), max_size=20))
def test_levers_add_up_to_what_is_saved(requests: list[tuple[int, list[Step]]]) -> None:
    waterfall = Waterfall()
    costs = sum(waterfall.book(baseline, each) for baseline, each in requests)
    assert waterfall.cost == costs
    assert waterfall.baseline == sum(baseline for baseline, _ in requests)
    assert sum(lever.net for lever in waterfall.levers) == waterfall.saved == waterfall.baseline - costs
