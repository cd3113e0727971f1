"""The converted prices against the price data's own arithmetic, on every model of the data."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from genai_prices.types import ModelPrice as DataPrice
from genai_prices.types import Usage as DataUsage

from costpol.inference.prices import Price
from costpol.inference.rates import Rates, Tier
from costpol.inference.usage import Usage
from costpol.pricing.conversion import price_from
from costpol.pricing.data import dated_prices, providers
from costpol.pricing.types import ModelPrice, TieredPrices
from costpol.pricing.types import Tier as DataTier

USAGES = (
    Usage(1_003, 207),
    Usage(90_001, 1_501, cache_read_tokens=31_007, cache_write_tokens=20_011, cache_write_1h_tokens=5_003),
    Usage(210_007, 3_001, cache_read_tokens=100_003, cache_write_tokens=50_021, cache_write_1h_tokens=20_011),
    Usage(
        1_400_017,
        9_001,
        cache_read_tokens=700_001,
        input_audio_tokens=5_009,
        cache_audio_read_tokens=1_013,
        output_audio_tokens=211,
        output_image_tokens=1_307,
    ),
)


def figures() -> Iterator[tuple[str, ModelPrice]]:
    for provider in providers():
        for model in provider.models:
            name = f"{provider.id}:{model.id}"
            if isinstance(model.prices, ModelPrice):
                yield name, model.prices
            for dated in dated_prices(model):
                yield name, dated.prices


def data_figures() -> Iterator[DataPrice]:
    """The same figures, as the package itself loads them."""
    from genai_prices.data import providers as loaded

    for provider in loaded:
        for model in provider.models:
            if isinstance(model.prices, DataPrice):
                yield model.prices
            else:
                yield from (dated.prices for dated in model.prices)


def fits(price: ModelPrice) -> bool:
    """Whether every figure is a whole number of picodollars per token."""
    amounts: list[Decimal] = []
    for value in price.values():
        amounts += [value.base, *(tier.price for tier in value.tiers)] if isinstance(value, TieredPrices) else [value]
    return all(amount * 10**6 % 1 == 0 for amount in amounts)


def as_data(usage: Usage) -> DataUsage:
    names = [name for name in Usage.__slots__ if name.endswith("_tokens")]
    counts = {name: getattr(usage, name) or 0 for name in names if name != "reasoning_tokens"}
    return DataUsage(**counts)


@pytest.mark.parametrize("usage", USAGES)
def test_costs_equal_the_datas_own_to_the_last_digit(usage: Usage) -> None:
    compared = 0
    for (name, each), theirs in zip(figures(), data_figures(), strict=True):
        price = price_from(each, name, None, None)
        if price is None or price.unmetered or not fits(each):
            continue
        cost = price.cost(usage)
        assert (name, cost.usd) == (name, theirs.calc_price(as_data(usage))["total_price"])
        assert set(cost.gaps) <= {"output is not priced"}
        compared += 1
    assert compared > 1_000


def test_the_large_providers_figures_are_whole_picodollars() -> None:
    finer = {name for name, each in figures() if not fits(each)}
    assert not {name for name in finer if name.split(":")[0] in ("openai", "anthropic", "google", "azure", "aws")}


def test_a_finer_figure_is_rounded_up() -> None:
    price = price_from(ModelPrice(input_mtok=Decimal("0.0000015"), output_mtok=Decimal("2")), "", None, None)
    assert price is not None
    assert price.rates == Rates(2, 2_000_000)


def test_kinds_with_different_bounds_share_one_ladder_of_tiers() -> None:
    price = price_from(
        ModelPrice(
            input_mtok=TieredPrices(base=Decimal(1), tiers=[DataTier(start=100, price=Decimal(2))]),
            output_mtok=TieredPrices(base=Decimal(3), tiers=[DataTier(start=500, price=Decimal(4))]),
        ),
        "",
        None,
        None,
    )
    assert price is not None
    assert price.rates == Rates(1_000_000, 3_000_000)
    assert price.tiers == (Tier(100, Rates(2_000_000, 3_000_000)), Tier(500, Rates(2_000_000, 4_000_000)))


def test_fees_are_picodollars_each() -> None:
    listed = ModelPrice(input_mtok=Decimal(1), requests_kcount=Decimal(5), web_searches_kcount=Decimal(10))
    assert price_from(listed, "", None, None) == Price(
        Rates(1_000_000, None), request=5_000_000_000, web_search=10_000_000_000, source=""
    )


@pytest.mark.parametrize(
    "listed", [ModelPrice(), ModelPrice(audio_hours=Decimal(1)), ModelPrice(output_mtok=Decimal(1))]
)
def test_a_model_without_a_price_for_input_is_unpriced_and_not_free(listed: ModelPrice) -> None:
    assert price_from(listed, "", None, None) is None


def test_kinds_that_a_usage_does_not_tell_apart_are_named() -> None:
    listed = ModelPrice(input_mtok=Decimal(1), output_mtok=Decimal(1), input_video_mtok=Decimal(9))
    price = price_from(listed, "", None, None)
    assert price is not None
    assert price.unmetered == ("input_video_mtok",)
