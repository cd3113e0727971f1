from __future__ import annotations

from typing import Any

import pytest

from costpol.evaluate.effects import Effect, Policies, effect_of
from costpol.evaluate.meaning import meaning_changes
from costpol.policy.loader import load_bundle
from costpol.runtime.facts import lint_facts

NOW = 1_770_000_000.0


def effects(old: dict[str, bytes], new: dict[str, bytes]) -> list[Effect]:
    before, after = load_bundle(old).require(), load_bundle(new).require()
    policies = Policies(before, after, lint_facts(NOW))
    return [effect_of(change, policies) for change in meaning_changes(before, after)]


def kinds(old: dict[str, bytes], new: dict[str, bytes]) -> list[str]:
    return [effect.kind for effect in effects(old, new)]


CACHE = "kind: cache\nintents: {{faq: {faq}}}\notherwise: {otherwise}\n...\n"
INTENTS = "kind: intents\nintents: {faq: {examples: [a b]}}\n...\n"
EXCLUSIONS = "kind: personalization\nexclusions:\n{}\nwithin: {}\n...\n"
BUDGET = "{limit: 10 USD, calls: 100, per: day, time_zone: UTC, each: user}"
BUDGETS = "kind: budgets\nbudgets: {{a: {a}}}\nladder: [{ladder}]\nledger_down: {down}\n...\n"
RUNG = "{at: 90%, route: cheap, max_output_tokens: 100}"


def cache(faq: str = "{threshold: 0.95, ttl: 1h, scope: tenant, guards: [numbers]}", otherwise: str = "off") -> str:
    return CACHE.format(faq=faq, otherwise=otherwise)


def exclusions(*items: str, within: str = "nobody") -> str:
    return EXCLUSIONS.format("\n".join(f"  - {item}" for item in items), within)


def budgets(a: str = BUDGET, ladder: str = RUNG, down: str = "refuse") -> str:
    return BUDGETS.format(a=a, ladder=ladder, down=down)


NAMES = exclusions("{phrases: [my name, my bill]}", "{tools: [t]}")

WIDER = [
    ("cache", cache(), cache("{threshold: 0.94, ttl: 1h, scope: tenant, guards: [numbers]}")),
    ("cache", cache(), cache("{threshold: 0.95, ttl: 2h, scope: tenant, guards: [numbers]}")),
    ("cache", cache(), cache("{threshold: 0.95, ttl: 1h, scope: global, guards: [numbers]}")),
    ("cache", cache(), cache("{threshold: 0.95, ttl: 1h, scope: tenant, guards: []}")),
    ("cache", cache(), cache("{threshold: 0.95, ttl: 1h, scope: tenant, guards: [numbers], tools: true}")),
    ("cache", cache(), cache("{threshold: 0.95, ttl: 1h, scope: tenant, guards: [numbers], multi_turn: true}")),
    ("cache", cache("off"), cache()),
    ("cache", cache("{ttl: 1h, scope: user}"), cache("{threshold: 0.99, ttl: 1h, scope: user}")),
    ("cache", cache("{ttl: 1h, scope: user}"), cache("{max_wrong_hits: 1%, ttl: 1h, scope: user}")),
    ("cache", cache("{max_wrong_hits: 1%, ttl: 1h, scope: user}"), cache("{max_wrong_hits: 2%, ttl: 1h, scope: user}")),
    (
        "cache",
        cache("{max_wrong_hits: 1%, ttl: 1h, scope: user}"),
        cache("{max_wrong_hits: 1%, confidence: 80%, ttl: 1h, scope: user}"),
    ),
    (
        "cache",
        cache("{threshold: 0.95, ttl: 1h, scope: user}"),
        cache("{threshold: 0.95, ttl: 1h, scope: user, verify: 0%}"),
    ),
    (
        "cache",
        cache("{threshold: 0.95, ttl: 1h, scope: user}"),
        cache("{threshold: 0.95, ttl: 1h, scope: user, max_divergence: 20%}"),
    ),
    ("cache", cache(), cache(otherwise="{ttl: 1h, scope: user}")),
    ("personalization", NAMES, exclusions("{phrases: [my name, my bill]}")),
    ("personalization", NAMES, exclusions("{phrases: [my name, my bill]}", "{tools: [t]}", within="user")),
    ("budgets", budgets(), budgets(BUDGET.replace("10 USD", "11 USD"))),
    ("budgets", budgets(), budgets(BUDGET.replace("calls: 100, ", ""))),
    ("budgets", budgets(), budgets(BUDGET.replace("UTC", "Europe/Berlin"))),
    ("budgets", budgets(), budgets(BUDGET.replace("day", "hour"))),
    ("budgets", budgets(), budgets(BUDGET.replace("each: user", "each: user, window: rolling"))),
    ("budgets", budgets(BUDGET.replace(", each: user", "")), budgets()),
    ("budgets", budgets(), budgets(down="allow")),
]
"""Changes each of one value, by the file that holds it."""


