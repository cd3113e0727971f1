"""A rung of the ladder that can never do anything, or nothing that an earlier one does not do.

## Bad

```yaml
kind: budgets
budgets:
  company: {limit: 500 USD, per: month, time_zone: UTC}
  sessions: {limit: 2 USD, calls: 60, per: day, time_zone: UTC, each: session}
ladder:
  - {at: 90%, refuse: "the budget of this month is used up"}
  - {at: 95%, route: small}
```

## Good

```yaml
kind: budgets
budgets:
  company: {limit: 500 USD, per: month, time_zone: UTC}
  sessions: {limit: 2 USD, calls: 60, per: day, time_zone: UTC, each: session}
ladder:
  - {at: 90%, route: small}
  - {at: 100%, refuse: "the budget of this month is used up"}
```

## Why

The ladder is what keeps a budget from ending in refusals, and a rung that does nothing is noticed only then. A rung may
only make requests cheaper, so one that routes to something dearer than every route of the policy never acts. After a
rung that refuses nothing is left to do for the same budgets, but to `warn`: calls that are under way, or cost more than
was reserved for them, still take a budget further. A limit of the answer that an earlier rung has already set lower
changes nothing. A budget per request has no way to its limit, so no rung of it is ever reached.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Related, Severity
from costpol.lint.facts import Facts
from costpol.lint.targets import first_price, members, price_of, routes
from costpol.policy.bundle import Bundle
from costpol.policy.nodes.budgets import Budgets, Rung
from costpol.policy.references import REQUESTED

CODE, NAME, SEVERITY = "CP612", "idle-rung", Severity.WARNING
NEEDS: tuple[str, ...] = ("prices",)

MOST = 100
"""How many rungs are compared, the lowest of them."""
_HELP = "delete the rung, or let it act earlier than the other"


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    budgets = bundle.budgets
    if budgets is None:
        return
    ladder = sorted(budgets.ladder, key=lambda rung: rung.share)[:MOST]
    budgets_of = {id(rung): _budgets(rung, budgets) for rung in ladder}
    for position, rung in enumerate(ladder):
        named = budgets_of[id(rung)]
        if not named:
            yield _finding(rung, "is never reached", "name a budget with a window", "no budget of it has a window")
            continue
        lower = [each for each in ladder[:position] if named <= budgets_of[id(each)] and each.share < rung.share]
        refusing = next((each for each in lower if each.refuse is not None), None)
        if refusing is not None:
            if not _only_warns(rung):
                label = "the other refuses every request before"
                yield _finding(rung, "has nothing left to do", _HELP, label, refusing)
        elif rung.refuse is not None:
            continue
        elif rung.route is not None and not _may_act(rung.route, bundle, facts):
            reason = f"`{rung.route}` is dearer than every route"
            yield _finding(rung, "never changes the route", "route to a cheaper tier or model", reason)
        elif rung.max_output_tokens is not None and rung.route is None:
            limit = rung.max_output_tokens
            shorter = next((each for each in lower if (each.max_output_tokens or limit + 1) <= limit), None)
            if shorter is not None:
                yield _finding(rung, "does not shorten any answer", _HELP, "the other has done so already", shorter)


def _finding(rung: Rung, what: str, help: str, label: str, other: Rung | None = None) -> Diagnostic:
    return Diagnostic(
        CODE, NAME, SEVERITY, rung.at("at"), f"this rung {what}",
        help=help, why="near its limit the budget is not spared as its author meant", label=label,
        related=() if other is None else (Related(other.at("at"), "the other rung"),),
    )  # fmt: skip


def _only_warns(rung: Rung) -> bool:
    return rung.warn and rung.route is None and rung.max_output_tokens is None and rung.refuse is None


def _budgets(rung: Rung, budgets: Budgets) -> set[str]:
    """The budgets with a window whose rung it is."""
    return {
        n for n, each in budgets.budgets.items() if each.per != "request" and (not rung.budgets or n in rung.budgets)
    }


def _may_act(target: str, bundle: Bundle, facts: Facts) -> bool:
    """Whether some request is routed to something as dear as any model of the target; in doubt it is."""
    dearest = [first_price(bundle, facts, route.target) for route in routes(bundle)]
    offered = [price_of(bundle, facts, name) for name in members(bundle, target)]
    if any(route.target == REQUESTED for route in routes(bundle)) or None in dearest or None in offered or not offered:
        return True
    return min(price for price in offered if price is not None) <= max(price for price in dearest if price is not None)
