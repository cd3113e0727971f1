"""What a token costs, kind by kind: whole picodollars (1e-12 USD), so that no cost ever needs rounding.

A rate that is finer than a picodollar per token is rounded up, once, when it is read.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal
from fractions import Fraction
from math import ceil

from costpol.units import PICODOLLARS_PER_USD


@dataclass(frozen=True, slots=True)
class Rates:
    """Picodollars per token. `None`: not priced apart, charged with the whole it is part of.

    `output` is `None` only for models without output (embeddings).
    """

    input: int
    output: int | None
    cache_read: int | None = None
    cache_write: int | None = None
    cache_write_1h: int | None = None
    input_audio: int | None = None
    cache_audio_read: int | None = None
    output_audio: int | None = None
    output_image: int | None = None

    def __post_init__(self) -> None:
        for each in fields(self):
            rate = getattr(self, each.name)
            if rate is not None and rate < 0:
                raise ValueError(f"the rate `{each.name}` is negative")

    @classmethod
    def per_million(
        cls,
        *,
        input: Decimal,
        output: Decimal | None,
        cache_read: Decimal | None = None,
        cache_write: Decimal | None = None,
        cache_write_1h: Decimal | None = None,
        input_audio: Decimal | None = None,
        cache_audio_read: Decimal | None = None,
        output_audio: Decimal | None = None,
        output_image: Decimal | None = None,
    ) -> Rates:
        """Rates from US dollars per million tokens. Raises `ValueError` for what is not an amount of zero or more."""
        return cls(
            input=_per_million(input),
            output=None if output is None else _per_million(output),
            cache_read=None if cache_read is None else _per_million(cache_read),
            cache_write=None if cache_write is None else _per_million(cache_write),
            cache_write_1h=None if cache_write_1h is None else _per_million(cache_write_1h),
            input_audio=None if input_audio is None else _per_million(input_audio),
            cache_audio_read=None if cache_audio_read is None else _per_million(cache_audio_read),
            output_audio=None if output_audio is None else _per_million(output_audio),
            output_image=None if output_image is None else _per_million(output_image),
        )


@dataclass(frozen=True, slots=True)
class Tier:
    """The rates of a request with more than `over` input tokens, for all of its tokens."""

    over: int
    rates: Rates


def _per_million(amount: Decimal) -> int:
    """Picodollars for one token, rounded up."""
    if not amount.is_finite() or amount < 0:
        raise ValueError("a price is an amount of zero or more")
    return ceil(Fraction(amount) * PICODOLLARS_PER_USD / 10**6)


def gpu_rate(usd_per_hour: Decimal, tokens_per_second: Decimal | int) -> int:
    """Picodollars of machine time that one token takes, rounded up.

    Raises `ValueError` for a price below zero or a throughput that is not above zero.
    """
    speed = Decimal(tokens_per_second)
    if not usd_per_hour.is_finite() or usd_per_hour < 0:
        raise ValueError("the price of an hour is an amount of zero or more")
    if not speed.is_finite() or speed <= 0:
        raise ValueError("the throughput must be more than zero tokens per second")
    return ceil(Fraction(usd_per_hour) * PICODOLLARS_PER_USD / (3600 * Fraction(speed)))
