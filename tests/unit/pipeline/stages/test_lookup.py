"""Whether a kept answer may be given again."""

from __future__ import annotations

from typing import Any

import pytest
from playbook import Playbook
from situation import CACHE, EMBEDDED, NOW, answered, ask, kept, policy, whats

from costpol.commands import Call, Embed, Failed, Join, Judge, Judged, Learn, LookupExact, LookupSimilar, Scope, Store
from costpol.pipeline.arrival import CacheWish

TOOL = {"type": "function", "function": {"name": "search"}}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
QUESTION = {"role": "user", "content": "what is a refund"}
REPLY = {"role": "assistant", "content": "Money back."}
FOLLOW_UP = {"role": "user", "content": "and for my other one?"}


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ({"n": 2}, "several answers"),
        ({"text": "  \n"}, "no question"),
        ({"messages": [{"role": "system", "content": "Be kind."}]}, "no question"),
        ({"messages": [REPLY]}, "no question"),
        ({"tenant": None}, "tenant unknown"),
        ({"tenant": ""}, "tenant unknown"),
    ],
)
def test_what_must_not_be_shared_is_not_looked_up_nor_kept(request_: dict[str, Any], reason: str) -> None:
    with Playbook(policy(cache=CACHE), ask(**request_)) as talk:
        talk.told(Call, answered())
        outcome = talk.outcome
    assert (outcome.decision.cache, outcome.decision.stored) == (f"bypass; {reason}", False)


@pytest.mark.parametrize("cache", ["otherwise: off", "intents: {general: {ttl: 1h, scope: tenant}}"])
def test_what_the_policy_does_not_cache_is_not_looked_up(cache: str) -> None:
    intents = "intents: {general: {when: {stage: never}}}"
    with Playbook(policy(cache=cache, intents=intents), ask()) as talk:
        talk.told(Call, answered())
        assert talk.outcome.decision.cache == "bypass; off"


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ({"tools": [TOOL]}, "tools"),
        ({"text": [{"type": "text", "text": "what is this"}, IMAGE]}, "attachments"),
        ({"messages": [QUESTION, REPLY, FOLLOW_UP]}, "multi-turn"),
        ({"messages": [REPLY, FOLLOW_UP]}, "multi-turn"),
        ({"messages": [QUESTION, REPLY]}, "the last message is not the user's"),
        ({"text": "summarise this: " + "word " * 200}, "long"),
        ({"text": "what does it print\nif a:\n  b()"}, "code"),
        ({"text": "what is ```a + b```"}, "code"),
    ],
)
def test_where_likeness_says_too_little_only_an_exact_repeat_hits(request_: dict[str, Any], reason: str) -> None:
    with Playbook(policy(cache=CACHE), ask(**request_)) as talk:
        talk.told(LookupExact, None)
        talk.told(Call, answered())
        assert talk.told(Store, None).vector is None  # and nothing else finds it by likeness later
        outcome = talk.outcome
    assert outcome.decision.cache == "miss"
    assert next(note for note in outcome.trace if note.what == "only exact repeats").facts == {"reason": reason}


@pytest.mark.parametrize(
    ("option", "request_"),
    [("tools", {"tools": [TOOL]}), ("multi_turn", {"messages": [QUESTION, REPLY, FOLLOW_UP]})],
)
def test_a_policy_may_allow_more(option: str, request_: dict[str, Any]) -> None:
    cache = f"otherwise: {{threshold: 0.9, ttl: 1h, scope: tenant, {option}: true}}"
    with Playbook(policy(cache=cache), ask(**request_)) as talk:
        talk.told(LookupExact, None)
        talk.told(Embed, EMBEDDED)
        talk.reply((kept(talk.expect(LookupSimilar), text="and for my other one"),))
        assert talk.outcome.decision.cache == "hit; similar"


def test_tools_that_the_policy_takes_away_do_not_count() -> None:
    with Playbook(policy(cache=CACHE, prompts="otherwise: {tools: none}"), ask(tools=[TOOL])) as talk:
        talk.told(LookupExact, None)
        talk.told(Embed, EMBEDDED)
        talk.reply((kept(talk.expect(LookupSimilar)),))
        assert talk.outcome.kind == "hit"


