"""One request through the flow, without anything that costs money: why it is decided as it is.

The driver and the flow are those of live traffic. The cache is empty, budgets stand where `spent` puts them, and where
a model would be called the way ends.
"""

from __future__ import annotations

from collections.abc import Mapping
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
from costpol.evaluate.rehearsal import Rehearsal
from costpol.evaluate.replay import planned_by
from costpol.inference.prices import Part
from costpol.inference.usage import Usage
from costpol.pipeline.accounts import WindowBudget
from costpol.pipeline.arrival import Arrival
from costpol.pipeline.decision import Decision, Note, Outcome
from costpol.pipeline.flow import Pipeline
from costpol.pipeline.headers import decision_headers
from costpol.pipeline.signals import Signals
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
        self, arrival: Arrival, spent: Mapping[str, Decimal], replies: Mapping[type[Command], Inline] | None = None
    ) -> Explanation:
        """The decision on one request, where each budget has used the share that `spent` names (none: nothing).

        `replies` answer commands in place of the usual ones. Raises `UsageError` for a budget that the policy does not
        have.
        """
        self._last = None

        async def call(command: Call) -> CallFailed:
            self._last = command
            return CallFailed("explained")

        handlers = self.handlers(spent, replies)
        outcome = await drive(self.pipeline.flow(arrival), handlers, call, Unsettled(lambda command: None))
        return self._explanation(arrival, outcome)

    def handlers(self, spent: Mapping[str, Decimal], replies: Mapping[type[Command], Inline] | None = None) -> Handlers:
        """Handlers that spend nothing and remember nothing, unless `replies` do. Raises as `explain` does."""
        standing = _Standing(self.pipeline.step_down.budgets, spent)
        harmless = _harmless(self.rehearsal.snapshot.handlers, standing)
        return Handlers({**harmless, **(replies or {})})

    def _explanation(self, arrival: Arrival, outcome: Outcome) -> Explanation:
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
        )


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
