"""A price of your own leaves out a rate that the provider charges apart.

## Bad

```yaml
kind: models
providers:
  openai: {type: openai, base_url: https://api.openai.com/v1, key: $OPENAI_API_KEY}
models:
  gpt-4.1-mini: {provider: openai, price: {input: 0.40 USD, output: 1.60 USD}}
tiers: {small: gpt-4.1-mini, strong: gpt-4.1-mini}
```

## Good

```yaml
kind: models
providers:
  openai: {type: openai, base_url: https://api.openai.com/v1, key: $OPENAI_API_KEY}
models:
  gpt-4.1-mini: {provider: openai, price: {input: 0.40 USD, output: 1.60 USD, cached_input: 0.10 USD}}
tiers: {small: gpt-4.1-mini, strong: gpt-4.1-mini}
```

## Why

Tokens read from the provider's prompt cache cost a fraction, tokens written to it can cost more. Without rates of their
own they are billed as plain input, and every report is wrong by what prompt caching saves. Reported only where the
price book knows the model under the name given here, and knows such a rate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from costpol.diagnostics import Diagnostic, Severity
from costpol.lint.facts import Facts
from costpol.policy.bundle import Bundle
from costpol.policy.nodes.models import OwnPrice

CODE, NAME, SEVERITY = "CP503", "incomplete-price", Severity.WARNING
NEEDS: tuple[str, ...] = ("prices",)


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    assert facts.price_of is not None  # noqa: S101 - `NEEDS` says so
    for name, model in bundle.models.models.items():
        own = model.price
        if not isinstance(own, OwnPrice) or own.input is None:
            continue
        listed = facts.price_of(name, replace(model, price=None))
        if listed is None:
            continue
        pairs = (
            ("cached_input", own.cached_input, listed.rates.cache_read),
            ("cache_write", own.cache_write, listed.rates.cache_write),
        )
        missing = [key for key, written, rate in pairs if written is None and rate is not None]
        if missing:
            keys = "` and `".join(missing)
            yield Diagnostic(
                CODE, NAME, SEVERITY, model.at("price"), f"the price of `{name}` leaves out `{keys}`",
                help=f"add `{keys}`, or drop `price` to use the price book",
                why="the provider charges these tokens apart; without a rate they are billed as plain input",
                label=f"no `{keys}`",
            )  # fmt: skip
