"""What the linter may know beyond the text of a policy. Imports little: `costpol validate` waits for it."""

from __future__ import annotations

from datetime import UTC, datetime

from costpol.embedding.measured import cache_thresholds
from costpol.inference.prices import Price
from costpol.lint.facts import Facts
from costpol.policy.nodes.models import Model
from costpol.runtime.prices import find_model_price


def lint_facts(now: float) -> Facts:
    """Prices, how old they are, and the built-in embedder's measurements, at an instant in epoch seconds."""
    from costpol.pricing.data import newest_price

    today = datetime.fromtimestamp(now, UTC).date()
    known: dict[tuple[str, str | None, object], Price | None] = {}

    def price_of(name: str, model: Model) -> Price | None:
        """Rules ask for the same prices again and again."""
        key = (name, model.name, model.price)
        if key not in known:
            known[key] = find_model_price(name, model, now)
        return known[key]

    return Facts(
        price_of=price_of,
        prices_as_of=newest_price(today),
        today=today,
        cache_thresholds=cache_thresholds(),
    )