@pytest.mark.parametrize(("kind", "narrow", "wide"), WIDER)
def test_what_widens_one_way_narrows_the_other(kind: str, narrow: str, wide: str, policy: Any) -> None:
    old, new = (policy(**{"intents": INTENTS, kind: text}) for text in (narrow, wide))
    (forth,) = effects(old, new)
    assert forth.widening
    assert forth.why
    (back,) = kinds(new, old)
    assert back == ("widens" if both_ways(narrow, wide) else "narrows")


def both_ways(narrow: str, wide: str) -> bool:
    """Another stretch of time is neither more nor less."""
    stretches = ("UTC", "Europe", "per: day", "per: hour", "rolling")
    return any((word in narrow) != (word in wide) for word in stretches)


def test_likeness_judged_in_another_way_asks_for_attention(policy: Any) -> None:
    old, new = (
        policy(intents=INTENTS, cache=cache(f"{{{judge}, ttl: 1h, scope: user}}"))
        for judge in ("threshold: 0.95", "max_wrong_hits: 1%")
    )
    assert kinds(old, new) == kinds(new, old) == ["widens", "widens"]


def test_an_exclusion_that_is_narrowed_is_told_by_what_is_lost(policy: Any) -> None:
    old = policy(personalization=NAMES)
    new = policy(personalization=exclusions("{phrases: [my name]}", "{tools: [t]}"))
    removed, added = effects(old, new)
    assert removed.kind == "widens"
    assert "`my bill`" in (removed.why or "")
    assert added.kind == "other"
    assert kinds(new, old) == ["other", "narrows"]


def test_exclusions_that_are_merged_widen_nothing(policy: Any) -> None:
    old = policy(personalization=NAMES)
    new = policy(personalization=exclusions("{phrases: [my name, my bill], tools: [t]}"))
    assert set(kinds(old, new)) == {"other"}


@pytest.mark.parametrize(
    ("wide", "wanted"),
    [
        ("{at: 95%, route: cheap, max_output_tokens: 100}", ["widens", "other"]),
        ("{at: 90%, route: cheap, max_output_tokens: 200}", ["widens", "other"]),
        ("{at: 90%, route: cheap}", ["widens", "other"]),
        ("", ["widens"]),
    ],
)
def test_a_weaker_rung_widens_and_a_stronger_one_narrows(wide: str, wanted: list[str], policy: Any) -> None:
    old, new = policy(budgets=budgets()), policy(budgets=budgets(ladder=wide))
    assert kinds(old, new) == wanted
    assert "narrows" in kinds(new, old)
    assert "widens" not in kinds(new, old)


def test_a_file_that_goes_widens_where_it_held_something_back(policy: Any, cached: Any) -> None:
    with_budgets = policy(budgets=budgets())
    assert kinds(with_budgets, policy()) == ["widens"]
    assert kinds(policy(), with_budgets) == ["narrows"]
    assert sorted(kinds(policy(), cached)) == ["narrows", "widens"]


ROUTING = "kind: routing\ndefault: {}\n...\n"


def test_a_dearer_default_is_loud_a_cheaper_one_is_not(policy: Any) -> None:
    cheap, strong = (policy(routing=ROUTING.format(tier)) for tier in ("cheap", "strong"))
    (dearer,) = effects(cheap, strong)
    assert (dearer.kind, dearer.widening) == ("costs more", True)
    (cheaper,) = effects(strong, cheap)
    assert (cheaper.kind, cheaper.widening) == ("costs less", False)


def test_a_models_price_moves_cost(policy: Any) -> None:
    models = policy()["p/models.yaml"].decode()
    dearer = policy(models=models.replace("input: 1 USD", "input: 2 USD", 1))
    assert kinds(policy(), dearer) == ["costs more"]
    assert kinds(dearer, policy()) == ["costs less"]


