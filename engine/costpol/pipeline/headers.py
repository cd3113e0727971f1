"""The response headers that say what was decided."""

from __future__ import annotations

from costpol.pipeline.decision import Decision
from costpol.units import plain_usd


def decision_headers(decision: Decision) -> tuple[tuple[str, str], ...]:
    """`x-costpol-intent`, `-route`, `-model`, `-cache`: all that is known before the answer.

    A hit names the model that once gave the answer, and `-hit` says whether the question was the same or alike.
    `-entry` names the kept answer, of a hit or of one that was stored, for whoever finds it wrong.
    """
    cache, _, kind = decision.cache.partition("; ")
    hit = cache == "hit"
    pairs = []
    if decision.intent is not None:
        pairs.append(("x-costpol-intent", decision.intent))
    if decision.rule is not None:
        pairs.append(("x-costpol-route", decision.rule))
    if decision.model is not None:
        pairs.append(("x-costpol-model", decision.model))
    pairs.append(("x-costpol-cache", cache if hit else decision.cache))
    if hit:
        pairs.append(("x-costpol-hit", kind))
    if decision.entry is not None:
        pairs.append(("x-costpol-entry", decision.entry))
    return tuple(pairs)


def cost_headers(cost: int, saved: int | None) -> tuple[tuple[str, str], ...]:
    """`x-costpol-cost-usd` and `-saved-usd` of picodollars, exact; what is saved is left out where the baseline has no
    price."""
    paid = ("x-costpol-cost-usd", plain_usd(cost))
    return (paid,) if saved is None else (paid, ("x-costpol-saved-usd", plain_usd(saved)))
