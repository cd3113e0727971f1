"""The whole way of a request, as conversations."""

from __future__ import annotations

import pytest
from playbook import Playbook
from situation import (
    CACHE,
    EMBEDDED,
    REFUSED_AS_WRONG,
    answered,
    ask,
    bundle,
    compiled,
    default_policy,
    kept,
    policy,
    whats,
)

from costpol.commands import (
    Call,
    CallFailed,
    Embed,
    Failed,
    Granted,
    LookupExact,
    LookupSimilar,
    NearestIntents,
    Neighbour,
    Reserve,
    Settle,
    Standing,
    Store,
)
from costpol.inference.usage import Usage
from costpol.pipeline.trace import readable

BUDGETS = "budgets: {company: {limit: 1 USD, per: day}}"


def test_without_cache_and_budgets_a_request_is_called_and_nothing_else() -> None:
    with Playbook(policy(), ask()) as talk:
        call = talk.told(Call, answered())
        outcome = talk.outcome
    assert (call.provider, call.model, call.timeout, call.last) == ("house", "cheap", 10.0, False)
    assert call.edit.empty
    assert (outcome.kind, outcome.cost, outcome.saved) == ("answered", 20 * 100_000 + 5 * 400_000, 0)
    assert outcome.decision.attempts == ("cheap",)
    assert outcome.decision.cache == "bypass; off"


def test_the_whole_way_of_a_miss_through_the_default_policy() -> None:
    arrival = ask("how do I reset a password", user="ada", session="s", model="gpt-4.1")
    with Playbook(default_policy(), arrival) as talk:
        talk.told(Embed, EMBEDDED)
        talk.told(NearestIntents, (Neighbour("faq", "how do I reset a password", 0.99),))
        looked = talk.told(LookupExact, None)
        assert (looked.scope.key, looked.now) == ("tenant:acme", arrival.now)
        assert talk.told(LookupSimilar, ()).intent == "faq"
        accounts = talk.told(Standing, (0,) * 5).accounts
        assert [account.name for account in accounts] == [
            "company/usd/", "tenants/usd/tenant:acme", "users/usd/user:acme:ada", "sessions/usd/session:acme:s",
            "sessions/calls/session:acme:s",
        ]  # fmt: skip
        holds = talk.told(Reserve, Granted(7)).holds
        assert [hold.account for hold in holds] == list(accounts)
        call = talk.told(Call, answered())
        assert (call.model, call.edit.model, call.edit.max_output_tokens) == ("gpt-4.1-nano", "gpt-4.1-nano", 300)
        settled = talk.told(Settle, None)
        assert (settled.reservation, settled.amounts[-1]) == (7, 1)
        store = talk.told(Store, None)
        assert (store.entry.scope, store.entry.intent, store.entry.text) == (
            looked.scope, "faq", "how do I reset a password",
        )  # fmt: skip
        assert store.vector is EMBEDDED.vector
        decision = talk.outcome.decision
    assert (decision.intent, decision.rule, decision.routed, decision.model) == (
        "faq", "lookups", "gpt-4.1-nano", "gpt-4.1-nano",
    )  # fmt: skip
    assert (decision.cache, decision.scope, decision.stored) == ("miss", "tenant", True)


def test_an_exact_repeat_is_answered_without_budget_and_without_a_vector() -> None:
    with Playbook(policy(cache=CACHE, budgets=BUDGETS), ask()) as talk:
        lookup = talk.expect(LookupExact)
        talk.reply(kept(lookup, body=b"kept"))
        outcome = talk.outcome
    assert (outcome.kind, outcome.body, outcome.cost, outcome.routed_cost) == ("hit", b"kept", 0, 4_000_000)
    assert outcome.saved == 20 * 100_000 + 5 * 400_000
    assert outcome.decision.model == "cheap"  # who once gave the answer
    assert outcome.decision.cache == "hit; exact"


def test_a_question_that_is_alike_is_answered_with_its_neighbours_answer() -> None:
    with Playbook(policy(cache=CACHE), ask("what is a refund?")) as talk:
        talk.told(LookupExact, None)
        talk.told(Embed, EMBEDDED)
        talk.reply((kept(talk.expect(LookupSimilar), similarity=0.93, answer_id="refund"),))
        outcome = talk.outcome
    assert (outcome.kind, outcome.similarity, outcome.hit_answer_id) == ("hit", 0.93, "refund")
    assert outcome.decision.cache == "hit; similar"


