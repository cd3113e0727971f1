"""Where requests go: the routes of a policy, the models behind them, and how dear those are."""

from __future__ import annotations

from dataclasses import dataclass

from costpol.diagnostics import Span
from costpol.inference.prices import Price
from costpol.lint.facts import Facts
from costpol.policy.bundle import Bundle
from costpol.policy.nodes.models import Model
from costpol.policy.nodes.routing import Rule
from costpol.policy.references import REQUESTED

_INPUT_WEIGHT = 3
"""Published chat and agent traffic has about three input tokens to one of output."""


@dataclass(frozen=True, slots=True)
class Route:
    """One way that a request can take. `rule` is `None` for the default."""

    label: str
    target: str
    span: Span
    rule: Rule | None


def routes(bundle: Bundle) -> list[Route]:
    """The rules in their order, then the default."""
    routing = bundle.routing
    found = [Route(f"rule `{rule.name}`", rule.route, rule.at("route"), rule) for rule in routing.rules]
    return [*found, Route("the default", routing.default, routing.at("default"), None)]


def members(bundle: Bundle, target: str) -> tuple[str, ...]:
    """The models behind a tier or a model's name, in the order they are tried; none for `requested`."""
    return bundle.models.tiers.get(target, (target,) if target in bundle.models.models else ())


def models(bundle: Bundle, target: str) -> list[tuple[str, Model]]:
    """The declarations of `members`."""
    declared = bundle.models.models
    return [(name, declared[name]) for name in members(bundle, target) if name in declared]


def leaves_choice(bundle: Bundle) -> bool:
    """Whether some requests go to the model that their caller names, so that every model may be meant."""
    return any(route.target == REQUESTED for route in routes(bundle))


def dearness(price: Price) -> int:
    """Picodollars for three input tokens and one of output: one figure to order models by."""
    return _INPUT_WEIGHT * price.rates.input + (price.rates.output or 0)


def price_of(bundle: Bundle, facts: Facts, name: str) -> int | None:
    """The dearness of a model; `None` where its price is not known."""
    price = facts.price_of(name, bundle.models.models[name]) if facts.price_of else None
    return None if price is None else dearness(price)


def first_price(bundle: Bundle, facts: Facts, target: str) -> int | None:
    """The dearness of the model that a target tries first."""
    names = members(bundle, target)
    return price_of(bundle, facts, names[0]) if names else None


def ladder_prices(bundle: Bundle, facts: Facts) -> list[int]:
    """The different prices of all declared models, cheapest first; models without a known price are left out."""
    known = (price_of(bundle, facts, name) for name in bundle.models.models)
    return sorted({price for price in known if price is not None})
