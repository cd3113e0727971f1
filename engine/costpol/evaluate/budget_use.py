"""How near each budget came to its end, seen from outside the ledger: what every settlement booked."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from costpol.commands import Exceeded, Failed, Granted, Hold, Reserve, Settle
from costpol.pipeline.decision import Outcome
from costpol.policy.bundle import Bundle
from costpol.policy.nodes.budgets import Budget
from costpol.reporting.savings.figures import BudgetFigures
from costpol.runtime.stores import Ledger


@dataclass(slots=True)
class _Use:
    budget: Budget
    used: int = 0
    limit: int = 0
    accounts: dict[str, dict[float, int]] = field(default_factory=dict)
    """Per account what was booked in the slices of its present window."""
    refused: int = 0
    rungs: dict[str, int] = field(default_factory=dict)


class BudgetUse:
    """Answers `Reserve` and `Settle` by the ledger, and keeps the largest share of every budget."""

    def __init__(self, bundle: Bundle, ledger: Ledger) -> None:
        budgets = bundle.budgets.budgets if bundle.budgets is not None else {}
        self._uses = {name: _Use(budget) for name, budget in budgets.items()}
        self._ledger = ledger
        self._holds: tuple[Hold, ...] = ()

    def reserve(self, command: Reserve) -> Granted | Exceeded | Failed:
        """As the ledger answers."""
        self._holds = command.holds
        return self._ledger.reserve(command)

    def settle(self, command: Settle) -> Failed | None:
        """As the ledger answers."""
        for hold, amount in zip(self._holds, command.amounts, strict=True):
            self._book(hold, amount)
        return self._ledger.settle(command)

    def note(self, outcome: Outcome) -> None:
        """Count a refusal, and the rungs reached."""
        decision = outcome.decision
        if outcome.kind == "refused" and decision.refused is not None:
            self._uses[decision.refused].refused += 1
        for rung in decision.rungs:
            name, _, label = rung.rpartition(" ")
            rungs = self._uses[name].rungs
            rungs[label] = rungs.get(label, 0) + 1

    def figures(self) -> dict[str, BudgetFigures]:
        """All budgets of the policy, by name."""
        return {name: _figures(use) for name, use in self._uses.items()}

    def _book(self, hold: Hold, amount: int) -> None:
        use = self._uses.get(hold.budget)
        if use is None:
            return  # the cache's own, for verification
        account = hold.account
        slices = use.accounts.get(account.name)
        if slices is None:
            slices = use.accounts[account.name] = {}
        if account.bucket in slices:
            slices[account.bucket] += amount
        else:
            for passed in [bucket for bucket in slices if bucket < account.since]:
                del slices[passed]
            slices[account.bucket] = amount
        used = sum(slices.values())
        # Compared without a division: used / limit against the peak so far.
        if use.limit == 0 or used * use.limit > use.used * hold.limit:
            use.used, use.limit = used, max(hold.limit, 1)


def _figures(use: _Use) -> BudgetFigures:
    budget = use.budget
    counters = sum(limit is not None for limit in (budget.limit, budget.tokens, budget.calls))
    peak = (Decimal(use.used) / Decimal(max(use.limit, 1))).quantize(Decimal("0.0001"))
    return BudgetFigures(
        per=budget.per,
        each=budget.each,
        peak=None if budget.per == "request" else peak,
        subjects=len(use.accounts) // counters,
        refused=use.refused,
        rungs=dict(use.rungs),
    )
