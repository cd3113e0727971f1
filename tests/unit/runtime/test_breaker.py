"""When an attempt may pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpol.runtime.breaker import Breaker

REST = 10.0


def opened(at: float = 0.0, failures: int = 3) -> Breaker:
    breaker = Breaker(failures, REST)
    for _ in range(failures):
        assert breaker.allows(at)
        breaker.failed(at)
    return breaker


def test_it_opens_after_so_many_failures_in_a_row_and_not_before() -> None:
    breaker = Breaker(3, REST)
    for _ in range(5):
        breaker.failed(0.0)
        breaker.failed(0.0)
        breaker.succeeded()
    assert breaker.state(0.0) == "closed"
    for left in (True, True, False):
        breaker.failed(0.0)
        assert breaker.allows(0.0) is left
    assert breaker.state(0.0) == "open"


def test_rested_it_lets_one_attempt_pass() -> None:
    breaker = opened()
    assert not breaker.allows(REST - 0.001)
    assert breaker.state(REST) == "half-open"
    assert breaker.allows(REST)
    assert not breaker.allows(REST)
    assert breaker.state(REST + 1) == "half-open"


def test_the_attempt_that_goes_well_closes_it() -> None:
    breaker = opened()
    assert breaker.allows(REST)
    breaker.succeeded()
    assert breaker.state(REST) == "closed"
    assert all(breaker.allows(REST) for _ in range(10))
    breaker.failed(REST)
    assert breaker.allows(REST), "the failures before it closed do not count any more"


def test_the_attempt_that_fails_opens_it_for_another_rest() -> None:
    breaker = opened()
    assert breaker.allows(REST)
    breaker.failed(REST + 5)
    assert not breaker.allows(REST + 5 + REST - 0.001)
    assert breaker.allows(REST + 5 + REST)


def test_an_attempt_that_never_ends_blocks_for_one_rest() -> None:
    breaker = opened()
    assert breaker.allows(REST)
    assert not breaker.allows(2 * REST - 0.001)
    assert breaker.allows(2 * REST)


def test_failures_of_attempts_under_way_do_not_lengthen_the_rest() -> None:
    breaker = opened()
    for _ in range(20):
        breaker.failed(REST / 2)
    assert breaker.allows(REST)


def test_a_late_success_closes_it() -> None:
    breaker = opened()
    breaker.succeeded()
    assert breaker.allows(0.0)


@given(st.integers(1, 5), st.lists(st.tuples(st.floats(0, 3), st.booleans()), max_size=60))
def test_a_dead_service_is_asked_at_most_once_per_rest(failures: int, steps: list[tuple[float, bool]]) -> None:
    breaker, now, asked = Breaker(failures, REST), 0.0, 0
    for passes, ends in steps:
        now += passes
        if breaker.allows(now):
            asked += 1
            if ends or asked <= failures:
                breaker.failed(now)
    assert asked <= failures + now / REST


@pytest.mark.parametrize(("failures", "rest"), [(0, 1.0), (1, 0.0), (1, -1.0), (1, float("nan"))])
def test_a_breaker_that_never_opens_or_never_rests_is_refused(failures: int, rest: float) -> None:
    with pytest.raises(ValueError, match="breaker"):
        Breaker(failures, rest)
