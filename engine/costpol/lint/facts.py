"""What a rule may know beyond the text of the policy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from costpol.diagnostics import Diagnostic
from costpol.inference.prices import Price
from costpol.lint.reach.survey import Survey
from costpol.policy.nodes.models import Model

PriceOf = Callable[[str, Model], Price | None]
"""The price of a model by its name and declaration; `None` where nobody knows it."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts from outside the bundle; a rule whose `NEEDS` are not there is not run.

    | need       | field                                         |
    | ---------- | --------------------------------------------- |
    | `prices`   | `price_of`                                    |
    | `book`     | `prices_as_of` and `today`                    |
    | `routing`  | `routing`, worked out by the runner           |
    | `intents`  | `intents`, worked out by the runner           |
    | `findings` | `findings` of the other rules, and `names`    |
    | `whole`    | every file could be read: `partial` is not so |
    """

    price_of: PriceOf | None = None
    prices_as_of: date | None = None
    """The day up to which the price data is known to hold."""
    today: date | None = None
    cache_thresholds: Mapping[str, Decimal] = field(default_factory=dict)
    """Per built-in embedder and per model, the similarity from which one answer may serve another question, chosen with
    care."""
    routing: Survey | None = None
    """Which routing rules are reached, in their order."""
    intents: Survey | None = None
    """Which intents' matchers are reached; a matcher that matches nothing stands for an intent without one."""
    findings: tuple[Diagnostic, ...] = ()
    names: frozenset[str] = frozenset()
    """What findings about a bundle are called: their codes and names."""
    partial: bool = False
    """Whether some kinds could not be read, so that other rules may not have found all there is."""

    def has(self, need: str) -> bool:
        """Whether a need is met."""
        match need:
            case "prices":
                return self.price_of is not None
            case "book":
                return self.prices_as_of is not None and self.today is not None
            case "routing":
                return self.routing is not None
            case "intents":
                return self.intents is not None
            case "findings":
                return True
            case "whole":
                return not self.partial
        raise ValueError(f"no rule can need `{need}`")
