"""A rule without which every request would fare just the same.

## Bad

```yaml
kind: routing
default: strong # costpol: ignore[CP505] what nobody thought of is hard here
rules:
  - name: greetings
    when: {message: {any_of: [hello, good morning]}, tokens: {max: 500}}
    route: small
  - name: short
    when: {tokens: {max: 1000}}
    route: small
```

## Good

```yaml
kind: routing
default: strong # costpol: ignore[CP505] what nobody thought of is hard here
rules:
  - name: deep-work
    when: {message: {words: [analyze]}, tokens: {max: 500}}
    route: strong
  - name: short
    when: {tokens: {max: 1000}}
    route: small
```

## Why

A rule that changes nothing is a second place to keep in step with the first: one of them gets edited, and the traffic
moves without anybody meaning it. Reported where another rule would decide every request of this one, with the same
route and the same limit. A rule that only repeats the default is left alone: its name says what the requests are.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Fix, Related, Severity
from costpol.lint.facts import Facts
from costpol.lint.reach.survey import redundant
from costpol.lint.removal import without_item
from costpol.policy.bundle import Bundle

CODE, NAME, SEVERITY = "CP204", "redundant-rule", Severity.WARNING
NEEDS: tuple[str, ...] = ("routing",)


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    assert facts.routing is not None  # noqa: S101 - `NEEDS` says so
    rules = bundle.routing.rules
    outcomes = [(rule.route, rule.max_output_tokens) for rule in rules]
    for number, heir in redundant(facts.routing, outcomes).items():
        rule = rules[number]
        other = rules[heir]
        edit = without_item(bundle.files.get(rule.span.file, ""), rule.span)
        yield Diagnostic(
            CODE, NAME, SEVERITY, rule.at("name"), f"rule `{rule.name}` changes nothing",
            help="delete it, or give it a route of its own",
            why=f"without it `{other.name}` would send the same requests to `{rule.route}`",
            label=f"same outcome as `{other.name}`",
            related=(Related(other.at("name"), "would decide instead"),),
            fix=None if edit is None else Fix(f"delete the rule `{rule.name}`", (edit,), safe=False),
        )  # fmt: skip
