"""A routing rule that took none of the requests of the log.

## Bad

```text
500 requests, none of them by rule `deep-work`
```

## Good

```text
500 requests, 12 of them by rule `deep-work`
```

## Why

The rule was written for requests that do not come, or not as it expects them: its words may be of another language, its
fields never set by the callers. What it was to save is not saved. Looked at from 500 requests on.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Severity
from costpol.evaluate.seen import Seen
from costpol.policy.bundle import Bundle

CODE, NAME, SEVERITY = "CP208", "unfired-rule", Severity.INFO

_REQUESTS = 500


def check(bundle: Bundle, seen: Seen) -> Iterator[Diagnostic]:
    savings = seen.savings
    if savings.requests < _REQUESTS:
        return
    for rule in bundle.routing.rules:
        if rule.name not in savings.rules:
            yield Diagnostic(
                CODE, NAME, SEVERITY, rule.at("name"),
                f"rule `{rule.name}` took none of {savings.requests:,} requests",
                help="`costpol explain` shows why it passes over a request that it should take",
                why="what it was to save is not saved", label="never fired",
            )  # fmt: skip