def test_without_a_threshold_only_exact_repeats_hit() -> None:
    with Playbook(policy(cache="otherwise: {ttl: 1h, scope: tenant}"), ask()) as talk:
        talk.told(LookupExact, None)
        talk.told(Call, answered())
        assert talk.told(Store, None).vector is None
        assert talk.outcome.decision.cache == "miss"


@pytest.mark.parametrize(
    "changes",
    [
        {"scope": Scope("tenant", "tenant:zed")},
        {"scope": Scope("user", "tenant:acme")},
        {"partition": "another"},
        {"question": "another"},
        {"expires": NOW},
        {"created": NOW - 3600},
    ],
)
def test_an_answer_that_is_not_the_askers_is_not_given_whatever_the_store_says(changes: dict[str, Any]) -> None:
    with Playbook(policy(cache=CACHE), ask()) as talk:
        talk.reply(kept(talk.expect(LookupExact), **changes))
        talk.told(Embed, EMBEDDED)
        similar = talk.expect(LookupSimilar)
        if "question" not in changes:
            talk.reply((kept(similar, **changes),))
            talk.told(Call, answered())
            talk.told(Store, None)
            assert talk.outcome.kind == "answered"
        else:
            talk.reply(())
            talk.told(Call, answered())
            talk.told(Store, None)
            assert talk.outcome.decision.cache == "miss"


def test_a_candidate_below_the_threshold_is_a_miss() -> None:
    with Playbook(policy(cache=CACHE), ask()) as talk:
        talk.told(LookupExact, None)
        talk.told(Embed, EMBEDDED)
        talk.reply((kept(talk.expect(LookupSimilar), similarity=0.8999),))
        talk.told(Call, answered())
        talk.told(Store, None)
        outcome = talk.outcome
    assert next(note for note in outcome.trace if note.what == "miss").facts["nearest"] == 0.8999


def test_a_guard_refuses_a_candidate_and_the_next_is_looked_at() -> None:
    with Playbook(policy(cache=CACHE), ask("how do I turn it on")) as talk:
        talk.told(LookupExact, None)
        talk.told(Embed, EMBEDDED)
        similar = talk.expect(LookupSimilar)
        talk.reply((
            kept(similar, similarity=0.99, text="how do I turn it off"),
            kept(similar, similarity=0.95, text="how can I turn it on", body=b"by the switch"),
        ))  # fmt: skip
        outcome = talk.outcome
    assert outcome.body == b"by the switch"
    refused = next(note for note in outcome.trace if note.what == "refused by guard")
    assert (refused.facts["guard"], refused.facts["similarity"]) == ("negation", 0.99)


def test_a_policy_may_do_without_guards() -> None:
    cache = "otherwise: {threshold: 0.9, ttl: 1h, scope: tenant, guards: []}"
    with Playbook(policy(cache=cache), ask("turn it on")) as talk:
        talk.told(LookupExact, None)
        talk.told(Embed, EMBEDDED)
        talk.reply((kept(talk.expect(LookupSimilar), text="turn it off"),))
        assert talk.outcome.kind == "hit"


def test_a_store_that_fails_is_a_bypass_and_is_asked_no_more() -> None:
    with Playbook(policy(cache=CACHE), ask()) as talk:
        talk.told(LookupExact, Failed("cache-busy"))
        talk.told(Call, answered())
        outcome = talk.outcome
    assert (outcome.decision.cache, outcome.decision.stored) == ("bypass; cache-busy", False)


def test_where_the_embedder_or_the_search_fails_exact_repeats_still_work() -> None:
    with Playbook(policy(cache=CACHE), ask()) as talk:
        talk.told(LookupExact, None)
        talk.told(Embed, Failed("away"))
        talk.told(Call, answered())
        assert talk.told(Store, None).vector is None
        assert "question not embedded" in whats(talk.outcome)
    with Playbook(policy(cache=CACHE), ask()) as talk:
        talk.told(LookupExact, None)
        talk.told(Embed, EMBEDDED)
        talk.told(LookupSimilar, Failed("away"))
        talk.told(Call, answered())
        talk.told(Store, None)
        assert talk.outcome.decision.stored


def test_an_embedder_that_fails_is_a_bypass_with_its_reason() -> None:
    with Playbook(policy(cache=CACHE), ask()) as talk:
        talk.told(LookupExact, None)
        talk.told(Embed, Failed("embedder_timeout"))
        talk.told(Call, answered())
        talk.told(Store, None)
        decision = talk.outcome.decision
    assert (decision.cache, decision.stored) == ("bypass; embedder_timeout", True)


