"""Whatever no rule takes goes to the dearest model.

## Bad

```yaml
kind: routing
default: strong
rules:
  - {name: lookups, when: {intent: faq}, route: small}
```

## Good

```yaml
kind: routing
default: small
rules:
  - {name: deep-work, when: {message: {words: [analyze, compare]}}, route: strong}
```

## Why

Most traffic is simple, and most of what nobody thought of is simple, too: in published traffic 60 to 70 % of requests
need no strong model. A default that is the dearest model makes everything unclassified pay most. Models are compared by
the price of three input tokens and one output token.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Severity
from costpol.lint.facts import Facts
from costpol.lint.targets import first_price, ladder_prices
from costpol.policy.bundle import Bundle

CODE, NAME, SEVERITY = "CP505", "dearest-default", Severity.WARNING
NEEDS: tuple[str, ...] = ("prices",)


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    prices = ladder_prices(bundle, facts)
    default = bundle.routing.default
    if len(prices) > 1 and first_price(bundle, facts, default) == prices[-1]:
        yield Diagnostic(
            CODE, NAME, SEVERITY, bundle.routing.at("default"),
            f"whatever no rule takes goes to `{default}`, the dearest of all",
            help="make a cheaper tier the default, and route to this one what is known to need it",
            why="most requests that nobody thought of are simple ones, and pay most here",
            label=f"{prices[-1] / prices[0]:.3g} times the cheapest price" if prices[0] else "the dearest price",
        )  # fmt: skip
