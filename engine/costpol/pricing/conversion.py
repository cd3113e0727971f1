"""A price of the `genai-prices` data as a `Price`: same rates, same tiers, in whole picodollars.

The data gives US dollars per million tokens. The few of its figures that are finer than a picodollar per token (float
noise and thirds of a cent, all from resellers) are rounded up, by less than a picodollar per token.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from costpol.inference.prices import Price
from costpol.inference.rates import Rates, Tier
from costpol.pricing.types import ModelPrice, TieredPrices
from costpol.units import picodollars

_RATES = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h",
    "input_audio_mtok": "input_audio",
    "cache_audio_read_mtok": "cache_audio_read",
    "output_audio_mtok": "output_audio",
    "output_image_mtok": "output_image",
}


def price_from(figures: ModelPrice, source: str, as_of: date | None, effective_until: datetime | None) -> Price | None:
    """The price, or `None` where the data has no price for input tokens (models paid by the hour or by the page, and
    models that are listed without a price: unknown is not free)."""
    if "input_mtok" not in figures:
        return None
    tiers = (tier for value in figures.values() if isinstance(value, TieredPrices) for tier in value.tiers)
    bounds = sorted({tier.start for tier in tiers})
    request, search = figures.get("requests_kcount"), figures.get("web_searches_kcount")
    return Price(
        rates=_rates(figures, 0),
        tiers=tuple(Tier(bound, _rates(figures, bound + 1)) for bound in bounds),
        request=0 if request is None else _fee(request),
        web_search=None if search is None else _fee(search),
        source=source,
        as_of=as_of,
        effective_until=effective_until,
        unmetered=tuple(sorted(key for key in figures if key.endswith("_mtok") and key not in _RATES)),
    )


def _rates(figures: ModelPrice, input_tokens: int) -> Rates:
    amounts = {rate: _at(figures[key], input_tokens) for key, rate in _RATES.items() if key in figures}
    return Rates.per_million(input=amounts.pop("input"), output=amounts.pop("output", None), **amounts)


def _at(value: Decimal | TieredPrices, input_tokens: int) -> Decimal:
    """The figure for a request of this size: that of the highest tier whose start is below it."""
    if isinstance(value, Decimal):
        return value
    reached = [tier.price for tier in value.tiers if input_tokens > tier.start]
    return reached[-1] if reached else value.base


def _fee(per_thousand: Decimal | TieredPrices) -> int:
    return picodollars(_at(per_thousand, 0) / 1000)