def test_an_embedder_that_failed_is_not_asked_twice_for_one_request() -> None:
    intents = "intents: {faq: {examples: [what is a refund]}}"
    with Playbook(policy(cache=CACHE, intents=intents), ask()) as talk:
        talk.told(Embed, Failed("embedder_resting"))
        talk.told(LookupExact, None)
        talk.told(Call, answered())
        talk.told(Store, None)
        assert talk.outcome.decision.cache == "bypass; embedder_resting"


def test_a_question_that_is_being_answered_is_waited_for_and_looked_up_again() -> None:
    with Playbook(policy(cache=CACHE), ask(), alone=False) as talk:
        lookup = talk.told(LookupExact, None)
        talk.told(Embed, EMBEDDED)
        talk.told(LookupSimilar, ())
        join = talk.told(Join, True)
        assert join.identity == f"{lookup.partition}/{lookup.question}/tenant:acme"
        talk.reply(kept(talk.expect(LookupExact)))
        outcome = talk.outcome
    assert outcome.decision.cache == "hit; exact"


def test_who_waits_in_vain_asks_in_the_end() -> None:
    with Playbook(policy(cache=CACHE), ask(), alone=False) as talk:
        talk.told(LookupExact, None)
        talk.told(Embed, EMBEDDED)
        talk.told(LookupSimilar, ())
        rounds = 0
        while isinstance(talk.pending, Join):
            talk.told(Join, True)
            talk.told(LookupExact, None)
            rounds += 1
        talk.told(Call, answered())
        talk.told(Store, None)
        assert talk.outcome.kind == "answered"
    assert 1 <= rounds <= 3


def test_answers_of_a_tier_are_its_own() -> None:
    routing = "default: small\nrules: [{name: r, when: {stage: s}, route: strong}]"
    partitions = []
    for stage in (None, "s"):
        with Playbook(policy(cache=CACHE, routing=routing), ask(stage=stage)) as talk:
            partitions.append(talk.expect(LookupExact).partition)
            talk.reply(kept(talk.expect(LookupExact)))
            assert talk.outcome.kind == "hit"
    assert partitions[0] != partitions[1]


@pytest.mark.parametrize("kind", ["global", "tenant", "user"])
def test_an_answer_is_looked_up_and_kept_in_the_scope_of_the_policy(kind: str) -> None:
    with Playbook(policy(cache=CACHE.replace("tenant", kind)), ask(user="ada")) as talk:
        scope = talk.told(LookupExact, None).scope
        talk.told(Embed, EMBEDDED)
        assert talk.told(LookupSimilar, ()).scope == scope
        talk.told(Call, answered())
        assert talk.told(Store, None).entry.scope == scope
        assert talk.outcome.decision.scope == kind
    assert scope.key == {"global": "global", "tenant": "tenant:acme", "user": "user:acme:ada"}[kind]


def test_a_caller_may_keep_out_of_the_cache() -> None:
    with Playbook(policy(cache=CACHE), ask(wish=CacheWish(no_store=True))) as talk:
        talk.told(Call, answered())
        assert (talk.outcome.decision.cache, talk.outcome.decision.stored) == ("bypass; no-store", False)


def test_a_caller_may_want_a_younger_answer_than_the_policy_gives_but_no_older_one() -> None:
    with Playbook(policy(cache=CACHE), ask(wish=CacheWish(max_age=30))) as talk:
        talk.reply(kept(talk.expect(LookupExact)))  # a minute old
        talk.told(Embed, EMBEDDED)
        talk.reply((kept(talk.expect(LookupSimilar)),))
        talk.told(Call, answered())
        talk.told(Store, None)
        assert talk.outcome.decision.cache == "miss"
    with Playbook(policy(cache=CACHE), ask(wish=CacheWish(max_age=1e9))) as talk:
        talk.reply(kept(talk.expect(LookupExact), created=NOW - 3600))
        talk.told(Embed, EMBEDDED)
        talk.told(LookupSimilar, ())
        talk.told(Call, answered())
        talk.told(Store, None)
        assert talk.outcome.decision.cache == "miss"


