"""While the ledger cannot be read, budgets limit nothing.

## Bad

```yaml
kind: budgets
budgets:
  company: {limit: 500 USD, per: month, time_zone: UTC}
  sessions: {calls: 60, per: day, time_zone: UTC, each: session}
ledger_down: allow
```

## Good

```yaml
kind: budgets
budgets:
  company: {limit: 500 USD, per: month, time_zone: UTC}
  sessions: {calls: 60, per: day, time_zone: UTC, each: session}
```

## Why

With `ledger_down: allow` a full disk or a lost store lifts every limit, at the very time when nobody is looking at
spending. It can be the right choice where an unanswered request costs more than an unlimited one; then say so in a
suppression.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Severity
from costpol.lint.facts import Facts
from costpol.policy.bundle import Bundle

CODE, NAME, SEVERITY = "CP605", "budget-fails-open", Severity.WARNING
NEEDS: tuple[str, ...] = ()


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    if bundle.budgets is not None and bundle.budgets.ledger_down == "allow":
        yield Diagnostic(
            CODE, NAME, SEVERITY, bundle.budgets.at("ledger_down"),
            "while the ledger is down, no budget limits anything",
            help="write `ledger_down: refuse`, or leave it out",
            why="a full disk or a lost store would lift every limit",
            label="all requests pass",
        )  # fmt: skip
