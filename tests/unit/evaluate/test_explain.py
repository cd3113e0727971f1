from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from costpol.errors import UsageError
from costpol.evaluate.explain import Explainer, Explanation, message_body, request_body
from costpol.evaluate.rehearsal import rehearse
from costpol.inference.caller import ANONYMOUS, Caller
from costpol.pipeline.arrival import Arrival
from costpol.policy.loader import load_bundle
from costpol.providers.openai import decode_request

NOW = 1_770_000_000.0
BUDGETS = """kind: budgets
budgets:
  daily: {limit: 10 USD, per: day, time_zone: UTC}
  daily/tenants: {limit: 1 USD, calls: 100, per: day, time_zone: UTC, each: tenant}
ladder:
  - {at: 75%, route: small, budgets: daily}
  - {at: 90%, refuse: "enough for today", budgets: daily}
...
"""


def explain(
    files: Mapping[str, bytes], message: str, spent: Mapping[str, str] | None = None, caller: Caller = ANONYMOUS
) -> Explanation:
    async def run() -> Explanation:
        async with rehearse(files, lambda: NOW, pays=False) as rehearsal:
            explainer = Explainer(rehearsal)
            request = decode_request(message_body(explainer.bundle, message, {}))
            shares = {name: Decimal(share) for name, share in (spent or {}).items()}
            return await explainer.explain(Arrival(request, caller, NOW), shares)

    return asyncio.run(run())


def test_it_says_what_would_be_called_and_what_that_may_cost(policy: Any) -> None:
    explained = explain(policy(), "please analyze this")
    assert explained.kind == "call"
    assert explained.decision.model == "large"
    assert explained.output_tokens == 1000
    assert [(part.kind, part.quantity, part.rate) for part in explained.bill] == [
        ("input", explained.input_tokens, 10_000_000),
        ("output", 1000, 40_000_000),
    ]
    assert ("x-costpol-route", "deep-work") in explained.headers


def test_the_provider_needs_no_key_because_nothing_is_called(policy: Any) -> None:
    assert explain(policy(), "hello").decision.model == "small"


def test_rules_that_did_not_match_name_the_condition_and_what_it_saw(policy: Any) -> None:
    explained = explain(policy(), "hello")
    missed, decided = explained.rules
    assert not missed.matched
    assert missed.condition == "message.words: [analyze]"
    assert missed.saw == "the message is `hello`"
    assert (missed.span.file, missed.span.line) == ("p/routing.yaml", 4)
    assert (decided.name, decided.matched) == ("default", True)


@pytest.mark.parametrize(
    ("spent", "kind", "model"),
    [({}, "call", "large"), ({"daily": "0.75"}, "call", "small"), ({"daily": "0.9"}, "refused", None)],
)
def test_budgets_stand_where_they_are_put(policy: Any, spent: dict[str, str], kind: str, model: str | None) -> None:
    explained = explain(policy(budgets=BUDGETS), "analyze this", spent)
    assert (explained.kind, explained.decision.model) == (kind, model)


def test_a_used_up_budget_refuses_and_says_so(policy: Any) -> None:
    explained = explain(policy(budgets=BUDGETS), "hello", {"daily/tenants": "1"}, Caller("acme"))
    assert explained.kind == "refused"
    assert explained.refusal is not None
    assert "daily/tenants" in explained.refusal
    assert explained.bill == ()


def test_a_budget_that_is_not_there_is_named(policy: Any) -> None:
    with pytest.raises(UsageError) as raised:
        explain(policy(budgets=BUDGETS), "hello", {"dayly": "0.5"})
    assert raised.value.help == "did you mean `daily`?"


def test_an_embedder_that_costs_money_is_not_asked(policy: Any) -> None:
    models = (
        policy()["p/models.yaml"]
        .decode()
        .replace(
            "...\n",
            "embedders:\n  paid: {type: openai, base_url: 'http://127.0.0.1:9/v1', model: e, key: $NOT_SET_ANYWHERE, "
            "dimension: 8, price: 0.02 USD}\n...\n",
        )
    )
    files = policy(
        models=models,
        cache="kind: cache\nembedder: paid\notherwise: {threshold: 0.97, ttl: 1h, scope: tenant}\n...\n",
        personalization="kind: personalization\nexclusions: []\n...\n",
        intents="kind: intents\nintents: {faq: {examples: [how do I pay], min_similarity: 0.5}}\n...\n",
    )
    explained = explain(files, "how do I pay", caller=Caller("acme"))
    assert explained.decision.intent == "other"
    assert explained.decision.cache == "miss"
    assert {note.facts.get("reason") for note in explained.trace} >= {"embedding-costs-money"}


def test_the_cache_is_asked_and_is_empty(cached: Any) -> None:
    assert explain(cached, "hello", caller=Caller("acme")).decision.cache == "miss"
    assert explain(cached, "hello").decision.cache == "bypass; tenant unknown"


def test_a_message_asks_for_the_strongest_model(policy: Any) -> None:
    bundle = load_bundle(policy()).require()
    assert json.loads(message_body(bundle, "hi", {"a": "b"})) == {
        "model": "large",
        "messages": [{"role": "user", "content": "hi"}],
        "metadata": {"a": "b"},
    }
    body = request_body(bundle, {"model": "m", "temperature": Decimal("0.5"), "metadata": {"x": "y"}}, {"a": "b"})
    assert json.loads(body) == {"model": "m", "temperature": 0.5, "metadata": {"x": "y", "a": "b"}}
