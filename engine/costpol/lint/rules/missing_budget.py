"""No budget limits what is spent over time.

## Bad

```yaml
kind: budgets
budgets:
  requests: {limit: 0.50 USD, per: request}
  sessions: {limit: 2 USD, per: day, time_zone: UTC, each: session}
```

## Good

```yaml
kind: budgets
budgets:
  company: {limit: 500 USD, per: month, time_zone: UTC}
  requests: {limit: 0.50 USD, per: request}
  sessions: {limit: 2 USD, per: day, time_zone: UTC, each: session}
```

## Why

Every other lever makes a request cheaper; only a budget bounds how many there are. Without one for everybody or for
each tenant, a loop or a leaked key spends until somebody reads the bill. One published weekend cost 4,200 dollars.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Severity
from costpol.lint.facts import Facts
from costpol.policy.bundle import Bundle

CODE, NAME, SEVERITY = "CP602", "missing-budget", Severity.WARNING
NEEDS: tuple[str, ...] = ()


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    budgets = bundle.budgets.budgets if bundle.budgets else {}
    if any(budget.per != "request" and budget.each in (None, "tenant") for budget in budgets.values()):
        return
    where = "" if bundle.budgets else " in a file with `kind: budgets`"
    place = bundle.budgets.at("budgets") if bundle.budgets else bundle.routing.at("default")
    yield Diagnostic(
        CODE, NAME, SEVERITY, place, "no budget limits what everybody, or each tenant, spends over time",
        help="add `company: {limit: 500 USD, per: month, time_zone: UTC}`" + where,
        why="a loop or a leaked key would spend until somebody reads the bill",
        label="only smaller limits here" if budgets else "spending starts here",
    )  # fmt: skip
