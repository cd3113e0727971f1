"""A model whose price nobody knows: its calls would count as free.

## Bad

```yaml
kind: models
providers:
  local: {type: openai, base_url: http://127.0.0.1:8000/v1, key: none}
models:
  our-own-model: {provider: local}
tiers: {small: our-own-model, strong: our-own-model}
```

## Good

```yaml
kind: models
providers:
  local: {type: openai, base_url: http://127.0.0.1:8000/v1, key: none}
models:
  our-own-model: {provider: local, price: {gpu_hour: 2.50 USD, tokens_per_second: 1500}}
tiers: {small: our-own-model, strong: our-own-model}
```

## Why

A model without a price counts as zero dollars in every other gateway: its budget never trips, and every saving that is
reported against it is wrong. Here it cannot be served. A hosted model is priced by a reference into the price book, one
of your own per token, or by what its hardware costs and serves.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Severity
from costpol.lint.facts import Facts
from costpol.policy.bundle import Bundle

CODE, NAME, SEVERITY = "CP501", "unpriced-model", Severity.ERROR
NEEDS: tuple[str, ...] = ("prices",)


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    assert facts.price_of is not None  # noqa: S101 - `NEEDS` says so
    for name, model in bundle.models.models.items():
        if facts.price_of(name, model) is not None:
            continue
        reference = model.price if isinstance(model.price, str) else None
        yield Diagnostic(
            CODE, NAME, SEVERITY, model.at("price"),
            f"the price book does not know `{reference}`" if reference else f"no price of the model `{name}` is known",
            help="write a reference such as `price: openai/gpt-4.1-mini`, or `price: {input: 1 USD, output: 4 USD}`",
            why="its calls would count as free, and no budget would ever trip",
            label="not in the price book" if reference else "no `price`",
        )  # fmt: skip
