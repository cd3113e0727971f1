"""One request through the flow, without anything that costs money: why it is decided as it is.

The driver and the flow are those of live traffic. The cache is empty but for what `replies` keep, budgets stand where
`spent` puts them, and where a model would be called the way ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from typing import Any

from msgspec import json

from costpol.commands import (
    Account,
    Call,
    CallFailed,
    Command,
    Embed,
    Exceeded,
    Failed,
    Granted,
    LookupExact,
    LookupSimilar,
    Reserve,
    Settle,
    Standing,
)
from costpol.errors import UsageError
from costpol.evaluate.conditions import Considered, considered_intents, considered_rules
from costpol.evaluate.personal import PersonalSignal, personal_signals
from costpol.evaluate.rehearsal import Rehearsal
from costpol.evaluate.replay import planned_by
from costpol.inference.prices import Part
from costpol.inference.usage import Usage
from costpol.pipeline.accounts import WindowBudget, open_accounts
from costpol.pipeline.arrival import Arrival
from costpol.pipeline.decision import Decision, Note, Outcome
from costpol.pipeline.flow import Pipeline
from costpol.pipeline.headers import decision_headers
from costpol.pipeline.signals import Signals
from costpol.pipeline.stages.step_down import StepDownStage
from costpol.policy.bundle import Bundle
from costpol.policy.suggestion import did_you_mean
from costpol.runtime.live import Handlers, Inline, Unsettled, drive

_ENCODER = json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was decided and why. `kind` is `call`, `hit` where a kept answer is given, `refused`, or `failed` where no
    target could be tried."""

    kind: str
    decision: Decision
    trace: tuple[Note, ...]
    intents: tuple[Considered, ...]
    """Matchers of intents, up to the one that held."""
    rules: tuple[Considered, ...]
    """Routing rules, up to the one that held."""
    refusal: str | None
    input_tokens: int
    """Estimated tokens of the request as it would be sent."""
    output_tokens: int | None
    """The longest answer that the bill allows for; `None` where nothing is called."""
    bill: tuple[Part, ...]
    """What the call costs if the answer is that long."""
    price_source: str | None
    headers: tuple[tuple[str, str], ...]
    personal: tuple[PersonalSignal, ...] = ()
    """All signs that the request is one person's own; the flow stops at the first."""
    budgets: tuple[BudgetLeft, ...] = ()
    """What the budgets with a window leave to the caller."""

    @property
    def cost(self) -> int | None:
        """The bill in picodollars; `None` where nothing is called."""
        return sum(part.picodollars for part in self.bill) if self.bill else None

    @property
    def kept_question(self) -> str | None:
        """The question whose kept answer is given, where it is not the same one."""
        told = (note.facts.get("question") for note in self.trace if note.what == "hit")
        return next((str(question) for question in told if question is not None), None)


@dataclass(frozen=True, slots=True)
class BudgetLeft:
    """One limit as the caller meets it: `used` and `limit` in whole picodollars, tokens or calls, by `unit`. `rung` is
    the next one of its ladder, reached once `used` is at `rung_at`."""

    name: str
    unit: str
    per: str
    each: str | None
    used: int
    limit: int
    rung: str | None = None
    rung_at: int | None = None

    @property
    def left(self) -> int:
        return max(self.limit - self.used, 0)


@dataclass(slots=True)
class Explainer:
    """Explains requests under one policy, best rehearsed without `pays`."""

    rehearsal: Rehearsal
    _last: Call | None = field(default=None, init=False)

    @property
    def bundle(self) -> Bundle:
        return self.rehearsal.snapshot.bundle

    @property
    def pipeline(self) -> Pipeline:
        return self.rehearsal.snapshot.pipeline

    async def explain(
        self,
        arrival: Arrival,
        spent: Mapping[str, Decimal],
        replies: Mapping[type[Command], Inline] | None = None,
        pipeline: Pipeline | None = None,
    ) -> Explanation:
        """The decision on one request, where each budget has used the share that `spent` names (none: nothing).

        `replies` answer commands in place of the usual ones, `pipeline` decides in place of the policy's own. Raises
        `UsageError` for a budget that the policy does not have.
        """
        self._last = None
        pipeline = pipeline or self.pipeline

        async def call(command: Call) -> CallFailed:
            self._last = command
            return CallFailed("explained")

        handlers = self.handlers(spent, replies)
        outcome = await drive(pipeline.flow(arrival), handlers, call, Unsettled(lambda command: None))
        standing = handlers.inline[Standing]
        return self._explanation(arrival, outcome, tuple(_left(pipeline.step_down, arrival, standing)))

    def handlers(self, spent: Mapping[str, Decimal], replies: Mapping[type[Command], Inline] | None = None) -> Handlers:
        """Handlers that spend nothing and remember nothing, unless `replies` do. Raises as `explain` does."""
        standing = _Standing(self.pipeline.step_down.budgets, spent)
        harmless = _harmless(self.rehearsal.snapshot.handlers, standing)
        return Handlers({**harmless, **(replies or {})})

    def _explanation(self, arrival: Arrival, outcome: Outcome, budgets: tuple[BudgetLeft, ...]) -> Explanation:
        decision, call, pipeline = outcome.decision, self._last, self.pipeline
        tokens = Signals(arrival, pipeline.keywords, pipeline.count).tokens
        output: int | None = None
        bill: tuple[Part, ...] = ()
        source = None
        if call is not None:
            price = pipeline.targets[call.model].price
            tokens = max(tokens + planned_by(call.edit, arrival.request).input_delta, 1)
            output = (decision.max_output_tokens or pipeline.call.assume_output_tokens) * arrival.request.answers
            bill, source = price.cost(Usage(tokens, output, estimated=True)).parts, price.source
        kind = "call" if outcome.failure is not None and outcome.failure.kind == "explained" else outcome.kind
        return Explanation(
            kind=kind,
            decision=decision,
            trace=tuple(note for note in outcome.trace if note.what != "no answer"),
            intents=tuple(considered_intents(self.bundle, decision, arrival, pipeline.count)),
            rules=tuple(considered_rules(self.bundle, decision, arrival, pipeline.count)),
            refusal=None if outcome.refusal is None else outcome.refusal.message,
            input_tokens=tokens,
            output_tokens=output,
            bill=bill,
            price_source=source,
            headers=decision_headers(decision),
            personal=tuple(personal_signals(self.bundle, decision, arrival, pipeline.count)),
            budgets=budgets,
        )


