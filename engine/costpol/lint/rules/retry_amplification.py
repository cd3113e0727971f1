"""One request may be tried so often that failures multiply.

## Bad

```yaml
kind: models
providers:
  openai: {type: openai, base_url: https://api.openai.com/v1, key: $OPENAI_API_KEY}
models:
  a: {provider: openai, price: {input: 0.10 USD, output: 0.40 USD}}
  b: {provider: openai, price: {input: 0.10 USD, output: 0.40 USD}}
  c: {provider: openai, price: {input: 0.11 USD, output: 0.40 USD}}
  d: {provider: openai, price: {input: 0.12 USD, output: 0.40 USD}}
  e: {provider: openai, price: {input: 0.13 USD, output: 0.40 USD}}
tiers: {small: [a, b, c, d, e], strong: e}
---
kind: routing
default: small
rules:
  - {name: deep-work, when: {message: {words: [analyze]}}, route: strong}
fallback: {attempts: 5}
```

## Good

```yaml
kind: models
providers:
  openai: {type: openai, base_url: https://api.openai.com/v1, key: $OPENAI_API_KEY}
models:
  a: {provider: openai, price: {input: 0.10 USD, output: 0.40 USD}}
  b: {provider: openai, price: {input: 0.10 USD, output: 0.40 USD}}
  c: {provider: openai, price: {input: 0.11 USD, output: 0.40 USD}}
  d: {provider: openai, price: {input: 0.12 USD, output: 0.40 USD}}
  e: {provider: openai, price: {input: 0.13 USD, output: 0.40 USD}}
tiers: {small: [a, b, c, d, e], strong: e}
---
kind: routing
default: small
rules:
  - {name: deep-work, when: {message: {words: [analyze]}}, route: strong}
fallback: {attempts: 3}
```

## Why

Client libraries retry by themselves, commonly twice, and each of their tries comes here as a request of its own. Five
targets for each make fifteen calls of one question, all of them paid where the provider has started to answer. Reported
from five attempts on, where a route really has so many targets.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Severity
from costpol.lint.facts import Facts
from costpol.lint.targets import members, routes
from costpol.policy.bundle import Bundle

CODE, NAME, SEVERITY = "CP606", "retry-amplification", Severity.WARNING
NEEDS: tuple[str, ...] = ()

_CLIENT_TRIES = 3
_MOST_CALLS = 12


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    fallback = bundle.routing.fallback
    stand_ins = {name for target in fallback.to for name in members(bundle, target)}
    longest = max(len(stand_ins | set(members(bundle, route.target))) for route in routes(bundle))
    targets = min(fallback.attempts, longest)
    calls = targets * _CLIENT_TRIES
    if calls > _MOST_CALLS:
        yield Diagnostic(
            CODE, NAME, SEVERITY, fallback.at("attempts"), f"one question may make {calls} calls",
            help="write `attempts: 3`",
            why=f"clients try {_CLIENT_TRIES} times by themselves, and each try may go to {targets} targets",
            label=f"times {_CLIENT_TRIES} tries of the client",
        )  # fmt: skip