def test_a_caller_may_want_a_kept_answer_or_none() -> None:
    with Playbook(policy(cache=CACHE), ask(wish=CacheWish(only_if_cached=True))) as talk:
        talk.told(LookupExact, None)
        talk.told(Embed, EMBEDDED)
        talk.told(LookupSimilar, ())
        refusal = talk.outcome.refusal
    assert refusal is not None
    assert (refusal.status, refusal.code) == (504, "not_cached")


def test_who_waited_for_an_equal_question_looks_again() -> None:
    with Playbook(policy(cache=CACHE), ask(), alone=False) as talk:
        first = talk.told(LookupExact, None)
        talk.told(Embed, EMBEDDED)
        talk.told(LookupSimilar, ())
        talk.told(Join, True)
        talk.reply(kept(talk.expect(LookupExact)))
        assert talk.outcome.decision.cache == "hit; exact"
    assert first.scope.kind == "tenant"


def test_who_waited_in_vain_twice_goes_on_alone() -> None:
    with Playbook(policy(cache=CACHE), ask(), alone=False) as talk:
        talk.told(LookupExact, None)
        talk.told(Embed, EMBEDDED)
        talk.told(LookupSimilar, ())
        for _ in range(2):
            talk.told(Join, True)
            talk.told(LookupExact, None)
        talk.told(Call, answered())
        talk.told(Store, None)
        assert talk.outcome.kind == "answered"


LEARNED = "otherwise: {max_wrong_hits: 1%, ttl: 1h, scope: tenant}"


def test_with_a_declared_limit_evidence_decides_not_a_threshold() -> None:
    with Playbook(policy(cache=LEARNED), ask()) as talk:
        talk.told(LookupExact, None)
        talk.told(Embed, EMBEDDED)
        similar = talk.expect(LookupSimilar)
        talk.reply((kept(similar, similarity=0.7), kept(similar, similarity=0.6, question="second")))
        judge = talk.told(Judge, Judged(1, "surely alike", 3, 0.999, 4.5))
        outcome = talk.outcome
    assert (judge.limit, len(judge.hits)) == (0.01, 2)
    assert (outcome.kind, outcome.decision.cache, outcome.similarity) == ("hit", "hit; similar", 0.6)


def test_the_fresh_answer_of_a_judged_miss_teaches_and_is_kept_under_its_name() -> None:
    with Playbook(policy(cache=LEARNED), ask()) as talk:
        talk.told(LookupExact, None)
        talk.told(Embed, EMBEDDED)
        talk.told(LookupSimilar, ())
        talk.told(Judge, Judged(None, "no evidence yet", 7))
        talk.told(Call, answered("It is money back."))
        learn = talk.told(Learn, "answer-1")
        store = talk.told(Store, None)
        assert talk.outcome.decision.cache == "miss"
    assert (learn.ticket, learn.content, learn.answer_id) == (7, "It is money back.", None)
    assert store.entry.answer_id == "answer-1"


def test_what_a_guard_refuses_is_told_and_a_model_is_asked() -> None:
    with Playbook(policy(cache=LEARNED), ask("how do I enable it")) as talk:
        talk.told(LookupExact, None)
        talk.told(Embed, EMBEDDED)
        talk.reply((kept(talk.expect(LookupSimilar), text="how do I disable it"),))
        judge = talk.told(Judge, Judged(None, "refused by a guard", 7, 0.99, 2.0, refused=(0, "negation")))
        talk.told(Call, answered())
        assert talk.told(Learn, "x").ticket == 7
        talk.told(Store, None)
        assert talk.outcome.decision.cache == "miss"
    assert "negation" in judge.guards
    (refused,) = [note for note in talk.outcome.trace if note.what == "refused by guard"]
    assert refused.facts == {"guard": "negation", "similarity": 1.0, "question": "how do I disable it"}


def test_a_judge_that_fails_is_a_miss() -> None:
    with Playbook(policy(cache=LEARNED), ask()) as talk:
        talk.told(LookupExact, None)
        talk.told(Embed, EMBEDDED)
        talk.reply((kept(talk.expect(LookupSimilar)),))
        talk.told(Judge, Failed("judgement-away"))
        talk.told(Call, answered())
        talk.told(Store, None)
        assert talk.outcome.decision.cache == "miss"
