"""From nodes to stages: all that can be worked out beforehand is."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from situation import CACHE, EMBEDDED, MODELS, answered, ask, bundle, compiled, default_bundle, default_policy, policy
from world import World

from costpol.errors import ProvisionError
from costpol.policy.loader import load_bundle


def test_the_default_bundle_compiles() -> None:
    pipeline, read = default_policy(), default_bundle()
    assert read.budgets is not None
    assert set(pipeline.targets) == set(read.models.models)
    assert [rule.name for rule in pipeline.route.rules] == [rule.name for rule in read.routing.rules]
    assert [rung.at for rung in pipeline.step_down.rungs] == sorted(
        int(rung.share * 10**6) for rung in read.budgets.ladder
    )


def test_the_smallest_policy_has_nothing_but_a_route() -> None:
    pipeline = policy()
    assert (pipeline.classify.matchers, pipeline.lookup.otherwise, pipeline.call.budgets) == ((), None, ())


def test_compiling_twice_gives_the_same_identities() -> None:
    first, second = default_policy(), default_policy()
    assert first.digest == second.digest
    assert first.route.routes == second.route.routes
    assert first.lookup.plans == second.lookup.plans


def test_a_budget_with_two_units_is_two_windows() -> None:
    pipeline = policy(budgets="budgets: {b: {limit: 1 USD, calls: 3, per: day}, r: {tokens: 5, per: request}}")
    assert [(each.unit, each.limit) for each in pipeline.call.budgets] == [("usd", 10**12), ("calls", 3)]
    assert [(each.name, each.unit, each.limit) for each in pipeline.call.limits] == [("r", "tokens", 5)]


def test_a_cache_that_lacks_its_life_or_scope_stays_off() -> None:
    for cache in ("otherwise: {threshold: 0.9, ttl: 1h}", "otherwise: {threshold: 0.9, scope: tenant}"):
        assert policy(cache=cache).lookup.otherwise is None


def test_a_rung_that_routes_to_what_the_caller_asked_for_does_not_pass() -> None:
    budgets = "budgets: {b: {limit: 1 USD, per: day}}\nladder: [{at: 50%, route: requested}]"
    text = {"models": MODELS, "routing": "default: small", "budgets": budgets}
    loaded = load_bundle({f"{kind}.yaml": f"kind: {kind}\n{body}".encode() for kind, body in text.items()})
    if loaded.bundle is not None:  # where loading lets it through
        with pytest.raises(ProvisionError, match="cannot route"):
            compiled(loaded.bundle)


def test_no_request_compiles_a_pattern_or_reads_a_zone_or_builds_a_matcher(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is worked out per request must not be what a policy alone decides."""
    pipeline = default_policy()
    world = World(lambda call: answered())
    arrival = ask("please compare the two plans", user="ada", session="s")
    world.run(pipeline, arrival)
    world.entries.clear()
    seen: list[str] = []
    watched = {"compile", "_word_pattern", "compile_when", "compile_globs", "template_parts", "key", "__post_init__"}

    def profile(frame: Any, event: str, arg: Any) -> None:
        if event == "call" and frame.f_code.co_name in watched:
            seen.append(f"{frame.f_code.co_filename}:{frame.f_code.co_name}")

    sys.setprofile(profile)
    try:
        outcome = world.run(pipeline, arrival)
    finally:
        sys.setprofile(None)
    assert outcome.kind == "answered"
    assert seen == []


def test_a_price_list_without_a_model_of_the_policy_is_a_defect_of_provisioning() -> None:
    with pytest.raises(KeyError):
        compiled(bundle(), prices={})


def test_the_embedder_is_part_of_every_identity() -> None:
    world = World(lambda call: answered())
    arrival = ask()
    assert world.run(compiled(bundle(cache=CACHE)), arrival).kind == "answered"
    assert world.run(compiled(bundle(cache=CACHE)), arrival).kind == "hit"
    assert world.run(compiled(bundle(cache=CACHE), embedder="other/1"), arrival).kind == "answered"
    assert EMBEDDED.vector.shape == (2,)
