"""Conditions that contradict each other, so that no request can ever meet them all.

## Bad

```yaml
kind: routing
default: small
rules:
  - name: deep-work
    when: {message: {max_chars: 5, words: [strategy]}}
    route: strong
```

## Good

```yaml
kind: routing
default: small
rules:
  - name: deep-work
    when: {message: {min_chars: 5, words: [strategy]}}
    route: strong
```

## Why

All conditions of a `when` must hold at once. A rule that can never match looks like a saving or a safeguard and is
none. The check knows that an offered tool is an offer, that a word is at least as long as it is, and what `any_of`
wordings contain.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Severity, Span
from costpol.lint.facts import Facts
from costpol.lint.reach.survey import Impossible
from costpol.policy.bundle import Bundle

CODE, NAME, SEVERITY = "CP202", "impossible-condition", Severity.ERROR
NEEDS: tuple[str, ...] = ("routing", "intents")


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    assert facts.routing is not None  # noqa: S101 - `NEEDS` says so
    assert facts.intents is not None  # noqa: S101
    for rule, verdict in zip(bundle.routing.rules, facts.routing.verdicts, strict=True):
        if isinstance(verdict, Impossible):
            yield _finding(rule.at("when"), f"no request can meet the conditions of rule `{rule.name}`")
    intents = bundle.intents.intents if bundle.intents else {}
    for (name, intent), verdict in zip(intents.items(), facts.intents.verdicts, strict=True):
        if isinstance(verdict, Impossible) and intent.when is not None:
            yield _finding(intent.at("when"), f"no request can meet the conditions of intent `{name}`")


def _finding(span: Span, message: str) -> Diagnostic:
    return Diagnostic(
        CODE, NAME, SEVERITY, span, message,
        help="drop one of the conditions, or put alternatives under `any:`",
        why="all conditions of a `when` must hold at once, and these contradict each other",
        label="these cannot all hold",
    )  # fmt: skip
