"""A suppression does not say what it accepts, or why.

## Bad

```yaml
kind: budgets
budgets:
  company: {limit: 500 USD, per: month, time_zone: UTC}
  sessions: {calls: 60, per: day, time_zone: UTC, each: session}
# costpol: ignore
```

## Good

```yaml
kind: budgets
budgets:
  company: {limit: 500 USD, per: month, time_zone: UTC}
  sessions: {calls: 60, per: day, time_zone: UTC, each: session}
ledger_down: allow # costpol: ignore[CP605] an unanswered emergency call costs more than any bill
```

## Why

Whoever reads the policy next has to know what was accepted and why, or cannot tell whether it still holds. A comment
without codes would also hide what it was never meant for. Findings about leaks (`CP3xx`) need a person who answers for
them besides: `# costpol: ignore[CP303] approved_by=ada our customers are one company`. A comment that says too little
accepts nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Severity
from costpol.lint.facts import Facts
from costpol.lint.suppressions import Suppression, leaks, suppressions
from costpol.policy.bundle import Bundle

CODE, NAME, SEVERITY = "CP901", "suppression-without-reason", Severity.ERROR
NEEDS: tuple[str, ...] = ("findings",)


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    for comment in suppressions(bundle.files):
        message = _problem(comment, facts)
        if message is not None:
            yield Diagnostic(
                CODE, NAME, SEVERITY, comment.span, message,
                help="write `# costpol: ignore[CP605] the reason`, and `approved_by=NAME` for findings of `CP3xx`",
                why="nobody could tell later what was accepted and whether it still holds",
                label="accepts nothing like this",
            )  # fmt: skip


def _problem(comment: Suppression, facts: Facts) -> str | None:
    if not comment.codes:
        return "this suppression does not say which findings it is about"
    if not comment.reason:
        return "this suppression does not say why"
    named = (finding for finding in facts.findings if comment.names(finding))
    leaking = next((finding.code for finding in named if leaks(finding.code)), None)
    if leaking is not None and comment.approved_by is None:
        return f"nobody answers for the leak `{leaking}` that this suppression accepts"
    return None
