from __future__ import annotations

from decimal import Decimal
from typing import Any

BUDGETS = """kind: budgets
budgets: {{it: {{limit: 1 USD, per: hour{window}}}}}
...
"""
HOUR = 3600


def peak(run: Any, record: Any, policy: Any, window: str, hours: list[float]) -> Decimal | None:
    lines = [record("hello", (100_000, 0), time=1_770_000_000 + at * HOUR) for at in hours]
    found: Decimal | None = run(lines, policy(budgets=BUDGETS.format(window=window))).budgets["it"].peak
    return found


def test_a_calendar_window_starts_anew(run: Any, record: Any, policy: Any) -> None:
    zone = ", time_zone: UTC"
    assert peak(run, record, policy, zone, [0, 0.1, 0.2]) == Decimal("0.3000")
    assert peak(run, record, policy, zone, [0, 0.1, 2, 4]) == Decimal("0.2000")


def test_a_rolling_window_forgets_slice_by_slice(run: Any, record: Any, policy: Any) -> None:
    rolling = ", window: rolling"
    assert peak(run, record, policy, rolling, [0, 0.9, 1.8, 2.7]) == Decimal("0.2000")
    assert peak(run, record, policy, rolling, [0, 0.3, 0.6, 0.9]) == Decimal("0.4000")


def test_a_budget_that_nothing_used_has_a_peak_of_zero(run: Any, policy: Any) -> None:
    used = run([], policy(budgets=BUDGETS.format(window=", time_zone: UTC"))).budgets["it"]
    assert used.peak == 0
    assert used.subjects == 0


def test_a_limit_per_request_has_no_peak(run: Any, record: Any, policy: Any) -> None:
    budgets = "kind: budgets\nbudgets: {single: {limit: 0.001 USD, per: request}}\n...\n"
    used = run([record("hello", (100_000, 1000))], policy(budgets=budgets)).budgets["single"]
    assert used.peak is None
    assert used.refused == 1
