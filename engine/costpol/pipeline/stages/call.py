"""Seventh stage: reserve, call, settle, for one target after the other until one answers.

Every attempt has its own reservation, because every target has its own price; a granted reservation is settled exactly
once, with zero where nothing was answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from costpol.commands import (
    Answered,
    Call,
    CallFailed,
    Exceeded,
    Failed,
    Flow,
    Granted,
    Hold,
    Reserve,
    Settle,
)
from costpol.inference.response import Response
from costpol.inference.usage import Usage
from costpol.pipeline.accounts import WindowBudget
from costpol.pipeline.decision import Refusal
from costpol.pipeline.draft import Draft
from costpol.pipeline.headers import decision_headers
from costpol.pipeline.result import Result
from costpol.pipeline.target import Target
from costpol.units import format_usd, usd

NAME = "call"
_HOLD_GRACE = 600.0
"""Seconds after a call's own time-out at which its reservation lapses: longer than any answer takes to arrive."""
_DAY = 86400.0
_NOTHING: Mapping[str, int] = {"usd": 0, "tokens": 0, "calls": 0}


@dataclass(frozen=True, slots=True)
class RequestLimit:
    """A limit on one request: `unit` is `usd` (picodollars) or `tokens`."""

    name: str
    unit: str
    limit: int


@dataclass(frozen=True, slots=True)
class CallStage:
    """The compiled budgets and the failures that move on to the next target."""

    budgets: tuple[WindowBudget, ...]
    limits: tuple[RequestLimit, ...]
    assume_output_tokens: int
    ledger_down: str
    retry_on: frozenset[str]

    @property
    def needs_ledger(self) -> bool:
        """Whether calls are refused while nothing can be booked."""
        return bool(self.budgets) and self.ledger_down == "refuse"

    def run(self, draft: Draft) -> Flow:
        """Returns a `Result`, or `None` after setting `draft.refusal`."""
        failed: Result | None = None
        refusal: Refusal | None = None
        waited = 0.0
        for position, target in enumerate(draft.targets):
            waited += target.timeout
            reservation = yield from self._reserve(draft, target, waited)
            if isinstance(reservation, Refusal):
                refusal = reservation
                continue
            draft.model = target.model
            draft.attempts = (*draft.attempts, target.model)
            reply = yield self._call(draft, target, last=position == len(draft.targets) - 1)
            if isinstance(reply, Answered):
                draft.refused = None
                return (yield from self._answered(draft, target, reply, reservation))
            failed = Result(reply, target)
            draft.note(NAME, "no answer", model=target.model, failure=reply.kind, status=reply.status)
            # What a provider may bill although no answer arrived counts as billed: a budget is the last defence.
            booked = self._worst_case(draft, target) if reply.kind in ("timeout", "broken") else _NOTHING
            draft.unanswered += booked["usd"]
            yield from self._settle(draft, reservation, booked)
            if _failure(reply) not in self.retry_on:
                break
        if failed is None:
            draft.refusal = refusal or Refusal(503, "no_model", "the policy names no model for this request")
        else:
            draft.refused = None
        return failed

    @staticmethod
    def _call(draft: Draft, target: Target, *, last: bool) -> Call:
        # Only then must the head leave before the decision is complete.
        streamed = draft.signals.request.stream and not draft.behind
        headers = decision_headers(draft.decision()) if streamed else ()
        edit = draft.edit(target, ask_usage=bool(draft.accounts))
        return Call(target.provider, target.model, edit, target.timeout, headers, last)

    def _reserve(self, draft: Draft, target: Target, waited: float) -> Flow:
        """Returns the reservation's number, `None` where nothing has to be reserved, or a `Refusal`.

        `waited` is how long after the arrival this target may at most begin to answer.
        """
        if not (draft.accounts or self.limits):
            return None
        now = draft.signals.arrival.now
        amounts = self._worst_case(draft, target)
        for limit in self.limits:
            if amounts[limit.unit] > limit.limit:
                return self._refuse_request(draft, target, limit, amounts[limit.unit])
        if not draft.accounts:
            return None
        holds = tuple(
            # No more than what is refused anyway: a request for billions of tokens must not overflow a ledger.
            Hold(account, min(amounts[budget.unit], budget.limit + 1), budget.limit, budget.name)
            for budget, account in draft.accounts
        )
        reply = yield Reserve(holds, now, now + waited + _HOLD_GRACE)
        if isinstance(reply, Granted):
            draft.note(NAME, "reserved", model=target.model, picodollars=amounts["usd"], tokens=amounts["tokens"])
            return reply.reservation
        if isinstance(reply, Exceeded):
            return self._refuse_window(draft, target, reply, amounts)
        return self._ledger_down(draft, reply)

    def _worst_case(self, draft: Draft, target: Target) -> Mapping[str, int]:
        """The most that a call may take, by unit."""
        output = self._longest_answer(draft, target)
        input = draft.input_tokens
        price = target.price
        worst = price.worst_case(
            input, 0 if price.rates.output is None else output,
            media=draft.signals.media, long_writes=False, searches=draft.signals.searches,
        )  # fmt: skip
        return {"usd": worst, "tokens": input + output, "calls": 1}

    def _longest_answer(self, draft: Draft, target: Target) -> int:
        """Output tokens that all answers together may have."""
        limit = draft.output_limit or self.assume_output_tokens
        if target.max_output is not None:
            limit = min(limit, target.max_output)
        return limit * draft.signals.request.answers

    def _refuse_request(self, draft: Draft, target: Target, limit: RequestLimit, amount: int) -> Refusal:
        asked, allowed = _amount(limit.unit, amount), _amount(limit.unit, limit.limit)
        draft.refused = limit.name
        draft.note(
            NAME, "over the limit per request", budget=limit.name, model=target.model, asked=asked, limit=allowed
        )
        message = f"the budget `{limit.name}` allows {allowed} per request, and this one may take {asked}"
        return Refusal(429, "request_budget_exceeded", message, _DAY, limit.name)

    def _refuse_window(self, draft: Draft, target: Target, reply: Exceeded, amounts: Mapping[str, int]) -> Refusal:
        hold = reply.hold
        budget = next(budget for budget, account in draft.accounts if account == hold.account)
        used, allowed = _amount(budget.unit, reply.used), _amount(budget.unit, hold.limit)
        asked = _amount(budget.unit, amounts[budget.unit])
        draft.refused = budget.name
        draft.note(
            NAME, "budget used up", budget=budget.name, model=target.model, used=used, asked=asked, limit=allowed
        )
        message = f"the budget `{budget.name}` is used up: {used} of {allowed} per {budget.per}, this may take {asked}"
        oldest = hold.account.bucket if reply.oldest is None else reply.oldest
        wait = max(hold.account.frees(oldest) - draft.signals.arrival.now, 1.0)
        return Refusal(429, "budget_exceeded", message, wait, budget.name)

    def _ledger_down(self, draft: Draft, reply: Failed) -> Refusal | None:
        draft.note(NAME, "ledger does not answer", reason=reply.reason, then=self.ledger_down)
        if self.ledger_down == "allow":
            return None
        return Refusal(503, "ledger_unavailable", "the budget ledger cannot be used", 5.0)

    def _answered(self, draft: Draft, target: Target, reply: Answered, reservation: int | None) -> Flow:
        usage = _complete(reply.response, draft, self._longest_answer(draft, target))
        cost = target.price.cost(usage)
        amounts = {"usd": cost.picodollars, "tokens": usage.total_tokens, "calls": 1}
        yield from self._settle(draft, reservation, amounts)
        draft.note(
            NAME, "answered", model=target.model, estimated=usage.estimated, picodollars=cost.picodollars,
            bill=cost.parts, source=target.price.source,
        )  # fmt: skip
        return Result(reply, target, usage, cost)

    @staticmethod
    def _settle(draft: Draft, reservation: int | None, amounts: Mapping[str, int]) -> Flow:
        if reservation is None:
            return
        used = tuple(amounts[budget.unit] for budget, _ in draft.accounts)
        settled = yield Settle(reservation, used, draft.signals.arrival.now)
        if isinstance(settled, Failed):
            draft.note(NAME, "not settled", reason=settled.reason)


