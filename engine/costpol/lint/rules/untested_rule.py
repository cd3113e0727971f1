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
it by name, or expects one of its models and no other rule. Policies without any tests are not reported: `costpol test`
says so itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Severity
from costpol.lint.facts import Facts
from costpol.lint.targets import members
from costpol.policy.bundle import Bundle

CODE, NAME, SEVERITY = "CP801", "untested-rule", Severity.WARNING
NEEDS: tuple[str, ...] = ()


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    expected = [case.expect for tests in bundle.tests for case in tests.tests]
    if not expected:
        return
    named = {expect.rule for expect in expected if expect.rule is not None}
    modelled = {expect.model for expect in expected if expect.rule is None and expect.model is not None}
    for rule in bundle.routing.rules:
        if rule.name not in named and modelled.isdisjoint(members(bundle, rule.route)):
            yield Diagnostic(
                CODE, NAME, SEVERITY, rule.at("name"), f"no test expects rule `{rule.name}`",
                help=f"add a case with `expect: {{rule: {rule.name}}}` to the tests",
                why="the next edit may change what it does without anybody noticing",
                label="untested",
            )  # fmt: skip
