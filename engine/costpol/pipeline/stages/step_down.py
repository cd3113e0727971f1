"""Sixth stage: what happens on the way to a limit. The nearer a budget is to its end, the cheaper the request gets.

It comes after the lookup, because a hit costs nothing, and before the call, whose target and length it changes.
"""

from __future__ import annotations

from dataclasses import dataclass

from costpol.commands import Failed, Flow, Standing
from costpol.pipeline.ability import able
from costpol.pipeline.accounts import WindowBudget, open_accounts
from costpol.pipeline.decision import Refusal
from costpol.pipeline.draft import Draft
from costpol.pipeline.target import Target

NAME = "step-down"


@dataclass(frozen=True, slots=True)
class CompiledRung:
    """One rung of the ladder: from `at` (a share of the limit, in millionths) on."""

    at: int
    label: str
    budgets: tuple[str, ...]
    targets: tuple[Target, ...] | None
    max_output_tokens: int | None
    refuse: str | None


@dataclass(frozen=True, slots=True)
class StepDownStage:
    """The compiled ladder, lowest rung first, and all budgets with a window."""

    rungs: tuple[CompiledRung, ...]
    budgets: tuple[WindowBudget, ...]
    attempts: int = 1
    """How many targets one request may try."""

    def run(self, draft: Draft) -> Flow:
        """Sets the accounts, and a cheaper target, a shorter answer or a refusal, as far as the rungs reached say."""
        arrival = draft.signals.arrival
        draft.accounts = open_accounts(self.budgets, arrival.caller, arrival.now)
        if not (self.rungs and draft.accounts):
            return
        used = yield Standing(tuple(account for _, account in draft.accounts), arrival.now)
        if isinstance(used, Failed):
            draft.note(NAME, "ledger does not answer", reason=used.reason)
            return
        lowest = self.rungs[0].at
        shares: dict[str, tuple[int, float]] = {}
        for (budget, account), amount in zip(draft.accounts, used, strict=True):
            if amount * 1_000_000 < lowest * budget.limit:
                continue
            share = (amount * 1_000_000 // max(budget.limit, 1), account.frees(account.bucket))
            shares[budget.name] = max(share, shares.get(budget.name, share))
        for rung in self.rungs if shares else ():
            reached = [name for name in rung.budgets if name in shares and shares[name][0] >= rung.at]
            if reached:
                name = max(reached, key=lambda name: shares[name][1])  # the one that stays used up longest
                self._apply(rung, name, shares[name][1], draft)

    def _apply(self, rung: CompiledRung, budget: str, until: float, draft: Draft) -> None:
        draft.rungs = (*draft.rungs, f"{budget} {rung.label}")
        draft.note(NAME, "rung reached", budget=budget, at=rung.label)
        draft.cap_output(rung.max_output_tokens)
        if rung.targets is not None:
            self._redirect(rung.targets, draft)
        if rung.refuse is not None and draft.refusal is None:
            draft.refused = budget
            wait = max(until - draft.signals.arrival.now, 1.0)
            draft.refusal = Refusal(429, "budget_exceeded", rung.refuse, wait, budget)

    def _redirect(self, targets: tuple[Target, ...], draft: Draft) -> None:
        """Takes the targets that can do what is asked and cost no more than the one routed. Where there is none the
        route stays: a budget near its end must not make a request dearer, nor break it."""
        most = _price(draft.targets[0], draft)
        cheaper = tuple(target for target in able(targets, draft) if _price(target, draft) <= most)
        if cheaper:
            draft.targets = cheaper[: self.attempts]
        else:
            draft.note(NAME, "no cheaper model", routed=draft.targets[0].model)


def _price(target: Target, draft: Draft) -> int:
    """What the request may cost there, in picodollars; for comparison only, so any plausible length will do."""
    output = 0 if target.price.rates.output is None else draft.output_limit or 1000
    return target.price.worst_case(draft.input_tokens, output, media=False, long_writes=False)
