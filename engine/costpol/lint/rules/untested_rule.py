"""The policy has tests, and none of them shows that this rule does what it is meant to.

## Bad

```yaml
kind: routing
default: small
rules:
  - {name: deep-work, when: {message: {words: [analyze]}}, route: strong}
---
kind: tests
tests:
  - name: a plain question goes to the small tier
    message: what is the return policy
    expect: {rule: default}
```

## Good

```yaml
kind: routing
default: small
rules:
  - {name: deep-work, when: {message: {words: [analyze]}}, route: strong}
---
kind: tests
tests:
  - name: analysis goes to the strong tier
    message: analyze last month's sales
    expect: {rule: deep-work}
```

## Why

A rule without a test is changed by the next edit without anybody noticing. A rule counts as tested where a case expects
it by name, or expects one of its models and no other rule. Left alone are rules that only take requests too long to be
written into a test, and policies without any tests: `costpol test` says so itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Severity
from costpol.lint.facts import Facts
from costpol.lint.reach.survey import Impossible, Shadowed
from costpol.lint.targets import members
from costpol.policy.bundle import Bundle
from costpol.policy.nodes.matcher import When

CODE, NAME, SEVERITY = "CP801", "untested-rule", Severity.WARNING
NEEDS: tuple[str, ...] = ("whole",)

_WRITABLE = 2000
"""Tokens, or characters, up to which a request can be asked to stand in a test."""


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    expected = [case.expect for tests in bundle.tests for case in tests.tests]
    if not expected:
        return
    named = {expect.rule for expect in expected if expect.rule is not None}
    modelled = {expect.model for expect in expected if expect.rule is None and expect.model is not None}
    verdicts = facts.routing.verdicts if facts.routing is not None else ()
    dead = {number for number, verdict in enumerate(verdicts) if isinstance(verdict, Shadowed | Impossible)}
    for number, rule in enumerate(bundle.routing.rules):
        if number in dead:  # no test could reach it, and that is said already
            continue
        if rule.name not in named and not _too_long(rule.when) and modelled.isdisjoint(members(bundle, rule.route)):
            yield Diagnostic(
                CODE, NAME, SEVERITY, rule.at("name"), f"no test expects rule `{rule.name}`",
                help=f"add a case with `expect: {{rule: {rule.name}}}` to the tests",
                why="the next edit may change what it does without anybody noticing",
                label="untested",
            )  # fmt: skip


def _too_long(when: When) -> bool:
    tokens = when.tokens.min if when.tokens is not None else None
    characters = when.message.min_chars if when.message is not None else None
    return max(tokens or 0, characters or 0) > _WRITABLE
