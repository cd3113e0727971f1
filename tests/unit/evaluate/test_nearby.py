from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from msgspec import structs

from costpol.evaluate.explain import Explainer
from costpol.evaluate.kept import Memory
from costpol.evaluate.nearby import Nearby, Situation, nearby
from costpol.evaluate.rehearsal import rehearse
from costpol.inference.caller import ANONYMOUS, Caller
from costpol.pipeline.arrival import Arrival
from costpol.providers.openai import decode_request

NOW = 1_770_000_000.0
ACME = Caller("acme")
ROUTING = """kind: routing
default: cheap
rules:
  - {name: long-chats, when: {turns: {min: 3}}, route: strong}
  - {name: very-long-chats, when: {turns: {min: 5}}, route: strong}
  - {name: partners, when: {metadata: {plan: partner}, tools: none}, route: strong}
  - {name: shadowed, when: {turns: {min: 4}, metadata: {plan: x}}, route: strong}
...
"""
CACHE = "kind: cache\notherwise: {threshold: 0.99, ttl: 1h, scope: tenant}\n...\n"
BUDGETS = """kind: budgets
budgets: {daily: {limit: 10 USD, per: day, time_zone: UTC, each: tenant}}
ladder:
  - {at: 50%, warn: true}
  - {at: 75%, max_output_tokens: 300}
  - {at: 90%, refuse: enough}
...
"""
PERSONAL = "kind: personalization\nexclusions: [{phrases: [my bill]}]\nwithin: nobody\n...\n"


def found(
    files: Mapping[str, bytes], message: str = "hello", *, kept: tuple[str, ...] = (), caller: Caller = ANONYMOUS,
    spent: Mapping[str, str] | None = None,
) -> dict[str, Nearby]:  # fmt: skip
    """What would change the outcome, by the change."""

    def asked(text: str) -> Any:
        body = {"model": "large", "messages": [{"role": "user", "content": text}]}
        return decode_request(json.dumps(body).encode())

    async def run() -> tuple[Nearby, ...]:
        async with rehearse(files, lambda: NOW, pays=False) as rehearsal:
            explainer, memory = Explainer(rehearsal), Memory()
            arrival = Arrival(asked(message), caller, NOW)
            for text in kept:
                await memory.keep(explainer, structs.replace(arrival, request=asked(text)), None, None)
            shares = {name: Decimal(share) for name, share in (spent or {}).items()}
            situation = Situation(arrival, shares, memory.replies(explainer, None) if kept else {})
            explained = await explainer.explain(arrival, shares, situation.replies)
            return await nearby(explainer, situation, explained)

    return {each.change: each for each in asyncio.run(run())}


def test_earlier_rules_are_told_with_what_takes_a_request_there(policy: Any) -> None:
    changes = found(policy(routing=ROUTING))
    assert {change: each.then.decision.rule for change, each in changes.items()} == {
        "2 more user turns": "long-chats",
        "metadata `plan: partner`": "partners",
    }
    assert changes["2 more user turns"].then.decision.model == "large"


def test_a_threshold_that_would_give_a_kept_answer_is_exact(policy: Any) -> None:
    files = policy(cache=CACHE, personalization=PERSONAL)
    question, kept = "how do I reset my password", "how can I reset my password"
    (change,) = [change for change in found(files, question, kept=(kept,), caller=ACME) if "threshold" in change]
    threshold = change.split()[3]
    assert change == f"a threshold of {threshold} for `otherwise`"
    for step, kind in (("0", "hit"), ("0.0001", None)):
        stricter = CACHE.replace("0.99", str(Decimal(threshold) + Decimal(step)))
        changes = found(policy(cache=stricter, personalization=PERSONAL), question, kept=(kept,), caller=ACME)
        assert any("threshold" in each for each in changes) is (kind is None)


def test_a_guard_is_named_where_it_stands_in_the_way(policy: Any) -> None:
    cache = CACHE.replace("0.99", "0.9")
    files = policy(cache=cache, personalization=PERSONAL)
    changes = found(files, "can I pay 3 invoices today", kept=("can I pay 4 invoices today",), caller=ACME)
    (change,) = [change for change in changes if "guard" in change]
    assert "no guard `numbers`" in change
    assert changes[change].then.kind == "hit"
    assert changes[change].then.kept_question == "can I pay 4 invoices today"


def test_a_name_that_the_cache_wants_is_told(policy: Any) -> None:
    changes = found(policy(cache=CACHE, personalization=PERSONAL))
    assert changes["a tenant named"].then.decision.cache == "miss"


def test_a_phrase_that_makes_a_request_personal_is_told(policy: Any) -> None:
    files = policy(cache=CACHE, personalization=PERSONAL)
    changes = found(files, "how is my bill worked out", caller=ACME)
    then = changes["the message without `my bill`"].then
    assert (then.decision.personal, then.decision.cache) == (False, "miss")


def test_the_first_rung_that_does_something_is_told(policy: Any) -> None:
    files = policy(budgets=BUDGETS)
    changes = found(files, caller=ACME)
    assert changes["`daily` at 75%"].then.decision.max_output_tokens == 300
    assert found(files, caller=ACME, spent={"daily": "0.8"})["`daily` at 90%"].then.refusal == "enough"


def test_an_example_that_is_too_far_is_told_with_the_similarity_that_takes_it(policy: Any) -> None:
    intents = "kind: intents\nintents: {faq: {examples: [how do I reset my password], min_similarity: 0.95}}\n...\n"
    changes = found(policy(intents=intents), "how to change my password")
    (change,) = [change for change in changes if "min_similarity" in change]
    assert changes[change].then.decision.intent == "faq"
    taken = intents.replace("min_similarity: 0.95", change.partition("`")[2].partition("`")[0])
    assert not [each for each in found(policy(intents=taken), "how to change my password") if "min_similarity" in each]


def test_what_decides_already_changes_nothing(policy: Any) -> None:
    assert found(policy(routing="kind: routing\ndefault: cheap\n...\n")) == {}
