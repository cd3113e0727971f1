"""Money, durations, counts and shares: how a policy writes them, how the engine holds them.

Money is `Decimal` US dollars, never a float. The ledger counts in whole picodollars (1e-12 USD), which holds every
published price per token exactly. Instants are epoch seconds and durations seconds, both `float`: they order events,
they are never summed into a bill.

Every `parse_*` raises `ValueError` whose text says what was expected; the caller adds the place.
"""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal, InvalidOperation

USD_PER_PICODOLLAR = Decimal("1e-12")
PICODOLLARS_PER_USD = 10**12

_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_MONEY = re.compile(rf"(?:\$\s?(?P<dollar>{_NUMBER})|(?P<number>{_NUMBER})\s?USD)")
_DURATION = re.compile(rf"(?P<number>{_NUMBER})\s?(?P<unit>ms|s|m|min|h|d|w)")
_COUNT = re.compile(rf"(?P<number>{_NUMBER})(?P<factor>[kM]?)")
_SIZE = re.compile(rf"(?P<number>{_NUMBER})\s?(?P<unit>KiB|MiB|GiB|kB|MB|GB|B)")
_PERCENT = re.compile(rf"(?P<number>{_NUMBER})\s?%")

_SECONDS = {unit: Decimal(size) for unit, size in (
    ("ms", "0.001"), ("s", 1), ("m", 60), ("min", 60), ("h", 3600), ("d", 86400), ("w", 604800)
)}  # fmt: skip
_BYTES = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_FACTORS = {"": 1, "k": 1000, "M": 1_000_000}


def parse_usd(text: str) -> Decimal:
    """`0.50 USD` or `$0.50` as exact dollars."""
    match = _MONEY.fullmatch(text.strip())
    if match is None:
        raise ValueError("expected an amount with its currency, such as `0.50 USD`")
    return _decimal(match["dollar"] or match["number"])


def parse_duration(text: str) -> float:
    """`90s`, `15m`, `24h`, `7d` as seconds. A bare number is refused: `90` of what?"""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError("expected a duration with its unit, such as `90s`, `15m`, `24h` or `7d`")
    return float(_decimal(match["number"]) * _SECONDS[match["unit"]])


def parse_count(text: str) -> int:
    """`300`, `10k` or `1.5M` as a whole number."""
    match = _COUNT.fullmatch(text.strip())
    if match is None:
        raise ValueError("expected a whole number, such as `300`, `10k` or `1M`")
    number = _decimal(match["number"]) * _FACTORS[match["factor"]]
    if number != number.to_integral_value():
        raise ValueError("expected a whole number, such as `300`, `10k` or `1M`")
    return int(number)


def parse_size(text: str) -> int:
    """`512KiB`, `10MiB` or `20MB` as bytes. A bare number is refused: `10` of what?"""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError("expected a size with its unit, such as `512KiB` or `10MiB`")
    return int(_decimal(match["number"]) * _BYTES[match["unit"]])


def parse_share(text: str) -> Decimal:
    """`75%` or `0.75` as a fraction between 0 and 1."""
    match = _PERCENT.fullmatch(text.strip())
    share = _decimal(match["number"]) / 100 if match else _decimal(text.strip())
    if not 0 <= share <= 1:
        raise ValueError("expected a share between 0 and 1, such as `0.92` or `92%`")
    return share


def picodollars(amount: Decimal) -> int:
    """Whole picodollars, rounded up: a hold must never be smaller than what it stands for."""
    return int((amount * PICODOLLARS_PER_USD).to_integral_value(rounding=ROUND_CEILING))


def usd(count: int) -> Decimal:
    """Dollars of a whole number of picodollars, exactly."""
    return count * USD_PER_PICODOLLAR


def format_usd(amount: Decimal, places: int = 2) -> str:
    """`$1,349.04`, `-$0.10`: for people; never parsed back."""
    sign = "-" if amount < 0 else ""
    return f"{sign}${abs(amount):,.{places}f}"


def short_usd(count: int) -> Decimal:
    """Dollars of a whole number of picodollars, exactly and without trailing zeros, as JSON documents carry money."""
    return Decimal(plain_usd(count))


def plain(amount: Decimal) -> str:
    """All digits without an exponent, as headers and JSON carry money."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def plain_usd(count: int) -> str:
    """Dollars of a whole number of picodollars, all digits without an exponent: `plain(usd(count))`, for hot paths."""
    if not count:
        return "0"
    digits = f"{abs(count):013d}"
    text = f"{digits[:-12]}.{digits[-12:]}".rstrip("0").rstrip(".")
    return f"-{text}" if count < 0 else text


def format_duration(seconds: float) -> str:
    """`90s`, `15m`, `24h`, `7d`: the largest unit that divides the duration."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:g}s"


def format_size(count: int) -> str:
    """`10 MiB`: the largest unit that divides a number of bytes."""
    unit = next(unit for unit in ("GiB", "MiB", "KiB", "B") if count % _BYTES[unit] == 0)
    return f"{count // _BYTES[unit]:,} {unit}"


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"expected a number, not `{text}`") from None
    if not (number.is_finite() and text.isascii() and "_" not in text):
        raise ValueError(f"expected a finite number in plain digits, not `{text}`")
    return number
