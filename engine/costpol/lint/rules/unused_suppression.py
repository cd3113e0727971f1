"""A suppression is about a finding that is not there.

## Bad

```yaml
kind: routing
default: small # costpol: ignore[CP505] the small tier is too weak for us
rules:
  - {name: deep-work, when: {message: {words: [analyze]}}, route: strong}
```

## Good

```yaml
kind: routing
default: strong # costpol: ignore[CP505] the small tier is too weak for us
rules:
  - {name: lookups, when: {intent: faq}, route: small}
```

## Why

A suppression that outlives its finding hides the next one of its kind on that line. Delete it when the cause is gone.
It can stand at the end of the line that it is about, or on a line of its own above. What keeps a policy from loading
cannot be suppressed. `disable[CP505] reason` accepts down to `enable[CP505]`, and `disable-file[CP505] reason`, before
the first line of content, in the whole file.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Fix, Severity
from costpol.lint.facts import Facts
from costpol.lint.removal import without_code
from costpol.lint.suppressions import ONLY_IN_A_LOG, Suppression, suppressions
from costpol.policy.bundle import Bundle
from costpol.policy.suggestion import did_you_mean

CODE, NAME, SEVERITY = "CP900", "unused-suppression", Severity.WARNING
NEEDS: tuple[str, ...] = ("findings", "whole")


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    for comment in suppressions(bundle.files):
        about = [finding for finding in facts.findings if comment.names(finding)]
        used = {name for finding in about for name in (finding.code, finding.name)}
        for code in comment.codes:
            if code not in used and code not in ONLY_IN_A_LOG:
                message, help, why = _told(code, comment, facts)
                yield Diagnostic(
                    CODE, NAME, SEVERITY, comment.span, message, help=help, why=why,
                    label=f"about {_lines(comment)}",
                    fix=Fix("remove it", (without_code(bundle.files[comment.span.file], comment, code),)),
                )  # fmt: skip


def _told(code: str, comment: Suppression, facts: Facts) -> tuple[str, str, str]:
    """Message, help and reason."""
    if code not in facts.names:
        guess = did_you_mean(code, sorted(facts.names))
        help = guess or "`costpol rule --all` lists the findings; delete the comment if none of them is meant"
        return f"no finding is called `{code}`", help, "it accepts nothing"
    message = f"there is no finding `{code}` to ignore on {_lines(comment)}"
    help = "delete the comment, or move it to the line of the finding"
    return message, help, "it would hide the next finding of its kind here"


def _lines(comment: Suppression) -> str:
    last = max(comment.ends, default=comment.line)
    return f"line {comment.line}" if last <= comment.line else f"lines {comment.line} to {last}"
