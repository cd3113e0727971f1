"""The waterfall as bars: where each lever's bar starts and ends between nothing and the highest level."""

from __future__ import annotations

from dataclasses import dataclass

from costpol.reporting.savings.figures import Savings

LABELS = {
    "routing": "routing",
    "prompts": "prompts and tools",
    "output": "output limits",
    "exact-cache": "exact cache",
    "semantic-cache": "semantic cache",
    "budgets": "budget step-downs",
    "refusals": "refused",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """`start` and `end` are levels in picodollars; a saving goes down from start to end, a loss goes up."""

    label: str
    start: int
    end: int
    total: bool = False
    """A level that stands on the ground: what was paid before, and what is paid after."""


def bars(savings: Savings) -> list[Bar]:
    """The baseline, every lever that did anything, and the policy."""
    found = [Bar("before", 0, savings.baseline, total=True)]
    level = savings.baseline
    for lever in savings.levers:
        if lever.saved or lever.own_cost:
            found.append(Bar(LABELS.get(lever.name, lever.name), level, level - lever.net))
            level -= lever.net
    return [*found, Bar("after", 0, savings.cost, total=True)]
