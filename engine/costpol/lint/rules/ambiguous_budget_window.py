"""A calendar budget does not say whose clock it follows.

## Bad

```yaml
kind: budgets
budgets:
  company: {limit: 40 USD, per: day}
  sessions: {calls: 60, per: hour, each: session}
```

## Good

```yaml
kind: budgets
budgets:
  company: {limit: 40 USD, per: day, time_zone: Europe/Berlin}
  reports: {limit: 10 USD, per: day, window: rolling, each: agent}
  sessions: {calls: 60, per: hour, each: session}
```

## Why

A day, a week or a month starts at another instant in every time zone. A budget that resets by the server's clock in the
middle of a working day lets a day spend twice; one such budget of 24 hours has covered 32. Weeks start on Monday. Hours
and rolling windows need no time zone.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Severity
from costpol.lint.facts import Facts
from costpol.policy.bundle import Bundle

CODE, NAME, SEVERITY = "CP603", "ambiguous-budget-window", Severity.ERROR
NEEDS: tuple[str, ...] = ()


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    for name, budget in bundle.budgets.budgets.items() if bundle.budgets else ():
        if budget.per in ("day", "week", "month") and budget.window == "calendar" and budget.time_zone is None:
            yield Diagnostic(
                CODE, NAME, SEVERITY, budget.at("per"), f"budget `{name}` does not say whose {budget.per} it counts",
                help="add `time_zone: UTC` or your own, such as `time_zone: Europe/Berlin`, or write `window: rolling`",
                why=f"a {budget.per} starts at another instant in every time zone",
                label=f"a calendar {budget.per}",
            )  # fmt: skip
