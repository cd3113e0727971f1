"""A trace as people and programs read it. While a request is decided only plain facts are noted; wording waits until
somebody asks."""

from __future__ import annotations

from typing import Any

from costpol.inference.prices import Part
from costpol.pipeline.decision import Note
from costpol.units import plain, plain_usd


def readable(note: Note) -> dict[str, Any]:
    """One line of a trace as plain data: money in dollars, a bill as its arithmetic."""
    facts: dict[str, Any] = {"stage": note.stage, "what": note.what}
    for name, value in note.facts.items():
        if name == "picodollars":
            facts["usd"] = plain_usd(value)
        elif name == "bill":
            facts["bill"] = [arithmetic(part) for part in value]
        else:
            facts[name] = list(value) if isinstance(value, tuple | frozenset) else value
    return facts


def arithmetic(part: Part) -> str:
    """`20 input x 0.1 USD per million = 0.000002 USD`."""
    rate = plain(part.rate_usd * 1_000_000)
    return f"{part.quantity} {part.kind.replace('_', ' ')} x {rate} USD per million = {plain(part.usd)} USD"