@pytest.mark.parametrize(("what", "other"), [("http://127.0.0.1:9/v1", "http://other/v1"), ("$NOT_SET", "$ELSE_")])
def test_another_endpoint_or_key_asks_for_attention(what: str, other: str, policy: Any) -> None:
    models = policy()["p/models.yaml"].decode()
    (effect,) = effects(policy(), policy(models=models.replace(what, other)))
    assert effect.widening


def test_longer_answers_cost_more(policy: Any) -> None:
    longer = policy(prompts="kind: prompts\notherwise: {max_output_tokens: 2k}\n...\n")
    assert kinds(policy(), longer) == ["costs more"]
    assert kinds(longer, policy()) == ["costs less"]
    assert kinds(policy(), policy(prompts="kind: prompts\notherwise: {output: json}\n...\n")) == ["costs more", "other"]


def test_an_intent_that_is_not_personal_any_more_widens(policy: Any) -> None:
    old = policy(intents=INTENTS.replace("[a b]}", "[a b], personal: true}"))
    assert kinds(old, policy(intents=INTENTS)) == ["widens"]
    assert kinds(policy(intents=INTENTS), old) == ["narrows"]


MATCHER = "kind: intents\nintents: {{mine: {{{}}}}}\n...\n"


@pytest.mark.parametrize(
    ("narrow", "wide", "back"),
    [
        ("when: {message: {words: [a, b]}}", "when: {message: {words: [a]}}", "narrows"),
        ("when: {message: {any_of: [a, b]}}", "when: {message: {any_of: [a]}}", "narrows"),
        ("examples: [a b, c d]", "examples: [a b]", "narrows"),
        ("examples: [a b], when: {stream: true}", "examples: [a b]", "narrows"),
        ("when: {stream: true}", "when: {stream: true, message: {words: [a]}}", "widens"),
        ("when: {not: {message: {words: [a]}}}", "when: {not: {message: {words: [a, b]}}}", "widens"),
    ],
)
def test_less_that_is_recognised_as_a_personal_intent_widens(narrow: str, wide: str, back: str, policy: Any) -> None:
    old, new = (policy(intents=MATCHER.format(f"{each}, personal: true")) for each in (narrow, wide))
    assert kinds(old, new) == ["widens"]
    assert kinds(new, old) == [back]
    excluded = exclusions("{intents: [mine]}")
    old, new = (policy(intents=MATCHER.format(each), personalization=excluded) for each in (narrow, wide))
    assert kinds(old, new) == ["widens"]
    old, new = (policy(intents=MATCHER.format(each)) for each in (narrow, wide))
    assert kinds(old, new) == ["other"]


FALLBACK = "kind: routing\ndefault: cheap\nfallback: {{{}}}\n...\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("attempts: 3", "to: strong"),
        ("to: cheap", "to: strong"),
        ("to: cheap", "to: [cheap, large]"),
        ("to: cheap", "to: [cheap, strong]"),
        ("to: strong", "to: [large, cheap]"),
    ],
)
def test_a_dearer_or_longer_list_of_stand_ins_is_loud_and_the_way_back_is_not(policy: Any, old: str, new: str) -> None:
    narrow, wide = (policy(routing=FALLBACK.format(each)) for each in (old, new))
    (effect,) = effects(narrow, wide)
    assert (effect.kind, effect.widening) == ("costs more", True)
    (effect,) = effects(wide, narrow)
    assert (effect.kind, effect.widening) == ("costs less", False)


def test_equally_dear_stand_ins_in_another_order_are_neither(policy: Any) -> None:
    assert kinds(
        policy(routing=FALLBACK.format("to: [strong, cheap]")), policy(routing=FALLBACK.format("to: [cheap, strong]"))
    ) == ["other"]


def test_stand_ins_without_a_price_are_not_compared(policy: Any) -> None:
    unpriced = "kind: models\nproviders: {sim: {type: openai, base_url: 'http://127.0.0.1:9/v1'}}\n"
    unpriced += "models: {small: {provider: sim}, no-such-model: {provider: sim}}\ntiers: {cheap: small}\n...\n"
    before, after = (
        policy(models=unpriced, routing=FALLBACK.format(each)) for each in ("attempts: 3", "to: no-such-model")
    )
    assert kinds(before, after) == ["other"]


def test_more_kinds_of_failure_that_move_on_cost_more(policy: Any) -> None:
    few, many = (policy(routing=FALLBACK.format(each)) for each in ("on: 429", "on: [429, timeout]"))
    assert kinds(few, many) == ["costs more"]
    assert kinds(many, few) == ["costs less"]
