"""A budget that refused more than one request in a hundred.

## Bad

```text
budget `tenants`: 70 of 1,000 requests refused
```

## Good

```text
budget `tenants`: 2 of 1,000 requests refused
```

## Why

A refusal is work not done. A limit that is always reached is either too low, or its ladder steps down too late: a rung
that routes to a cheaper model at 75% of the limit keeps answers coming. Looked at from 100 requests on.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Severity
from costpol.evaluate.seen import Seen
from costpol.policy.bundle import Bundle

CODE, NAME, SEVERITY = "CP611", "exhausted-budget", Severity.WARNING

_REQUESTS = 100


def check(bundle: Bundle, seen: Seen) -> Iterator[Diagnostic]:
    requests = seen.savings.requests
    for name, figures in seen.savings.budgets.items():
        if bundle.budgets is not None and requests >= _REQUESTS and figures.refused * 100 > requests:
            yield Diagnostic(
                CODE, NAME, SEVERITY, bundle.budgets.name_at("budgets", name),
                f"the budget `{name}` refused {figures.refused:,} of {requests:,} requests",
                help="raise its limit, or add a rung that routes to a cheaper model earlier",
                why="a refusal is work not done", label="always at its limit",
            )  # fmt: skip
