"""The installed `genai-prices` data: its providers, and what identifies it.

Importing it takes about 0.3 s (the package imports an HTTP client and pydantic), so the first look-up does it. Nothing
here reaches for the network: the data is what was installed, whatever the package could download.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from datetime import UTC, date, datetime
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from genai_prices.types import ConditionalPrice, ModelInfo, Provider

SOURCE = "genai-prices"


class BookVersion(NamedTuple):
    """Which price data is in use. `digest` is the SHA-256 of the data file; `as_of` is the day of the newest price
    that is in force, so that the data is at least that new."""

    source: str
    version: str
    digest: str
    as_of: date | None


def book_version(at: datetime) -> BookVersion:
    """Which price data is in use, seen at an instant."""
    return BookVersion(SOURCE, installed_version(), _digest(), newest_price(utc(at).date()))


def utc(at: datetime) -> datetime:
    """The instant in UTC; one without a time zone is taken as UTC, as the data's own rules take it."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


@cache
def providers() -> tuple[Provider, ...]:
    """All providers with their models, in the order in which the data's rules try them."""
    from genai_prices.data import providers as loaded

    return tuple(loaded)


@cache
def installed_version() -> str:
    """The version of the installed package, which dates the data."""
    return version(SOURCE)


def dated_prices(model: ModelInfo) -> list[ConditionalPrice]:
    """The prices of a model that depend on the time; none where it has one price."""
    return model.prices if isinstance(model.prices, list) else []


def newest_price(day: date) -> date | None:
    """The last day up to this one on which any price of the data came into force."""
    starts = _start_dates()
    index = bisect_right(starts, day)
    return starts[index - 1] if index else None


@cache
def _start_dates() -> tuple[date, ...]:
    from genai_prices.types import StartDateConstraint

    dated = (each.constraint for provider in providers() for model in provider.models for each in dated_prices(model))
    return tuple(sorted({each.start_date for each in dated if isinstance(each, StartDateConstraint)}))


@cache
def _digest() -> str:
    return hashlib.sha256(files("genai_prices").joinpath("data.py").read_bytes()).hexdigest()
