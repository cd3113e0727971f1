"""The response headers that say what was decided."""

from __future__ import annotations

from decimal import Decimal

from costpol.pipeline.decision import Decision
from costpol.units import plain


def decision_headers(decision: Decision) -> tuple[tuple[str, str], ...]:
    """`x-costpol-intent`, `-route`, `-model`, `-cache`: all that is known before the answer.

    A hit names the model that once gave the answer, and `-hit` says whether the question was the same or alike.
    `-entry` names the kept answer, of a hit or of one that was stored, for whoever finds it wrong.
    """
    cache, _, kind = decision.cache.partition("; ")
    hit = cache == "hit"
    pairs = (
        ("x-costpol-intent", decision.intent),
        ("x-costpol-route", decision.rule),
        ("x-costpol-model", decision.model),
        ("x-costpol-cache", cache if hit else decision.cache),
        ("x-costpol-hit", kind if hit else None),
        ("x-costpol-entry", decision.entry),
    )
    return tuple((name, value) for name, value in pairs if value is not None)


def cost_headers(cost_usd: Decimal, saved_usd: Decimal | None) -> tuple[tuple[str, str], ...]:
    """`x-costpol-cost-usd` and `-saved-usd`, exact; what is saved is left out where the baseline has no price."""
    cost = ("x-costpol-cost-usd", plain(cost_usd))
    return (cost,) if saved_usd is None else (cost, ("x-costpol-saved-usd", plain(saved_usd)))
