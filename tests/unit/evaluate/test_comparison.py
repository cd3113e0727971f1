from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from costpol.evaluate.comparison import Comparison
from costpol.pipeline.decision import Decision, Outcome


def replayed(id: str = "r", cost: int = 5, **decided: Any) -> Any:
    outcome = Outcome("answered", Decision("digest", **decided), (), cost=cost)
    return SimpleNamespace(record=SimpleNamespace(id=id), outcome=outcome)


def test_equal_decisions_are_no_change() -> None:
    comparison = Comparison()
    comparison.add(replayed(model="a"), replayed(model="a"))
    assert (comparison.changed, comparison.changes()) == (0, ())


def test_changes_of_one_kind_are_counted_together_most_frequent_first() -> None:
    comparison = Comparison()
    comparison.add(replayed("r1", 5, model="a"), replayed("r1", 7, model="b", personal=True))
    for number in (2, 3):
        comparison.add(replayed(f"r{number}", 5, cache="miss"), replayed(f"r{number}", 1, cache="hit; exact"))
    hits, moved = comparison.changes()
    assert comparison.changed == 3
    assert (hits.requests, hits.cost, hits.example) == (2, -8, "r2")
    assert hits.fields == {"cache": ("miss", "hit; exact")}
    assert moved.fields == {"personal": ("false", "true"), "model": ("a", "b")}


def test_another_cost_alone_is_a_change() -> None:
    comparison = Comparison()
    comparison.add(replayed(cost=5), replayed(cost=6))
    (change,) = comparison.changes()
    assert (change.fields, change.cost) == ({}, 1)


def test_kinds_of_change_are_bounded() -> None:
    comparison = Comparison()
    for number in range(1500):
        comparison.add(replayed(model="a"), replayed(model=f"m{number}"))
    assert comparison.changed == 1500
    assert len(comparison.changes()) == 10
