"""A model that a request can be sent to, with all that a call and its bill need."""

from __future__ import annotations

from dataclasses import dataclass

from costpol.inference.prices import Price


@dataclass(frozen=True, slots=True)
class Target:
    """One model of the policy. `model_class` says whose answers are interchangeable with its own: its tier where it was
    reached through one, else itself."""

    model: str
    model_class: str
    provider: str
    upstream_name: str
    price: Price
    timeout: float
    context: int | None = None
    max_output: int | None = None
    lacks: frozenset[str] = frozenset()
