from __future__ import annotations

from typing import Any

import pytest
from playbook import Playbook
from situation import CACHE, EMBEDDED, NOW, answered, ask, kept, policy
from world import World

from costpol.commands import (
    Admitted,
    Call,
    CallFailed,
    Check,
    Checked,
    Embed,
    Exceeded,
    Failed,
    Flow,
    Granted,
    LookupExact,
    LookupSimilar,
    Reserve,
    Settle,
    Store,
)
from costpol.pipeline.decision import Verified

PICKED = Admitted(0.9, 7)


class Behind:
    """The conversation after a similar hit: `told` answers the next command, which must be of that kind."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.pending: Any = next(flow)
        self.verified: Verified | None = None

    def told(self, kind: type, value: Any) -> Any:
        command = self.pending
        assert isinstance(command, kind), command
        try:
            self.pending = self.flow.send(value)
        except StopIteration as end:
            self.pending, self.verified = None, end.value
        return command


def hit(question: str = "what is a refund", cache: str = CACHE, **request: Any) -> Behind:
    with Playbook(policy(cache=cache), ask(question, **request), admits=PICKED) as talk:
        talk.told(LookupExact, None)
        talk.told(Embed, EMBEDDED)
        talk.reply((kept(talk.expect(LookupSimilar)),))
        outcome = talk.outcome
    assert outcome.decision.cache == "hit; similar"
    assert outcome.behind is not None
    return Behind(outcome.behind)


def test_a_picked_hit_is_answered_afresh_compared_and_kept() -> None:
    talk = hit()
    talk.told(Reserve, Granted(1))
    call = talk.told(Call, answered(content="Money back."))
    settled = talk.told(Settle, None)
    check = talk.told(Check, Checked(False, "name"))
    stored = talk.told(Store, None).entry
    assert (call.model, check.ticket, check.content) == ("cheap", 7, "Money back.")
    assert (stored.answer_id, stored.text) == ("name", "what is a refund")
    assert talk.verified is not None
    assert (talk.verified.kind, talk.verified.cost) == ("different", settled.amounts[0])


def test_it_is_paid_from_a_budget_of_its_own_and_from_those_that_all_share() -> None:
    budgets = """
        budgets: {house: {limit: 9 USD, per: day, time_zone: UTC}, each: {calls: 9, per: day, each: tenant}}
        """
    pipeline = policy(cache=f"{CACHE}\nverification: {{limit: 3 USD, per: hour}}", budgets=budgets)
    with Playbook(pipeline, ask(), admits=PICKED) as talk:
        talk.told(LookupExact, None)
        talk.told(Embed, EMBEDDED)
        talk.reply((kept(talk.expect(LookupSimilar)),))
        behind = talk.outcome.behind
    assert behind is not None
    holds = next(behind).holds
    assert [(hold.budget, hold.limit) for hold in holds] == [
        ("house", 9 * 10**12), ("verification of the cache", 3 * 10**12)
    ]  # fmt: skip
    assert holds[1].account.until - holds[1].account.since == 3600


def test_a_budget_that_is_used_up_ends_it_before_any_call() -> None:
    talk = hit()
    hold = talk.pending.holds[0]
    talk.told(Reserve, Exceeded(hold, 1))
    assert talk.verified == Verified("none", "", "default", "cheap", "budget_exceeded")


@pytest.mark.parametrize("reply", [CallFailed("unreachable"), CallFailed("timeout"), CallFailed("status", 500)])
def test_no_answer_is_no_verdict_and_no_other_model_is_asked(reply: CallFailed) -> None:
    talk = hit()
    held = talk.told(Reserve, Granted(1)).holds[0].amount
    talk.told(Call, reply)
    settled = talk.told(Settle, None)
    assert settled.amounts == (held if reply.kind == "timeout" else 0,)
    assert talk.verified == Verified("none", "", "default", "cheap", "no_answer", cost=settled.amounts[0])


def test_an_answer_that_could_not_be_kept_is_no_verdict_but_it_costs() -> None:
    talk = hit()
    talk.told(Reserve, Granted(1))
    talk.told(Call, answered(finish_reason="length"))
    talk.told(Settle, None)
    assert talk.verified is not None
    assert (talk.verified.kind, talk.verified.reason) == ("none", "unfit_answer")
    assert talk.verified.cost > 0


def test_a_comparison_that_fails_or_cannot_tell_is_said() -> None:
    for reply, kind, reason in (
        (Failed("judgement-forgotten"), "none", "judgement-forgotten"), (Checked(None, "name"), "unclear", None)
    ):  # fmt: skip
        talk = hit()
        talk.told(Reserve, Granted(1))
        talk.told(Call, answered())
        talk.told(Settle, None)
        talk.told(Check, reply)
        talk.told(Store, None)
        assert talk.verified is not None
        assert (talk.verified.kind, talk.verified.reason) == (kind, reason)


def test_nobody_waits_so_there_is_no_stream() -> None:
    call = None
    talk = hit(stream=True)
    talk.told(Reserve, Granted(1))
    call = talk.told(Call, answered())
    assert call.edit.whole
    assert not call.edit.ask_usage
    assert call.headers == ()


def test_a_threshold_that_rose_lets_less_through() -> None:
    with Playbook(policy(cache=CACHE), ask(), admits=Admitted(0.97)) as talk:
        talk.told(LookupExact, None)
        talk.told(Embed, EMBEDDED)
        talk.reply((kept(talk.expect(LookupSimilar), similarity=0.95),))
        talk.told(Call, answered())
        talk.told(Store, None)
        outcome = talk.outcome
    assert outcome.decision.cache == "miss"
    assert next(note for note in outcome.trace if note.what == "miss").facts["raised_to"] == 0.97


def test_the_share_and_the_limit_are_the_policys_and_the_chance_the_questions_own() -> None:
    def admit(cache: str, question: str = "what is a refund") -> Any:
        world = World(lambda call: answered())
        pipeline = policy(cache=cache)
        for text in ("what was a refund", question):
            world.run(pipeline, ask(text))
        return next(command for command in world.log if type(command).__name__ == "Admit")

    default = admit(CACHE)
    assert (default.verify, default.limit) == (0.01, 0.1)
    stated = admit("otherwise: {threshold: 0.9, ttl: 1h, scope: tenant, verify: 25%, max_divergence: 3%}")
    assert (stated.verify, stated.limit) == (0.25, 0.03)
    assert default.chance == stated.chance != admit(CACHE, "what is the refund").chance


def test_what_only_the_callers_key_pays_for_is_not_verified() -> None:
    models = """
        providers: {house: {type: openai, base_url: "http://127.0.0.1:9/v1", key: caller}}
        models: {cheap: {provider: house, price: {input: 0.10 USD, output: 0.40 USD}}}
        tiers: {small: [cheap]}
        """
    world = World(lambda call: answered())
    pipeline = policy(models=models, cache=CACHE)
    for text in ("what was a refund", "what is a refund"):
        world.run(pipeline, ask(text))
    assert [c.verify for c in world.log if type(c).__name__ == "Admit"] == [0.0]


def test_time_stands_still_at_the_hit() -> None:
    talk = hit()
    assert talk.told(Reserve, Granted(1)).now == NOW
