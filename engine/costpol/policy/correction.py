"""What a value was probably meant to be that cannot be read as it stands, and how to write such values at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from costpol.policy.scalars import Scalar
from costpol.policy.suggestion import nearest

_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_SPELLED = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)")
_UNITS = {
    "ms": "millisecond milliseconds msec msecs",
    "s": "second seconds sec secs S",
    "m": "minute minutes mins M",
    "h": "hour hours hr hrs H",
    "d": "day days D",
    "w": "week weeks wk wks W",
}
_UNIT = {word: unit for unit, words in _UNITS.items() for word in words.split()}
_HELP = {
    "a name": "write letters, digits and `-_./:@` only",
    "a pattern": "close every bracket, and write `\\` before a character that stands for itself",
    "an address": "write it with `https://`, and without a key",
    "a key source": "put the key into an environment variable, and write `$` and the name of that here",
    "an amount": "write an amount in US dollars, such as `0.50 USD`",
    "a duration": "write a number and its unit: `ms`, `s`, `m`, `h`, `d` or `w`",
    "a whole number": "write digits, or a number with `k` or `M`",
    "a share": "write a share such as `0.92` or `92%`",
    "a time zone": "write a name of the IANA time zone database, such as `Europe/Berlin`",
    "an instant": "write date, time and offset, such as `2026-01-31T23:59:00Z`",
}


def correction(scalar: Scalar, text: str) -> str | None:
    """A value near this text that reads; `None` where none comes to mind."""
    return next((each for each in _candidates(scalar.name, text.strip()) if _reads(scalar, each)), None)


def cure(scalar: Scalar, problem: str) -> str | None:
    """How values of this kind are written. `problem` is why one could not be read."""
    if scalar.name == "a pattern" and "(?" in problem:
        return "write it without look-around and back-references, which RE2 does not have"
    return _HELP.get(scalar.name)


def _candidates(kind: str, text: str) -> Iterator[str]:
    spelled = _SPELLED.fullmatch(text)
    if kind == "a duration":
        if spelled:
            yield spelled[1] + _UNIT.get(spelled[2], _UNIT.get(spelled[2].lower(), spelled[2]))
        elif _NUMBER.fullmatch(text):
            yield f"{text}s"
    elif kind == "an amount":
        number = _NUMBER.search(text.replace(",", ""))
        if number and re.fullmatch(r"(?i)(US)?\$?\s*[0-9.,]+\s*(US)?(\$|USD|dollars?)?", text):
            yield f"{number[0]} USD"
    elif kind == "a whole number":
        yield re.sub(r"(?i)\s*(tokens|calls)$", "", text.replace(",", ""))
        yield text[:-1] + {"K": "k", "m": "M"}.get(text[-1:], "")
    elif kind == "a name":
        yield re.sub(r"\s+", "-", text)
    elif kind == "an address" and "://" not in text:
        yield f"https://{text}"
    elif kind == "an instant":
        yield f"{text}Z"
    elif kind == "a time zone":
        zones = _time_zones()
        yield next((zone for zone in zones if zone.lower() == text.lower().replace(" ", "_")), "")
        yield next((zone for zone in zones if zone.rpartition("/")[2].lower() == text.lower().replace(" ", "_")), "")
        yield nearest(text, [zone for zone in zones if zone[:1].lower() == text[:1].lower()]) or ""


@cache
def _time_zones() -> tuple[str, ...]:
    from zoneinfo import available_timezones

    return tuple(sorted(available_timezones()))


def _reads(scalar: Scalar, text: str) -> bool:
    try:
        scalar.read(text)
    except ValueError:
        return False
    return bool(text)
