from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpol.policy import scalars
from costpol.policy.correction import correction, cure

SCALARS = [
    each.__metadata__[0]
    for each in vars(scalars).values()
    if hasattr(each, "__metadata__") and isinstance(each.__metadata__[0], scalars.Scalar)
]


def _of(alias: Any) -> scalars.Scalar:
    scalar: scalars.Scalar = alias.__metadata__[0]
    return scalar


@pytest.mark.parametrize(
    ("alias", "written", "meant"),
    [
        (scalars.Duration, "3600", "3600s"),
        (scalars.Duration, "1 day", "1d"),
        (scalars.Duration, "15 Minutes", "15m"),
        (scalars.Duration, "24H", "24h"),
        (scalars.Usd, "500", "500 USD"),
        (scalars.Usd, "$1,000", "1000 USD"),
        (scalars.Usd, "20 dollars", "20 USD"),
        (scalars.Count, "1K", "1k"),
        (scalars.Count, "1,000", "1000"),
        (scalars.Count, "4096 tokens", "4096"),
        (scalars.Name, "frequently asked", "frequently-asked"),
        (scalars.Url, "api.example.com/v1", "https://api.example.com/v1"),
        (scalars.TimeZone, "berlin", "Europe/Berlin"),
        (scalars.TimeZone, "Europe/Berln", "Europe/Berlin"),
        (scalars.TimeZone, "america/new_york", "America/New_York"),
        (scalars.Instant, "2026-01-31T12:00:00", "2026-01-31T12:00:00Z"),
        (scalars.Usd, "500 EUR", None),
        (scalars.KeySource, "sk-proj-abcdefg", None),
        (scalars.Pattern, "(", None),
    ],
)
def test_what_was_probably_meant(alias: Any, written: str, meant: str | None) -> None:
    assert correction(_of(alias), written) == meant


def test_every_scalar_has_a_cure() -> None:
    assert len(SCALARS) >= 9
    for scalar in SCALARS:
        assert cure(scalar, "")


@given(st.sampled_from(SCALARS), st.text(max_size=40))
def test_a_correction_always_reads(scalar: scalars.Scalar, text: str) -> None:
    meant = correction(scalar, text)
    if meant is not None:
        scalar.read(meant)
