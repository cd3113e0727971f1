"""Our reading of the price data against the package's own, on all of the data."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from genai_prices import types as package
from genai_prices.data import providers as packaged
from genai_prices.data_snapshot import find_provider_by_id

from costpol.pricing import types
from costpol.pricing.data import providers

INSTANTS = [
    datetime(year, month, 15, hour, 30, tzinfo=zone)
    for year in (2023, 2024, 2025, 2026, 2027)
    for month in (1, 5, 9)
    for hour, zone in ((1, UTC), (17, UTC), (23, timezone(timedelta(hours=9))))
]
CONTEXTS: list[dict[str, str] | None] = [None, {"processing": "batch"}, {"service_tier": "priority"}, {"a": "b"}]


def _plain(figures: Any) -> dict[str, Any]:
    """A price of either side as plain data."""
    given = figures if isinstance(figures, dict) else vars(figures)
    return {
        key: value if isinstance(value, Decimal) else (value.base, [(tier.start, tier.price) for tier in value.tiers])
        for key, value in given.items()
        if value is not None
    }


def test_every_price_at_every_time_is_the_packages() -> None:
    compared = 0
    for ours, theirs in zip(providers(), packaged, strict=True):
        assert ours.id == theirs.id
        for our_model, their_model in zip(ours.models, theirs.models, strict=True):
            assert (our_model.id, our_model.context_window) == (their_model.id, their_model.context_window)
            dated = not isinstance(their_model.prices, package.ModelPrice) or their_model.price_variants
            for instant in INSTANTS if dated else INSTANTS[:1]:
                for context in CONTEXTS:
                    expected = _plain(their_model.get_prices(instant, context))
                    assert _plain(our_model.get_prices(instant, context)) == expected, our_model.id
                    compared += 1
    assert compared > 10_000


def _names() -> list[str]:
    listed = [model.id for provider in packaged for model in provider.models]
    return [
        *listed[::7],
        *(f"{name}-20250414" for name in listed[::31]),
        *(f"{name}-2025-04-14" for name in listed[::31]),
        *(f"{name}-latest".upper() for name in listed[::31]),
        "gpt-4.1-20259999", "gpt-5.2-20251211", "claude", "", "-", "hammer",
    ]  # fmt: skip


@pytest.mark.parametrize("number", range(0, len(packaged), 3))
def test_every_name_means_the_packages_model(number: int) -> None:
    ours, theirs = providers()[number], packaged[number]
    for name in _names():
        found = ours.find_model(name, providers())
        expected = theirs.find_model(name, all_providers=packaged)
        assert (found and found.id) == (expected and expected.id), name


@pytest.mark.parametrize("name", ["openai", " OpenAI ", "azure-ai", "bedrock", "aws", "gemini", "vertex", "x", "mine"])
def test_every_provider_name_means_the_packages_provider(name: str) -> None:
    found, expected = types.find_provider(providers(), name), find_provider_by_id(packaged, name)
    assert (found and found.id) == (expected and expected.id)


@pytest.mark.parametrize("hour", range(24))
@pytest.mark.parametrize(
    ("start", "end"),
    [
        (time(22), time(4)),
        (time(4), time(22)),
        (time(8, tzinfo=timezone(timedelta(hours=-9))), time(12, tzinfo=timezone(timedelta(hours=3)))),
        (time(5), time(5)),
    ],
)
def test_a_daily_interval_is_the_packages(start: time, end: time, hour: int) -> None:
    at = datetime(2026, 3, 1, hour, 0, tzinfo=UTC)
    ours, theirs = types.TimeOfDateConstraint(start, end), package.TimeOfDateConstraint(start, end)
    assert ours.active(at) == theirs.active(at)
    assert ours.active(at.replace(tzinfo=None)) == theirs.active(at.replace(tzinfo=None))


def test_of_two_variants_the_first_wins_figure_by_figure() -> None:
    model = types.ModelInfo(
        "m",
        types.ClauseEquals("m"),
        prices=types.ModelPrice(input_mtok=Decimal(9), output_mtok=Decimal(9), cache_read_mtok=Decimal(9)),
        price_variants=[
            types.PriceVariant({"a": "b"}, types.ModelPrice(input_mtok=Decimal(1))),
            types.PriceVariant({"a": "b"}, types.ModelPrice(input_mtok=Decimal(2), output_mtok=Decimal(2))),
            types.PriceVariant(
                {"a": "b"}, types.ModelPrice(cache_read_mtok=Decimal(3)), types.StartDateConstraint(date(2031, 1, 1))
            ),
        ],
    )
    figures = model.get_prices(datetime(2030, 1, 1, tzinfo=UTC), {"a": "b"})
    assert figures == {"input_mtok": 1, "output_mtok": 2, "cache_read_mtok": 9}


def test_a_model_without_any_price_has_none() -> None:
    model = types.ModelInfo("m", types.ClauseOr([types.ClauseEndsWith("M")]))
    assert model.get_prices(datetime(2030, 1, 1)) == {}
    assert model.match.is_match("m")
