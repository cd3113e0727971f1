"""The price data is so old that the prices have likely changed.

## Bad

```yaml prices_as_of=2025-01-01
kind: models
providers:
  openai: {type: openai, base_url: https://api.openai.com/v1, key: $OPENAI_API_KEY}
models:
  gpt-4.1-mini: {provider: openai, price: openai/gpt-4.1-mini}
tiers: {small: gpt-4.1-mini, strong: gpt-4.1-mini}
```

## Good

```yaml
kind: models
providers:
  openai: {type: openai, base_url: https://api.openai.com/v1, key: $OPENAI_API_KEY}
models:
  gpt-4.1-mini: {provider: openai, price: openai/gpt-4.1-mini}
tiers: {small: gpt-4.1-mini, strong: gpt-4.1-mini}
```

## Why

Providers change prices several times a year. Budgets and savings computed from old ones are wrong without looking
wrong. Price data counts as old after 120 days; models with a price of their own do not depend on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from costpol.diagnostics import Diagnostic, Severity
from costpol.lint.facts import Facts
from costpol.policy.bundle import Bundle
from costpol.policy.nodes.models import OwnPrice

CODE, NAME, SEVERITY = "CP502", "stale-price-table", Severity.WARNING
NEEDS: tuple[str, ...] = ("book",)

_OLD = timedelta(days=120)


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    assert facts.prices_as_of is not None  # noqa: S101 - `NEEDS` says so
    assert facts.today is not None  # noqa: S101
    listed = next((m for m in bundle.models.models.values() if not isinstance(m.price, OwnPrice)), None)
    age = facts.today - facts.prices_as_of
    if listed is not None and age > _OLD:
        yield Diagnostic(
            CODE, NAME, SEVERITY, listed.at("price"), f"the price data is {age.days} days old",
            help="upgrade `genai-prices`, or write prices of your own",
            why=f"it holds prices as of {facts.prices_as_of}, and providers change theirs several times a year",
            label="priced by the price book",
        )  # fmt: skip
