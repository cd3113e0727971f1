"""The waterfall: what each lever saved, in the order in which savings compound.

Every request is booked as a row of steps, each saying what it costs once that lever has acted. A lever saves the
difference to the step before, so the levers add up to the whole to the last picodollar, and a lever that makes things
dearer shows as a loss. What a lever costs itself (an embedding, a cheaper answer where a hit is not free) is booked as
its own cost.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from costpol.reporting.savings.figures import Lever

LEVERS = ("routing", "prompts", "output", "exact-cache", "semantic-cache", "budgets", "refusals")
"""The levers of a policy, in order."""


class Step(NamedTuple):
    """After `lever` has acted the request costs `cost`, and acting took `own_cost`. Both in picodollars."""

    lever: str
    cost: int
    own_cost: int = 0


class Waterfall:
    """Sums over requests. `levers` fixes the order in which they are listed; others follow as they come."""

    def __init__(self, levers: Iterable[str] = LEVERS) -> None:
        self.baseline = 0
        self.cost = 0
        self._saved = dict.fromkeys(levers, 0)
        self._own_cost = dict.fromkeys(self._saved, 0)

    def book(self, baseline: int, steps: Iterable[Step]) -> int:
        """Add one request, and answer what it costs in the end. Without steps it costs what it did."""
        self.baseline += baseline
        cost = baseline
        spent = 0
        for lever, after, own_cost in steps:
            self._saved[lever] = self._saved.get(lever, 0) + cost - after
            self._own_cost[lever] = self._own_cost.get(lever, 0) + own_cost
            cost = after
            spent += own_cost
        self.cost += cost + spent
        return cost + spent

    @property
    def saved(self) -> int:
        """Baseline less cost, which is the sum of what the levers saved net."""
        return self.baseline - self.cost

    @property
    def levers(self) -> tuple[Lever, ...]:
        return tuple(Lever(name, saved, self._own_cost[name]) for name, saved in self._saved.items())
