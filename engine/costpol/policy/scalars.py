"""The scalars of the language: what a policy may write where a number with a unit, a name or a pattern is expected.

Each is an `Annotated` alias: the plain Python type that the engine holds, and the `Scalar` that reads it from the text
of a YAML scalar and describes it to editors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any
from urllib.parse import urlsplit

from costpol import units


@dataclass(frozen=True, slots=True)
class Scalar:
    """A kind of scalar: its name for messages, how it is read, and how an editor recognises it."""

    name: str
    read: Callable[[str], Any]
    """From the text as written; raises `ValueError` that says what was expected."""
    schema: tuple[tuple[str, Any], ...]
    """Its JSON Schema, as items."""


def _read_name(text: str) -> str:
    if not text or len(text) > 128 or not all(c.isalnum() or c in "-_./:@" for c in text):
        raise ValueError("expected a name of letters, digits and `-_./:@`")
    return text


@lru_cache(maxsize=16)
def _compiled(pattern: str) -> Any:
    """A pattern in RE2. Raises `ValueError` where it is none."""
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error.args[0])
        raise ValueError(f"expected a regular expression in RE2 syntax: {reason}") from None


def _read_pattern(text: str) -> str:
    _compiled(text)
    return text


def pattern_size(pattern: str) -> int:
    """How many instructions RE2 makes of a pattern that reads: a microsecond or two each."""
    return int(_compiled(pattern).programsize)


def read_url(text: str) -> str:
    """An address to which paths are appended. Raises `ValueError` that says what was expected."""
    try:
        parts = urlsplit(text)
        usable = bool(parts.hostname) and parts.port != 0 and text.startswith(("http://", "https://"))
    except ValueError:  # of the port, or of brackets
        usable = False
    if not usable or any(c.isspace() or c in "@?#" for c in text):
        raise ValueError("expected an http or https address without credentials, query or fragment")
    return text.rstrip("/")


def _read_key_source(text: str) -> str:
    if text in ("caller", "none"):
        return text
    variable = text.removeprefix("$")
    if (
        text.startswith("$")
        and variable.replace("_", "a").isalnum()
        and not variable[0].isdigit()
        and variable.isascii()
    ):
        return text
    raise ValueError("expected `$NAME` of an environment variable, `caller` or `none`: no key stands in a policy")


@lru_cache(maxsize=1024)
def _read_time_zone(text: str) -> str:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(text)
    except (ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
        raise ValueError("expected a time zone such as `Europe/Berlin` or `UTC`") from None
    except KeyError:
        raise ValueError("expected a time zone such as `Europe/Berlin` or `UTC`") from None
    return text


def _read_instant(text: str) -> float:
    from datetime import datetime

    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("expected an instant such as `2026-01-31T23:59:00Z`") from None
    if instant.tzinfo is None:
        raise ValueError("expected an instant with its offset, such as `2026-01-31T23:59:00Z`")
    return instant.timestamp()


Name = Annotated[str, Scalar("a name", _read_name, (("type", "string"), ("maxLength", 128)))]
PATTERN = Scalar("a pattern", _read_pattern, (("type", "string"), ("format", "regex")))
Pattern = Annotated[str, PATTERN]
Url = Annotated[str, Scalar("an address", read_url, (("type", "string"), ("pattern", "^https?://")))]
KeySource = Annotated[
    str,
    Scalar(
        "a key source", _read_key_source, (("type", "string"), ("pattern", r"^(\$[A-Za-z_][A-Za-z0-9_]*|caller|none)$"))
    ),
]
Usd = Annotated[
    Decimal,
    Scalar("an amount", units.parse_usd, (("type", "string"), ("pattern", r"^(\$ ?[0-9.]+|[0-9.]+ ?USD)$"))),
]
Duration = Annotated[
    float,
    Scalar("a duration", units.parse_duration, (("type", "string"), ("pattern", r"^[0-9.]+ ?(ms|s|m|min|h|d|w)$"))),
]
Count = Annotated[
    int, Scalar("a whole number", units.parse_count, (("type", ("integer", "string")), ("pattern", r"^[0-9.]+[kM]?$")))
]
Share = Annotated[
    Decimal,
    Scalar(
        "a share",
        units.parse_share,
        (("type", ("number", "string")), ("minimum", 0), ("maximum", 1), ("pattern", r"^[0-9.]+ ?%?$")),
    ),
]
TimeZone = Annotated[str, Scalar("a time zone", _read_time_zone, (("type", "string"),))]
Instant = Annotated[float, Scalar("an instant", _read_instant, (("type", "string"), ("format", "date-time")))]


class Raw:
    """Marks a key that takes any YAML value, kept as plain data.

    That is `dict`, `list`, `str`, `int`, `Decimal`, `bool` and `None`.
    """