def _failure(reply: CallFailed) -> str:
    """The policy's word for a failure; a status that is the request's own fault has none."""
    if reply.kind == "status" and reply.status is not None:
        return "429" if reply.status == 429 else "5xx" if reply.status >= 500 else "4xx"
    return "timeout" if reply.kind == "timeout" else "unreachable" if reply.kind in ("unreachable", "broken") else ""


def _complete(response: Response, draft: Draft, longest: int) -> Usage:
    """The reported usage; what the provider left out is counted here and marked as estimated.

    Of an answer that was given up before any of it was seen, the provider may have written and billed all.
    """
    usage = response.usage
    if usage.input_tokens is not None and usage.output_tokens is not None:
        return usage
    count = draft.signals.count
    output = count(response.written or response.content) * max(response.answers, 1)
    if not response.complete and not output:
        output = longest
    return replace(
        usage,
        input_tokens=draft.input_tokens if usage.input_tokens is None else usage.input_tokens,
        output_tokens=output if usage.output_tokens is None else usage.output_tokens,
        estimated=True,
    )


def _amount(unit: str, amount: int) -> str:
    if unit == "usd":
        return format_usd(usd(amount), 6 if amount < 10**10 else 2)
    return f"{amount:,} {unit.removesuffix('s') if amount == 1 else unit}"
