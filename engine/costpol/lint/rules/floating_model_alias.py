"""A model name that means another model tomorrow.

## Bad

```yaml
kind: models
providers:
  openai: {type: openai, base_url: https://api.openai.com/v1, key: $OPENAI_API_KEY}
models:
  chat: {provider: openai, name: chatgpt-4o-latest, price: {input: 5 USD, output: 15 USD}}
tiers: {small: chat, strong: chat}
```

## Good

```yaml
kind: models
providers:
  openai: {type: openai, base_url: https://api.openai.com/v1, key: $OPENAI_API_KEY}
models:
  chat: {provider: openai, name: gpt-4o-2024-11-20, price: {input: 2.50 USD, output: 10 USD, cached_input: 1.25 USD}}
tiers: {small: chat, strong: chat}
```

## Why

`latest` is whatever the provider puts behind it. Price, quality, context window and every cached answer then change
without a change of the policy, and no review sees it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Severity
from costpol.lint.facts import Facts
from costpol.policy.bundle import Bundle

CODE, NAME, SEVERITY = "CP508", "floating-model-alias", Severity.WARNING
NEEDS: tuple[str, ...] = ()


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    for name, model in bundle.models.models.items():
        upstream = model.name or name
        if "latest" in re.split(r"[-_.:/@]", upstream.lower()):
            yield Diagnostic(
                CODE, NAME, SEVERITY, model.at("name"), f"`{upstream}` means another model tomorrow",
                help="name a version, such as `gpt-4o-2024-11-20`",
                why="price and answers change without a change of the policy",
                label="a moving name",
            )  # fmt: skip
