"""Reserve, call, settle: who is tried after whom, and what is set aside and paid."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from playbook import Playbook
from situation import NOW, answered, ask, policy, whats

from costpol.commands import Answered, Call, CallFailed, Exceeded, Failed, Granted, Reserve, Settle
from costpol.inference.prices import Price
from costpol.inference.rates import Rates
from costpol.inference.usage import Usage

FALLBACK = "default: small\nfallback: {to: [strong], attempts: 3}"
BUDGETS = "budgets: {company: {limit: 1 USD, tokens: 1M, calls: 100, per: day}}"


@pytest.mark.parametrize(
    "failure",
    [
        CallFailed("status", 429),
        CallFailed("status", 500),
        CallFailed("status", 503),
        CallFailed("timeout"),
        CallFailed("unreachable"),
        CallFailed("broken"),
    ],
)
def test_a_failure_of_the_provider_moves_on_to_the_next_target(failure: CallFailed) -> None:
    with Playbook(policy(routing=FALLBACK), ask()) as talk:
        assert talk.told(Call, failure).model == "cheap"
        assert talk.told(Call, failure).model == "spare"
        assert talk.told(Call, answered()).model == "dear"
        outcome = talk.outcome
    assert outcome.decision.attempts == ("cheap", "spare", "dear")
    assert (outcome.kind, outcome.decision.model) == ("answered", "dear")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422, 302])
def test_a_request_that_is_refused_as_wrong_is_never_tried_again(status: int) -> None:
    with Playbook(policy(routing=FALLBACK), ask()) as talk:
        talk.told(Call, CallFailed("status", status))
        assert talk.outcome.kind == "failed"


def test_only_the_failures_that_the_policy_names_move_on() -> None:
    routing = "default: small\nfallback: {on: [timeout]}"
    with Playbook(policy(routing=routing), ask()) as talk:
        talk.told(Call, CallFailed("timeout"))
        talk.told(Call, CallFailed("status", 429))
        assert talk.outcome.kind == "failed"


def test_no_more_targets_are_tried_than_the_policy_says() -> None:
    with Playbook(policy(routing="default: small\nfallback: {to: [strong], attempts: 2}"), ask()) as talk:
        talk.told(Call, CallFailed("timeout"))
        assert talk.told(Call, CallFailed("timeout")).last
        assert talk.outcome.decision.attempts == ("cheap", "spare")


def test_each_attempt_has_its_own_reservation_and_a_failed_one_is_refunded() -> None:
    with Playbook(policy(budgets=BUDGETS), ask()) as talk:
        first = talk.told(Reserve, Granted(1))
        talk.told(Call, CallFailed("status", 500))
        assert talk.told(Settle, None).amounts == (0, 0, 0)
        second = talk.told(Reserve, Granted(2))
        talk.told(Call, answered())
        settle = talk.told(Settle, None)
        assert talk.outcome.kind == "answered"
    assert [hold.amount for hold in first.holds] == [8 * 100_000 + 1000 * 400_000, 1008, 1]
    assert [hold.amount for hold in second.holds] == [8 * 200_000 + 1000 * 800_000, 1008, 1]
    assert (settle.reservation, settle.amounts) == (2, (20 * 200_000 + 5 * 800_000, 25, 1))


def test_a_reservation_outlives_all_the_time_that_earlier_targets_may_take() -> None:
    with Playbook(policy(budgets=BUDGETS), ask()) as talk:
        first = talk.told(Reserve, Granted(1))
        talk.told(Call, CallFailed("timeout"))
        talk.told(Settle, None)
        second = talk.told(Reserve, Granted(2))
        talk.told(Call, answered())
        talk.told(Settle, None)
        assert talk.outcome.kind == "answered"
    assert (first.expires, second.expires) == (NOW + 610, NOW + 620)


def test_where_the_first_target_is_too_dear_a_cheaper_one_is_taken() -> None:
    with Playbook(policy(routing="default: strong\nfallback: {to: [small]}", budgets=BUDGETS), ask()) as talk:
        hold = talk.expect(Reserve).holds[0]
        talk.reply(Exceeded(hold, 0))
        talk.told(Reserve, Granted(1))
        assert talk.told(Call, answered()).model == "cheap"
        talk.told(Settle, None)
        outcome = talk.outcome
    assert (outcome.kind, outcome.decision.refused) == ("answered", None)
    assert outcome.decision.routed == "dear"


def test_where_no_target_fits_the_budget_refuses() -> None:
    with Playbook(policy(budgets=BUDGETS), ask()) as talk:
        for _ in range(2):
            hold = talk.expect(Reserve).holds[1]
            talk.reply(Exceeded(hold, 999_500))
        outcome = talk.outcome
    assert (outcome.kind, outcome.decision.refused, outcome.decision.attempts) == ("refused", "company", ())
    refusal = outcome.refusal
    assert refusal is not None
    assert (refusal.status, refusal.code, refusal.retry_after) == (429, "budget_exceeded", 12 * 3600)
    expected = "the budget `company` is used up: 999,500 tokens of 1,000,000 tokens per day, this may take 1,008 tokens"
    assert refusal.message == expected


def test_a_refusal_tells_what_the_request_may_take_however_much_that_is() -> None:
    with Playbook(policy(budgets=BUDGETS), ask(max_tokens=5_000_000)) as talk:
        for _ in range(2):
            hold = talk.expect(Reserve).holds[1]
            assert hold.amount == hold.limit + 1
            talk.reply(Exceeded(hold, 0))
        refusal = talk.outcome.refusal
    assert refusal is not None
    assert refusal.message.endswith("this may take 5,000,008 tokens")


def test_a_failure_before_a_refusal_is_what_the_caller_gets() -> None:
    with Playbook(policy(budgets=BUDGETS), ask()) as talk:
        talk.told(Reserve, Granted(1))
        talk.told(Call, CallFailed("status", 503))
        talk.told(Settle, None)
        talk.reply(Exceeded(talk.expect(Reserve).holds[0], 10**12))
        outcome = talk.outcome
    assert (outcome.kind, outcome.failure, outcome.refusal) == ("failed", CallFailed("status", 503), None)
    assert outcome.decision.refused is None


def test_without_a_ledger_requests_are_refused_or_let_through_as_the_policy_says() -> None:
    with Playbook(policy(budgets=BUDGETS), ask()) as talk:
        talk.told(Reserve, Failed("ledger-busy"))
        talk.told(Reserve, Failed("ledger-busy"))
        refusal = talk.outcome.refusal
    assert refusal is not None
    assert (refusal.status, refusal.code) == (503, "ledger_unavailable")
    with Playbook(policy(budgets=f"{BUDGETS}\nledger_down: allow"), ask()) as talk:
        talk.told(Reserve, Failed("ledger-busy"))
        talk.told(Call, answered())  # and nothing to settle
        assert talk.outcome.kind == "answered"


def test_a_settlement_that_fails_costs_the_caller_nothing_and_is_told() -> None:
    with Playbook(policy(budgets=BUDGETS), ask()) as talk:
        talk.told(Reserve, Granted(1))
        talk.told(Call, answered())
        talk.told(Settle, Failed("ledger-full"))
        outcome = talk.outcome
    assert outcome.kind == "answered"
    assert "not settled" in whats(outcome)


def test_a_limit_per_request_needs_no_ledger_and_lets_a_cheaper_target_pass() -> None:
    budgets = "budgets: {each: {limit: 0.001 USD, per: request}}"
    with Playbook(policy(routing="default: strong\nfallback: {to: [small]}", budgets=budgets), ask()) as talk:
        assert talk.told(Call, answered()).model == "cheap"
        assert talk.outcome.decision.refused is None
    with Playbook(policy(routing="default: strong", budgets=budgets), ask()) as talk:
        outcome = talk.outcome
    assert outcome.refusal is not None
    assert (outcome.refusal.code, outcome.decision.refused) == ("request_budget_exceeded", "each")
    assert "$0.001000 per request, and this one may take $0.008016" in outcome.refusal.message


@pytest.mark.parametrize(("limit", "refused"), [(1008, False), (1007, True)])
def test_a_limit_of_tokens_per_request_counts_input_and_the_longest_answer(limit: int, refused: bool) -> None:
    with Playbook(policy(budgets=f"budgets: {{each: {{tokens: {limit}, per: request}}}}"), ask()) as talk:
        if not refused:
            talk.told(Call, answered())
        assert (talk.outcome.kind == "refused") is refused


@pytest.mark.parametrize(
    ("body", "output"),
    [
        ({}, 1000),
        ({"max_tokens": 50}, 50),
        ({"max_completion_tokens": 60}, 60),
        ({"max_tokens": 50, "n": 3}, 150),
        ({"max_tokens": 100_000}, 4000),  # the model gives no more
    ],
)
def test_what_is_set_aside_covers_every_answer_as_long_as_it_may_get(body: dict[str, Any], output: int) -> None:
    models = """
        providers: {house: {type: openai, base_url: "http://127.0.0.1:9/v1", key: none}}
        models: {cheap: {provider: house, price: {input: 1 USD, output: 1 USD}, max_output: 4k}}
        """
    with Playbook(policy(models=models, routing="default: cheap", budgets=BUDGETS), ask(**body)) as talk:
        hold = talk.told(Reserve, Granted(1)).holds[1]
        call = talk.told(Call, answered())
        talk.told(Settle, None)
        assert talk.outcome.kind == "answered"
    assert hold.amount == 8 + output
    assert call.edit.max_output_tokens == (4000 if output == 4000 else None)


def test_a_request_for_billions_of_tokens_is_refused_and_not_too_large_to_be_counted() -> None:
    arrival = ask(n=2**31 - 1, max_tokens=2**31 - 1)
    with Playbook(policy(routing="default: cheap", budgets=f"{BUDGETS}\nledger_down: allow"), arrival) as talk:
        holds = talk.expect(Reserve).holds
        assert [(hold.amount, hold.limit) for hold in holds] == [
            (10**12 + 1, 10**12), (10**6 + 1, 10**6), (1, 100),
        ]  # fmt: skip
        talk.reply(Exceeded(holds[0], 0))
        assert talk.outcome.kind == "refused"


def test_tool_calls_and_attachments_of_the_history_are_part_of_what_is_set_aside() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
    call = {"id": "1", "type": "function", "function": {"name": "write", "arguments": "x" * 5000}}
    plain: list[dict[str, Any]] = [{"role": "user", "content": "go"}]
    busy = [*plain, {"role": "assistant", "content": None, "tool_calls": [call]}]

    def tokens(messages: list[dict[str, Any]]) -> int:
        with Playbook(policy(budgets=BUDGETS), ask(messages=messages)) as talk:
            amount: int = talk.told(Reserve, Granted(1)).holds[1].amount
            talk.told(Call, answered())
            talk.told(Settle, None)
            assert talk.outcome.kind == "answered"
        return amount

    assert tokens(busy) > tokens(plain) + 1000
    assert tokens([{"role": "user", "content": [image]}]) > tokens(plain) + 1000


def test_sound_and_searches_that_a_request_asks_for_are_set_aside_at_their_own_prices() -> None:
    pipeline = policy(routing="default: cheap", budgets=BUDGETS)
    rates = replace(pipeline.targets["cheap"].price.rates, output_audio=10**6)
    target = replace(pipeline.targets["cheap"], price=Price(rates, web_search=10**9))
    pipeline = replace(pipeline, route=replace(pipeline.route, routes={"cheap": (target,)}))

    def held(**body: object) -> int:
        with Playbook(pipeline, ask(**body)) as talk:  # type: ignore[arg-type]
            amount: int = talk.told(Reserve, Granted(1)).holds[0].amount
            talk.told(Call, answered())
            talk.told(Settle, None)
            assert talk.outcome.kind == "answered"
        return amount

    assert held() == 8 * 100_000 + 1000 * 400_000
    assert held(modalities=["text", "audio"]) == 8 * 100_000 + 1000 * 10**6
    assert held(web_search_options={}) == held() + 10**9


def test_a_longer_system_prompt_of_the_policy_is_part_of_what_is_set_aside() -> None:
    prompts = f"templates: {{long: {{version: 1, system: {'word ' * 500!r}}}}}\notherwise: {{template: long}}"
    with Playbook(policy(prompts=prompts, budgets=BUDGETS), ask()) as talk:
        assert talk.told(Reserve, Granted(1)).holds[1].amount > 1008 + 500
        talk.told(Call, answered())
        talk.told(Settle, None)
        assert talk.outcome.kind == "answered"


def test_an_answer_of_tool_calls_without_usage_is_not_free() -> None:
    written = "write " + "x y " * 500
    reply = answered("", usage=Usage(), tool_calls=("write",), finish_reason="tool_calls", written=written)
    with Playbook(policy(), ask()) as talk:
        talk.told(Call, reply)
        usage = talk.outcome.usage
    assert usage is not None
    assert usage.estimated
    assert usage.output_tokens is not None
    assert usage.output_tokens > 400


def test_several_answers_without_usage_are_paid_several_times() -> None:
    with Playbook(policy(), ask(n=3)) as talk:
        talk.told(Call, answered("four words of text", usage=Usage(), answers=3))
        usage = talk.outcome.usage
    assert usage is not None
    assert usage.output_tokens == 15


def test_a_broken_stream_is_settled_by_what_was_said() -> None:
    half: Answered = answered("one two three", usage=Usage(), complete=False, body=None, finish_reason=None)
    with Playbook(policy(budgets=BUDGETS), ask(stream=True)) as talk:
        talk.told(Reserve, Granted(1))
        call = talk.told(Call, half)
        assert talk.told(Settle, None).amounts == (8 * 100_000 + 3 * 400_000, 11, 1)
        assert talk.outcome.usage is not None
    assert call.edit.ask_usage


def test_only_a_stream_needs_the_decision_before_its_answer() -> None:
    for stream in (False, True):
        with Playbook(policy(), ask(stream=stream)) as talk:
            headers = dict(talk.told(Call, answered()).headers)
            assert talk.outcome.kind == "answered"
        assert headers == (
            {"x-costpol-route": "default", "x-costpol-model": "cheap", "x-costpol-cache": "bypass; off"}
            if stream
            else {}
        )


def test_the_refusal_names_the_unit_that_is_used_up() -> None:
    budgets = "budgets: {even: {tokens: 5000, calls: 5000, per: day}}"
    with Playbook(policy(routing="default: cheap", budgets=budgets), ask()) as talk:
        talk.reply(Exceeded(talk.expect(Reserve).holds[1], 5000))
        refusal = talk.outcome.refusal
    assert refusal is not None
    assert "5,000 calls of 5,000 calls per day" in refusal.message


def test_a_model_without_a_price_for_output_reserves_its_input() -> None:
    pipeline = policy(routing="default: cheap", budgets=BUDGETS)
    target = replace(pipeline.targets["cheap"], price=Price(Rates(1000, None)))
    pipeline = replace(pipeline, route=replace(pipeline.route, routes={"cheap": (target,)}))
    with Playbook(pipeline, ask()) as talk:
        assert talk.told(Reserve, Granted(1)).holds[0].amount == 8000
        talk.told(Call, answered())
        talk.told(Settle, None)
        assert talk.outcome.kind == "answered"


@pytest.mark.parametrize("kind", ["timeout", "broken"])
def test_what_may_have_been_billed_although_no_answer_came_counts_as_billed(kind: str) -> None:
    with Playbook(policy(routing="default: cheap", budgets=BUDGETS), ask()) as talk:
        holds = talk.told(Reserve, Granted(1)).holds
        talk.told(Call, CallFailed(kind))
        assert talk.told(Settle, None).amounts == tuple(hold.amount for hold in holds)
        assert talk.outcome.kind == "failed"
    assert talk.outcome.cost == holds[0].amount, "the bill says what the budget books"


def test_what_is_booked_and_what_is_told_are_one_sum_also_after_a_failure() -> None:
    with Playbook(policy(budgets=BUDGETS), ask()) as talk:
        booked = []
        for number, reply in enumerate((CallFailed("timeout"), answered()), 1):
            talk.told(Reserve, Granted(number))
            talk.told(Call, reply)
            booked.append(talk.told(Settle, None).amounts[0])
        outcome = talk.outcome
    assert outcome.kind == "answered"
    assert outcome.cost == sum(booked)
    assert outcome.routed_cost == booked[1]


def test_without_budgets_a_lost_answer_costs_the_same() -> None:
    with Playbook(policy(routing="default: cheap"), ask()) as talk:
        talk.told(Call, CallFailed("timeout"))
        assert talk.outcome.cost == 8 * 100_000 + 1000 * 400_000


def test_a_model_that_cannot_be_reached_bills_nothing() -> None:
    with Playbook(policy(routing="default: cheap", budgets=BUDGETS), ask()) as talk:
        talk.told(Reserve, Granted(1))
        talk.told(Call, CallFailed("unreachable"))
        assert talk.told(Settle, None).amounts == (0, 0, 0)
        assert (talk.outcome.kind, talk.outcome.cost) == ("failed", 0)


def test_an_answer_that_was_given_up_unseen_counts_as_long_as_it_may_have_become() -> None:
    with Playbook(policy(routing="default: cheap", budgets=BUDGETS), ask()) as talk:
        holds = talk.told(Reserve, Granted(1)).holds
        talk.told(Call, answered("", usage=Usage(), complete=False, finish_reason=None, body=None))
        assert talk.told(Settle, None).amounts == tuple(hold.amount for hold in holds)
        assert talk.outcome.usage == Usage(input_tokens=8, output_tokens=1000, estimated=True)


def test_a_rolling_window_is_worth_another_try_when_its_oldest_slice_leaves_it() -> None:
    budgets = "budgets: {steps: {calls: 3, per: day, window: rolling}}"
    with Playbook(policy(routing="default: cheap", budgets=budgets), ask()) as talk:
        hold = talk.expect(Reserve).holds[0]
        talk.reply(Exceeded(hold, 3, NOW - 3600))
        refusal = talk.outcome.refusal
    assert refusal is not None
    assert refusal.param == "steps"
    assert refusal.retry_after == pytest.approx(23 * 3600 + 1440)


@pytest.mark.parametrize(
    ("budgets", "needed"),
    [
        (BUDGETS, True),
        (BUDGETS + "\nledger_down: allow", False),
        ("budgets: {single: {limit: 1 USD, per: request}}", False),
        (None, False),
    ],
)
def test_calls_need_the_ledger_where_a_budget_has_a_window_and_refuses_without_it(
    budgets: str | None, needed: bool
) -> None:
    pipeline = policy() if budgets is None else policy(budgets=budgets)
    assert pipeline.call.needs_ledger is needed
