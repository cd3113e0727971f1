"""The dearest model is used to answer with a label.

## Bad

```yaml
kind: routing
default: small
rules:
  - {name: classify-tickets, when: {stage: classify}, route: strong, max_output_tokens: 10}
```

## Good

```yaml
kind: routing
default: small
rules:
  - {name: classify-tickets, when: {stage: classify}, route: small, max_output_tokens: 10}
  - {name: write-report, when: {stage: report}, route: strong}
```

## Why

Sorting, tagging and routing are what small models do as well as large ones, at a tenth of the price and less. A rule
counts as classification where its name, its stage or its intents say so, or where the answer may have at most 16
tokens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Severity
from costpol.lint.facts import Facts
from costpol.lint.targets import first_price, ladder_prices
from costpol.policy.bundle import Bundle
from costpol.policy.nodes.routing import Rule

CODE, NAME, SEVERITY = "CP510", "frontier-classification", Severity.WARNING
NEEDS: tuple[str, ...] = ("prices",)

_LABEL_TOKENS = 16
_WORDS = frozenset(
    "classify classifies classification classifier categorise categorize categorisation categorization label labels "
    "labelling labeling tag tagging triage sentiment moderation moderate".split()
)


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    prices = ladder_prices(bundle, facts)
    for rule in bundle.routing.rules:
        sign = _sign(rule)
        if sign is not None and len(prices) > 1 and first_price(bundle, facts, rule.route) == prices[-1]:
            yield Diagnostic(
                CODE, NAME, SEVERITY, rule.at("route"),
                f"rule `{rule.name}` uses the dearest model to answer with a label",
                help="route it to the cheapest tier",
                why=f"{sign}: small models sort and tag as well as large ones",
                label="the dearest of all",
            )  # fmt: skip


def _sign(rule: Rule) -> str | None:
    """Why a rule counts as classification."""
    for said in (rule.name, *rule.when.stage, *rule.when.intent):
        if not _WORDS.isdisjoint(re.split(r"[^a-z]+", said.lower())):
            return f"`{said}` says that it is classification"
    if rule.max_output_tokens is not None and rule.max_output_tokens <= _LABEL_TOKENS:
        return f"an answer of at most {rule.max_output_tokens} tokens is a label"
    return None
