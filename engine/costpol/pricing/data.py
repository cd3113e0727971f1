"""The installed `genai-prices` data: its providers, and what identifies it.

Only the package's data file is run, by the words of `types`: importing the package takes ten times as long, for an HTTP
client and a schema library that no price needs. The first look-up does it. Nothing here reaches for the network: the
data is what was installed, whatever the package could download.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from datetime import UTC, date, datetime
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import NamedTuple

from costpol.errors import ProvisionError
from costpol.pricing.types import ConditionalPrice, ModelInfo, Provider, StartDateConstraint

SOURCE = "genai-prices"
_REINSTALL = "install costpol again"


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
    spec = spec_from_file_location("costpol.pricing.genai_prices_data", _file())  # its package, for `from .types`
    if spec is None or spec.loader is None:
        raise ProvisionError(f"the price data `{_file()}` cannot be loaded", _REINSTALL)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return tuple(module.providers)


@cache
def installed_version() -> str:
    """The version of the installed package, which dates the data."""
    folders = list(_file().parents[1].glob("genai_prices-*.dist-info"))
    if len(folders) == 1:  # its name has the version: a tenth of the time that importing `importlib.metadata` takes
        return folders[0].name.removeprefix("genai_prices-").removesuffix(".dist-info")
    from importlib.metadata import version

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
    dated = (each.constraint for provider in providers() for model in provider.models for each in dated_prices(model))
    return tuple(sorted({each.start_date for each in dated if isinstance(each, StartDateConstraint)}))


@cache
def _digest() -> str:
    return hashlib.sha256(_file().read_bytes()).hexdigest()


@cache
def _file() -> Path:
    spec = find_spec("genai_prices")
    if spec is None or spec.origin is None:
        raise ProvisionError("the package `genai-prices`, which holds the prices, is not installed", _REINSTALL)
    return Path(spec.origin).with_name("data.py")
