"""Which answers are kept."""

from __future__ import annotations

from typing import Any

import pytest
from playbook import Playbook
from situation import CACHE, EMBEDDED, NOW, answered, ask, policy

from costpol.commands import (
    Call,
    CallFailed,
    Embed,
    Failed,
    Granted,
    LookupExact,
    LookupSimilar,
    Reserve,
    Settle,
    Standing,
    Store,
)


def missed(talk: Playbook) -> None:
    talk.told(LookupExact, None)
    talk.told(Embed, EMBEDDED)
    talk.told(LookupSimilar, ())


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"finish_reason": "length"}, "the answer ended by `length`"),
        ({"finish_reason": "content_filter"}, "the answer ended by `content_filter`"),
        ({"finish_reason": None}, "the answer ended by `nothing`"),
        ({"content": ""}, "the answer is empty"),
        ({"content": " \n\t"}, "the answer is empty"),
        ({"tool_calls": ("pay",)}, "the answer calls tools"),
        ({"tool_calls": ("pay",), "finish_reason": "tool_calls"}, "the answer calls tools"),
        ({"refusal": True}, "the model refused"),
        ({"complete": False}, "the answer broke off"),
        ({"body": None}, "the answer broke off"),
        ({"answers": 2}, "there are several answers"),
        ({"answers": 0}, "there are several answers"),
    ],
)
def test_an_answer_that_is_not_whole_and_plain_is_not_kept(answer: dict[str, Any], reason: str) -> None:
    with Playbook(policy(cache=CACHE), ask()) as talk:
        missed(talk)
        talk.told(Call, answered(**answer))
        outcome = talk.outcome
    assert not outcome.decision.stored
    assert next(note for note in outcome.trace if note.what == "not kept").facts == {"reason": reason}


def test_a_whole_answer_is_kept_with_all_that_a_hit_needs() -> None:
    with Playbook(policy(cache=CACHE), ask("what is  a refund", answer_id="refund")) as talk:
        lookup = talk.told(LookupExact, None)
        talk.told(Embed, EMBEDDED)
        talk.told(LookupSimilar, ())
        talk.told(Call, answered("Money back."))
        store = talk.told(Store, None)
        assert talk.outcome.decision.stored
    entry = store.entry
    assert (entry.partition, entry.question, entry.scope) == (lookup.partition, lookup.question, lookup.scope)
    assert (entry.text, entry.body, entry.model) == ("what is  a refund", b'{"content": "Money back."}', "cheap")
    assert (entry.created, entry.expires) == (NOW, NOW + 3600)
    assert (entry.cost_picodollars, entry.input_tokens, entry.output_tokens) == (4_000_000, 20, 5)
    assert (entry.answer_id, entry.template) == ("refund", "")
    assert store.vector is EMBEDDED.vector


def test_another_model_of_the_same_tier_may_answer_for_it() -> None:
    with Playbook(policy(cache=CACHE), ask()) as talk:
        missed(talk)
        talk.told(Call, CallFailed("timeout"))
        talk.told(Call, answered())
        assert talk.told(Store, None).entry.model == "spare"
        assert talk.outcome.decision.stored


def test_a_stand_in_from_another_tier_leaves_nothing_behind() -> None:
    routing = "default: strong\nfallback: {to: [small]}"
    with Playbook(policy(cache=CACHE, routing=routing), ask()) as talk:
        missed(talk)
        talk.told(Call, CallFailed("timeout"))
        talk.told(Call, answered())
        outcome = talk.outcome
    note = next(note for note in outcome.trace if note.what == "not kept")
    assert note.facts == {"reason": "`cheap` stood in for `dear`"}


def test_a_cheaper_model_near_a_limit_is_a_stand_in_too() -> None:
    budgets = "budgets: {company: {limit: 1 USD, per: day}}\nladder: [{at: 50%, route: small}]"
    with Playbook(policy(cache=CACHE, routing="default: strong", budgets=budgets), ask()) as talk:
        missed(talk)
        talk.told(Standing, (6 * 10**11,))
        talk.told(Reserve, Granted(1))
        assert talk.told(Call, answered()).model == "cheap"
        talk.told(Settle, None)
        assert not talk.outcome.decision.stored


def test_a_store_that_fails_costs_nobody_an_answer() -> None:
    with Playbook(policy(cache=CACHE), ask()) as talk:
        missed(talk)
        talk.told(Call, answered())
        talk.told(Store, Failed("cache-full"))
        outcome = talk.outcome
    assert (outcome.kind, outcome.decision.stored) == ("answered", False)
