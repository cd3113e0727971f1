"""Everything goes to the cheapest model, although stronger ones are declared.

## Bad

```yaml
kind: routing
default: small
rules:
  - {name: deep-work, when: {message: {words: [analyze, compare]}}, route: small}
```

## Good

```yaml
kind: routing
default: small
rules:
  - {name: deep-work, when: {message: {words: [analyze, compare]}}, route: strong}
```

## Why

The cheapest model for everything looks best on the bill and worst everywhere else: hard requests fail, are asked again,
and cost more than one good answer. Route what is known to be hard to a stronger tier.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Severity
from costpol.lint.facts import Facts
from costpol.lint.targets import first_price, ladder_prices, routes
from costpol.policy.bundle import Bundle

CODE, NAME, SEVERITY = "CP504", "single-cheap-model", Severity.WARNING
NEEDS: tuple[str, ...] = ("prices",)


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    prices = ladder_prices(bundle, facts)
    routed = {first_price(bundle, facts, route.target) for route in routes(bundle)}
    tiers = {price for tier in bundle.models.tiers if (price := first_price(bundle, facts, tier)) is not None}
    if len(prices) > 1 and (routed == {prices[0]} or (len(tiers) > 1 and routed == {min(tiers)})):
        yield Diagnostic(
            CODE, NAME, SEVERITY, bundle.routing.at("default"), "every request goes to the cheapest model",
            help="add a rule that routes hard requests to a stronger tier",
            why="requests that it cannot answer are asked again, which costs more than one good answer",
            label="so do all rules" if bundle.routing.rules else "there are no rules",
        )  # fmt: skip
