"""Two rules about the same fields take some requests in common, and only their order decides which one wins.

## Bad

```yaml
kind: routing
default: small
rules:
  - name: medium
    when: {tokens: {min: 1000, max: 5000}}
    route: small
  - name: long
    when: {tokens: {min: 4000}}
    route: strong
```

## Good

```yaml
kind: routing
default: small
rules:
  - name: medium
    when: {tokens: {min: 1000, max: 3999}, stream: true}
    route: strong
  - name: long
    when: {tokens: {min: 4000}}
    route: strong
```

## Why

Ranges and lists that overlap at their edges are usually an oversight, and moving one of the rules changes the bill. The
finding shows a request that both would take. Rules that ask about different fields nearly always overlap, and a narrow
rule above a wide one is how exceptions are written: neither is reported.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Related, Severity
from costpol.lint.facts import Facts
from costpol.lint.reach.survey import overlaps
from costpol.lint.reach.witness import describe
from costpol.policy.bundle import Bundle

CODE, NAME, SEVERITY = "CP205", "overlapping-rules", Severity.INFO
NEEDS: tuple[str, ...] = ("routing",)


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    assert facts.routing is not None  # noqa: S101 - `NEEDS` says so
    rules = bundle.routing.rules
    outcomes = [(rule.route, rule.max_output_tokens) for rule in rules]
    for overlap in overlaps(facts.routing, outcomes):
        first, second = rules[overlap.first], rules[overlap.second]
        yield Diagnostic(
            CODE, NAME, SEVERITY, second.at("name"),
            f"rules `{first.name}` and `{second.name}` overlap, and only their order decides",
            help="draw the line between them at one value",
            why=f"both would take {describe(overlap.witness)}",
            label=f"`{first.name}` takes what both could take",
            related=(Related(first.at("name"), "comes first"),),
        )  # fmt: skip
