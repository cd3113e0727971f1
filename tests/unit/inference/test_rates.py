from __future__ import annotations

from dataclasses import fields
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpol.inference.rates import Rates, gpu_rate

AMOUNTS = st.decimals(min_value=0, max_value=10_000, places=12)


def test_every_kind_can_be_given_per_million() -> None:
    kinds = [each.name for each in fields(Rates)]
    rates = Rates.per_million(**{kind: Decimal(index) for index, kind in enumerate(kinds)})
    assert [getattr(rates, kind) for kind in kinds] == [index * 1_000_000 for index in range(len(kinds))]


@given(AMOUNTS)
def test_a_rate_is_never_below_its_amount_and_less_than_a_picodollar_above(amount: Decimal) -> None:
    rate = Rates.per_million(input=amount, output=None).input
    assert 0 <= rate - amount * 10**6 < 1


@given(AMOUNTS, st.integers(1, 10**6))
def test_the_tokens_of_an_hour_pay_for_the_hour(amount: Decimal, speed: int) -> None:
    tokens = 3600 * speed
    assert 0 <= gpu_rate(amount, speed) * tokens - amount * 10**12 < tokens


def test_a_kind_left_out_is_not_free() -> None:
    assert Rates.per_million(input=Decimal(1), output=None) == Rates(1_000_000, None)


@pytest.mark.parametrize("kind", ["cache_read", "output_image"])
def test_a_negative_rate_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match=f"`{kind}` is negative"):
        Rates(0, 0, **{kind: -1})