def test_what_deciding_costs_is_part_of_the_cost_and_off_the_saving() -> None:
    pipeline = policy(cache=CACHE)
    paid = compiled(bundle(cache=CACHE), embedding_rate=1000)
    for each, overhead in ((pipeline, 0), (paid, 4 * 1000)):
        with Playbook(each, ask()) as talk:
            talk.told(LookupExact, None)
            talk.told(Embed, EMBEDDED)
            talk.reply((kept(talk.expect(LookupSimilar)),))
            outcome = talk.outcome
        assert outcome.cost == overhead
        assert outcome.saved == 20 * 100_000 + 5 * 400_000 - overhead


def test_a_failure_that_is_the_requests_own_fault_is_passed_on() -> None:
    with Playbook(policy(), ask()) as talk:
        talk.told(Call, REFUSED_AS_WRONG)
        outcome = talk.outcome
    assert (outcome.kind, outcome.failure, outcome.cost, outcome.saved) == ("failed", REFUSED_AS_WRONG, 0, None)
    assert outcome.decision.attempts == ("cheap",)


def test_a_requested_model_without_a_price_leaves_the_saving_unknown() -> None:
    with Playbook(policy(), ask(model="unheard-of")) as talk:
        talk.told(Call, answered())
        assert talk.outcome.saved is None


def test_usage_that_a_provider_leaves_out_is_estimated_and_says_so() -> None:
    usage = Usage(output_tokens=7, cache_read_tokens=3, reasoning_tokens=2)
    with Playbook(policy(), ask()) as talk:
        talk.told(Call, answered(usage=usage))
        found = talk.outcome.usage
    assert found is not None
    assert (found.estimated, found.output_tokens, found.cache_read_tokens, found.reasoning_tokens) == (True, 7, 3, 2)
    assert found.input_tokens == 8


def test_nothing_that_fails_beside_the_model_keeps_a_request_from_its_answer() -> None:
    budgets = f"{BUDGETS}\nladder: [{{at: 50%, warn: true}}]\nledger_down: allow"
    intents = "intents: {faq: {examples: [what is a refund]}}"
    with Playbook(policy(cache=CACHE, intents=intents, budgets=budgets), ask()) as talk:
        talk.told(Embed, Failed("embedder-away"))
        talk.told(LookupExact, Failed("cache-away"))
        talk.told(Standing, Failed("ledger-busy"))
        talk.told(Reserve, Failed("ledger-busy"))
        talk.told(Call, answered())
        outcome = talk.outcome
    assert outcome.kind == "answered"
    assert outcome.decision.cache == "bypass; cache-away"
    assert whats(outcome).count("ledger does not answer") == 2


def test_a_trace_reads_as_plain_data() -> None:
    with Playbook(policy(budgets=BUDGETS), ask()) as talk:
        talk.told(Reserve, Granted(1))
        talk.told(Call, answered())
        talk.told(Settle, None)
        trace = [readable(note) for note in talk.outcome.trace]
    assert trace[-1]["bill"] == [
        "20 input x 0.1 USD per million = 0.000002 USD", "5 output x 0.4 USD per million = 0.000002 USD",
    ]  # fmt: skip
    assert trace[-1]["usd"] == "0.000004"
    assert trace[-2] == {"stage": "call", "what": "reserved", "model": "cheap", "usd": "0.0004008", "tokens": 1008}


def test_a_flow_that_is_closed_in_the_middle_says_nothing_more() -> None:
    flow = policy().flow(ask())
    assert isinstance(flow.send(None), Call)
    flow.close()
    with pytest.raises(StopIteration):
        next(flow)


def test_a_failure_of_the_last_target_may_be_passed_on_as_it_came() -> None:
    with Playbook(policy(), ask()) as talk:
        assert talk.told(Call, CallFailed("timeout")).last is False
        assert talk.told(Call, CallFailed("timeout")).last is True
        assert talk.outcome.kind == "failed"
