"""What the linter may know beyond the text of a policy. Imports little: `costpol validate` waits for it."""

from __future__ import annotations

from datetime import UTC, datetime

from costpol.embedding.measured import cache_thresholds
from costpol.lint.facts import Facts
from costpol.runtime.prices import find_model_price


def lint_facts(now: float) -> Facts:
    """Prices, how old they are, and the built-in embedder's measurements, at an instant in epoch seconds."""
    from costpol.pricing.data import newest_price

    today = datetime.fromtimestamp(now, UTC).date()
    return Facts(
        price_of=lambda name, model: find_model_price(name, model, now),
        prices_as_of=newest_price(today),
        today=today,
        cache_thresholds=cache_thresholds(),
    )
