"""A budget of which the log never used a twentieth.

## Bad

```text
budget `company`: 1.8% of the limit used at most, over six weeks
```

## Good

```text
budget `company`: 62% of the limit used at most, over six weeks
```

## Why

A limit far above what is ever used stops nothing: a loop or a stolen key spends twenty times the usual before anybody
is told. Looked at where the log is longer than the budget's window; limits for each user, tenant or session are left
alone, for they are meant for the odd one out.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from costpol.diagnostics import Diagnostic, Severity
from costpol.evaluate.seen import Seen
from costpol.policy.bundle import Bundle

CODE, NAME, SEVERITY = "CP610", "oversized-budget", Severity.INFO

_NEAR = Decimal("0.05")
_SECONDS = {"hour": 3600, "day": 86_400, "week": 7 * 86_400, "month": 31 * 86_400}


def check(bundle: Bundle, seen: Seen) -> Iterator[Diagnostic]:
    for name, figures in seen.savings.budgets.items():
        if bundle.budgets is None or figures.each or figures.peak is None or not 0 < figures.peak < _NEAR:
            continue
        if seen.seconds >= _SECONDS[figures.per]:
            yield Diagnostic(
                CODE, NAME, SEVERITY, bundle.budgets.name_at("budgets", name),
                f"at most {figures.peak * 100:.2g}% of the budget `{name}` were ever used",
                help="lower its limit to a few times of what is used",
                why="a loop or a stolen key would spend many times the usual before anybody is told",
                label="never near its limit",
            )  # fmt: skip