def _left(step_down: StepDownStage, arrival: Arrival, standing: Inline) -> Iterator[BudgetLeft]:
    accounts = open_accounts(step_down.budgets, arrival.caller, arrival.now)
    used = standing(Standing(tuple(account for _, account in accounts), arrival.now))
    for (budget, _), amount in zip(accounts, used, strict=True):
        ahead = [
            (-(-rung.at * budget.limit // 1_000_000), rung.label)
            for rung in step_down.rungs
            if budget.name in rung.budgets
        ]
        at, label = min((each for each in ahead if each[0] > amount), default=(None, None))
        yield BudgetLeft(budget.name, budget.unit, budget.per, budget.each, amount, budget.limit, label, at)


class _Standing:
    """Budgets that have used a given share of their limits."""

    def __init__(self, budgets: tuple[WindowBudget, ...], spent: Mapping[str, Decimal]) -> None:
        self._used: dict[str, int] = {}
        known = {budget.name for budget in budgets}
        for name in spent:
            if name not in known:
                guess = did_you_mean(name, known)
                raise UsageError(f"the policy has no budget `{name}` with a window", guess)
        for budget in budgets:
            amount = (spent.get(budget.name, Decimal(0)) * budget.limit).to_integral_value(rounding=ROUND_CEILING)
            self._used[f"{budget.name}/{budget.unit}/"] = int(amount)

    def standing(self, command: Standing) -> tuple[int, ...]:
        return tuple(map(self._of, command.accounts))

    def reserve(self, command: Reserve) -> Granted | Exceeded:
        for hold in command.holds:
            used = self._of(hold.account)
            if used + hold.amount > hold.limit:
                return Exceeded(hold, used)
        return Granted(0)

    def _of(self, account: Account) -> int:
        matching = [prefix for prefix in self._used if account.name.startswith(prefix)]
        return self._used[max(matching, key=len)]


def _harmless(handlers: Handlers, standing: _Standing) -> dict[type[Command], Inline]:
    unpaid: dict[type[Command], Any] = {Embed: lambda command: Failed("embedding-costs-money")}
    answers: dict[type[Command], Any] = {
        LookupExact: lambda command: None,
        LookupSimilar: lambda command: (),
        Standing: standing.standing,
        Reserve: standing.reserve,
        Settle: lambda command: None,
    }
    return unpaid | dict(handlers.inline) | answers


def message_body(bundle: Bundle, message: str, metadata: Mapping[str, str]) -> bytes:
    """A chat completion request with one user message, for the strongest model of the policy."""
    body: dict[str, Any] = {"model": strongest(bundle), "messages": [{"role": "user", "content": message}]}
    if metadata:
        body["metadata"] = dict(metadata)
    return _ENCODER.encode(body)


def request_body(bundle: Bundle, request: Any, metadata: Mapping[str, str]) -> bytes:
    """A request written as plain data, with more metadata; the strongest model is asked for where it names none."""
    if not isinstance(request, Mapping):
        return _ENCODER.encode(request)
    body = dict(request)
    body.setdefault("model", strongest(bundle))
    if metadata:
        given = body.get("metadata")
        body["metadata"] = {**(given if isinstance(given, Mapping) else {}), **metadata}
    return _ENCODER.encode(body)


def strongest(bundle: Bundle) -> str:
    """The first model of the last tier, or the last model where there are no tiers."""
    tiers = list(bundle.models.tiers.values())
    return tiers[-1][0] if tiers and tiers[-1] else list(bundle.models.models)[-1]
