from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costpol.errors import BundleError, UsageError

NOW = 1_770_000_000.0

BUDGETS = """kind: budgets
budgets:
  daily: {limit: 0.30 USD, calls: 12, per: day, time_zone: UTC, each: tenant}
  hourly: {limit: 0.20 USD, per: hour, window: rolling}
  single: {limit: 0.10 USD, per: request}
ladder:
  - {at: 40%, route: small, max_output_tokens: 200}
  - {at: 95%, refuse: "no more today", budgets: daily}
...
"""

questions = st.sampled_from(["hello", "analyze this", "analyze that", "how do I pay", "thanks"])
usages = st.none() | st.tuples(st.integers(0, 5000), st.integers(0, 3000))
lines = st.lists(
    st.fixed_dictionaries(
        {
            "text": questions,
            "usage": usages,
            "tenant": st.sampled_from(["a", "b"]),
            "model": st.sampled_from(["small", "large", "gpt-4.1", "nobody-knows-this"]),
            "after": st.integers(0, 4000),
            "limit": st.none() | st.integers(1, 4000),
        }
    ),
    max_size=30,
)


def log(record: Any, drawn: list[dict[str, Any]]) -> list[dict[str, Any]]:
    made, now = [], NOW
    for each in drawn:
        now += each["after"]
        request = {"model": each["model"]} | ({"max_tokens": each["limit"]} if each["limit"] else {})
        made.append(record(each["text"], each["usage"], tenant=each["tenant"], time=now, request=request))
    return made


@settings(max_examples=40, deadline=None)
@given(lines)
def test_every_lever_and_every_request_adds_up(run: Any, record: Any, policy: Any, drawn: list[dict[str, Any]]) -> None:
    savings = run(log(record, drawn), policy(budgets=BUDGETS))
    assert savings.requests == len(drawn)
    assert sum(lever.net for lever in savings.levers) == savings.saved == savings.baseline - savings.cost
    for groups in (savings.rules, savings.intents):
        assert sum(group.requests for group in groups.values()) == len(drawn)
        assert sum(group.baseline for group in groups.values()) == savings.baseline
        assert sum(group.policy for group in groups.values()) == savings.cost
    assert sum(savings.routes.values()) + savings.refused == len(drawn)
    assert savings.unpriced == sum(each["model"] == "nobody-knows-this" for each in drawn)


@settings(max_examples=25, deadline=None)
@given(lines)
def test_a_policy_does_not_differ_from_itself(run: Any, record: Any, policy: Any, drawn: list[dict[str, Any]]) -> None:
    files = policy(budgets=BUDGETS)
    savings = run(log(record, drawn), files, against=files)
    assert savings.against is not None
    assert savings.against.changed == 0
    assert savings.against.changes == ()
    assert savings.against.savings.cost == savings.cost
    assert savings.against.savings.levers == savings.levers


@settings(max_examples=15, deadline=None)
@given(lines)
def test_the_whole_is_the_sum_of_its_requests(run: Any, record: Any, drawn: list[dict[str, Any]]) -> None:
    """Without budgets and caches one request knows nothing of another."""
    records = [line | {"response": line.get("response", {"content": "x " * 50})} for line in log(record, drawn)]
    alone = [run([line]) for line in records]
    together = run(records)
    assert together.cost == sum(each.cost for each in alone)
    assert together.baseline == sum(each.baseline for each in alone)


def test_two_policies_are_compared_request_by_request(run: Any, record: Any, policy: Any) -> None:
    cheaper = policy(routing="kind: routing\ndefault: cheap\n...\n")
    savings = run([record("hello"), record("analyze this"), record("analyze that")], cheaper, against=policy())
    against = savings.against
    assert against is not None
    assert savings.cost < against.savings.cost
    assert against.changed == 2
    (change,) = against.changes
    assert change.requests == 2
    assert change.cost == savings.cost - against.savings.cost
    assert change.fields["model"] == ("large", "small")
    assert change.example.endswith(":2")


def test_a_baseline_that_nobody_knows_is_refused(run: Any, record: Any) -> None:
    with pytest.raises(UsageError, match="no price of the baseline model `nobody-knows-this`"):
        run([record()], baseline="nobody-knows-this")


def test_a_policy_with_errors_is_not_replayed(run: Any, record: Any, policy: Any) -> None:
    with pytest.raises(BundleError):
        run([record()], policy(routing="kind: routing\ndefault: nowhere\n...\n"))


def test_progress_is_told_as_the_log_is_read(run: Any, record: Any) -> None:
    told: list[int] = []
    run([record()] * 250, progress=told.append)
    assert told == [100, 200]
