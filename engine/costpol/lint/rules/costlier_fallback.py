"""When a cheap model does not answer, a much dearer one steps in, and nothing limits what that costs.

## Bad

```yaml
kind: routing
default: small
rules:
  - {name: deep-work, when: {message: {words: [analyze]}}, route: strong}
fallback: {to: strong}
```

## Good

```yaml
kind: routing
default: small
rules:
  - {name: deep-work, when: {message: {words: [analyze]}}, route: strong}
fallback: {to: strong}
---
kind: budgets
budgets:
  company: {limit: 500 USD, per: month, time_zone: UTC}
  requests: {limit: 0.20 USD, per: request}
```

## Why

An outage of the cheap provider then moves all of its traffic to the dear one: the bill for an afternoon can exceed that
of the month. A limit in dollars per request keeps the stand-in within bounds. A fallback up to twice as dear as the
route that it stands in for is not reported.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Related, Severity
from costpol.lint.facts import Facts
from costpol.lint.targets import first_price, members, routes
from costpol.policy.bundle import Bundle

CODE, NAME, SEVERITY = "CP506", "costlier-fallback", Severity.WARNING
NEEDS: tuple[str, ...] = ("prices",)

_DEARER = 2


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    fallback = bundle.routing.fallback
    budgets = bundle.budgets.budgets.values() if bundle.budgets else ()
    if fallback.attempts < 2 or any(b.per == "request" and b.limit is not None for b in budgets):
        return
    prices = [(first_price(bundle, facts, route.target), route) for route in routes(bundle)]
    primaries = [(price, route) for price, route in prices if price is not None]
    if not primaries:
        return
    cheapest, route = min(primaries, key=lambda pair: pair[0])
    own = set(members(bundle, route.target))
    for position, target in enumerate(fallback.to):
        price = first_price(bundle, facts, target)
        if price is None or price <= _DEARER * cheapest or own.issuperset(members(bundle, target)):
            continue
        yield Diagnostic(
            CODE, NAME, SEVERITY, fallback.at("to", position),
            f"`{target}` steps in for `{route.target}` at a much higher price, without a limit",
            help="add a budget `requests: {limit: 0.20 USD, per: request}`, or fall back to a model of like price",
            why="an outage of the cheap model would move all of its traffic to the dear one",
            label=f"{price / cheapest:.3g} times as dear" if cheapest else "not free",
            related=(Related(route.span, f"the route of {route.label}"),),
        )  # fmt: skip
