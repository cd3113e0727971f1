"""What happens on the way to a limit."""

from __future__ import annotations

from typing import Any

from playbook import Playbook
from situation import CACHE, MODELS, NOW, answered, ask, kept, policy, whats

from costpol.commands import Call, CallFailed, Failed, Granted, LookupExact, Reserve, Settle, Standing

BUDGETS = """
budgets:
  company: {limit: 1 USD, calls: 1000, per: month}
  team: {limit: 0.50 USD, per: day, each: tenant}
ladder:
  - {at: 100%, refuse: come back later}
  - {at: 50%, warn: true}
  - {at: 90%, budgets: team, route: small, max_output_tokens: 50}
"""
DOLLAR = 10**12


def talked(
    used: tuple[int, int, int], budgets: str = BUDGETS, routing: str = "default: strong", **request_: Any
) -> Any:
    """The call made and the outcome, where this much is used of the company's dollars, its calls and the team's."""
    models = request_.pop("models", MODELS)
    with Playbook(policy(models=models, routing=routing, budgets=budgets), ask(**request_)) as talk:
        talk.told(Standing, used)
        if talk.pending is None:
            return None, talk.outcome
        talk.told(Reserve, Granted(1))
        call = talk.told(Call, answered())
        talk.told(Settle, None)
        return call, talk.outcome


def test_far_from_every_limit_nothing_happens() -> None:
    call, outcome = talked((DOLLAR // 2 - 1, 499, DOLLAR // 4 - 1))
    assert (call.model, outcome.decision.rungs) == ("dear", ())


def test_the_unit_that_is_used_most_counts() -> None:
    assert talked((0, 500, 0))[1].decision.rungs == ("company 50%",)
    assert talked((DOLLAR // 2, 0, 0))[1].decision.rungs == ("company 50%",)


def test_near_the_end_a_cheaper_model_answers_shortly() -> None:
    call, outcome = talked((0, 0, DOLLAR // 2 * 9 // 10))
    assert (call.model, call.edit.max_output_tokens) == ("cheap", 50)
    assert outcome.decision.rungs == ("team 50%", "team 90%")
    assert (outcome.decision.routed, outcome.decision.model) == ("dear", "cheap")


def test_a_rung_concerns_the_budgets_that_it_names() -> None:
    call, outcome = talked((DOLLAR * 95 // 100, 0, 0))
    assert (call.model, outcome.decision.rungs) == ("dear", ("company 50%",))


def test_at_the_end_nothing_is_called_until_the_window_frees_up() -> None:
    call, outcome = talked((0, 0, DOLLAR // 2))
    assert call is None
    refusal = outcome.refusal
    assert (refusal.status, refusal.code, refusal.message) == (429, "budget_exceeded", "come back later")
    assert refusal.retry_after == 12 * 3600
    assert outcome.decision.refused == "team"


def test_of_two_budgets_at_their_end_the_longer_one_says_when_to_come_back() -> None:
    _, outcome = talked((DOLLAR, 0, DOLLAR))
    assert outcome.decision.refused == "company"
    assert outcome.refusal.retry_after == 16.5 * 86400


def test_a_shorter_answer_never_gets_longer_than_the_callers_own_limit() -> None:
    call, _ = talked((0, 0, DOLLAR // 2 * 9 // 10), max_tokens=20)
    assert call.edit.max_output_tokens is None


def test_a_step_down_never_makes_a_request_dearer() -> None:
    budgets = BUDGETS.replace("route: small", "route: strong")
    call, outcome = talked((0, 0, DOLLAR // 2 * 9 // 10), budgets=budgets, routing="default: small")
    assert call.model == "cheap"
    assert "no cheaper model" in whats(outcome)


def test_a_step_down_takes_no_model_that_cannot_do_what_is_asked() -> None:
    models = MODELS.replace("output: 0.40 USD}", "output: 0.40 USD}, lacks: [tools]")
    tool = {"type": "function", "function": {"name": "search"}}
    near = (0, 0, DOLLAR // 2 * 9 // 10)
    assert talked(near, models=models, tools=[tool])[0].model == "spare"
    assert talked(near, models=models)[0].model == "cheap"
    budgets = BUDGETS.replace("route: small", "route: cheap")
    assert talked(near, models=models, budgets=budgets, tools=[tool])[0].model == "dear"


def test_fallbacks_that_are_no_dearer_follow_the_cheaper_model() -> None:
    routing = "default: spare\nfallback: {to: [strong, spare], attempts: 3}"
    budgets = BUDGETS.replace("route: small", "route: cheap")
    with Playbook(policy(routing=routing, budgets=budgets), ask()) as talk:
        talk.told(Standing, (0, 0, DOLLAR // 2 * 9 // 10))
        tried = []
        for number in range(2):
            talk.told(Reserve, Granted(number))
            tried.append(talk.told(Call, CallFailed("timeout")).model)
            talk.told(Settle, None)
        assert talk.outcome.kind == "failed"
    assert tried == ["cheap", "spare"]


def test_a_ledger_that_does_not_answer_is_left_to_the_reservation() -> None:
    with Playbook(policy(budgets=BUDGETS), ask()) as talk:
        talk.told(Standing, Failed("ledger-busy"))
        talk.told(Reserve, Granted(1))
        talk.told(Call, answered())
        talk.told(Settle, None)
        assert "ledger does not answer" in whats(talk.outcome)


def test_a_hit_asks_no_budget() -> None:
    with Playbook(policy(budgets=BUDGETS, cache=CACHE), ask()) as talk:
        talk.reply(kept(talk.expect(LookupExact)))
        assert talk.outcome.kind == "hit"


def test_without_a_ladder_the_ledger_is_asked_once() -> None:
    budgets = "budgets: {company: {limit: 1 USD, per: day}}"
    with Playbook(policy(budgets=budgets), ask()) as talk:
        assert talk.told(Reserve, Granted(1)).now == NOW
        talk.told(Call, answered())
        talk.told(Settle, None)
        assert talk.outcome.kind == "answered"


def test_a_caller_whom_no_budget_concerns_is_not_booked() -> None:
    budgets = "budgets: {sessions: {calls: 5, per: day, each: session}}\nladder: [{at: 50%, warn: true}]"
    with Playbook(policy(budgets=budgets), ask()) as talk:
        talk.told(Call, answered())
        assert talk.outcome.kind == "answered"
