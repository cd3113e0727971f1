from __future__ import annotations

import json
from typing import Any

import pytest

from costpol.evaluate.record import ASSUMED_OUTPUT_TOKENS, FIRST_INSTANT, BrokenLineError, Record, RecordReader

REQUEST = {"model": "m", "messages": [{"role": "user", "content": "how long is a piece of string"}]}


def read(*lines: dict[str, Any]) -> tuple[list[Record], RecordReader]:
    reader = RecordReader()
    made = [
        reader.read(json.dumps({"request": REQUEST} | line).encode(), f"log:{i}") for i, line in enumerate(lines, 1)
    ]
    return made, reader


def test_only_the_request_is_required() -> None:
    (record,), _ = read({})
    assert record.id == "log:1"
    assert record.arrival.request.question == "how long is a piece of string"
    assert record.arrival.caller.tenant is None
    assert record.arrival.deadline is None
    assert record.arrival.answer_id is None


def test_who_asked_and_the_right_answer_are_read_as_text() -> None:
    (record,), _ = read(
        {"id": 7, "tenant": "acme", "user": 42, "agent": "a", "session": "s", "stage": "plan", "answer_id": 3}
    )
    caller = record.arrival.caller
    assert (record.id, record.arrival.answer_id) == ("7", "3")
    assert (caller.tenant, caller.user, caller.agent, caller.session, caller.stage) == ("acme", "42", "a", "s", "plan")


@pytest.mark.parametrize(
    "written",
    [
        "2026-01-12T08:00:00Z",
        "2026-01-12t08:00:00z",
        "2026-01-12T09:00:00+01:00",
        "2026-01-12T08:00:00",
        "2026-01-12T07:59:60Z",
        "1768204800",
        "1768204800000",
        1768204800,
        1768204800.0,
    ],
)
def test_an_instant_is_rfc_3339_or_epoch_seconds(written: object) -> None:
    (record,), _ = read({"time": written})
    assert record.arrival.now == 1768204800.0


def test_missing_times_go_on_by_the_second() -> None:
    records, reader = read({}, {}, {"time": FIRST_INSTANT + 100}, {})
    assert [record.arrival.now - FIRST_INSTANT for record in records] == [0, 1, 100, 101]
    assert reader.gaps.times == 3


def test_the_clock_never_runs_backwards() -> None:
    records, reader = read({"time": 1000}, {"time": 900}, {"time": 950}, {"time": 1001})
    assert [record.arrival.now for record in records] == [1000, 1000, 1000, 1001]
    assert reader.gaps.backwards == 2


@pytest.mark.parametrize("unit", [10**3, 10**6, 10**9])
def test_what_is_no_instant_in_seconds_may_be_one_in_a_finer_unit(unit: int) -> None:
    (record,), _ = read({"time": 1_768_204_800 * unit})
    assert record.arrival.now == 1_768_204_800


@pytest.mark.parametrize(("written", "seconds"), [(90, 90.0), ("6h", 21600.0), ("1970-01-01T00:20:00Z", 200.0)])
def test_a_deadline_is_seconds_a_duration_or_an_instant(written: object, seconds: float) -> None:
    (record,), _ = read({"time": 1000, "deadline": written})
    assert record.arrival.deadline == seconds


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"', "not JSON"),
        (b"\xff\xfe{}", "not JSON"),
        (b'{"request": ' + b"[" * 100_000, "not JSON"),
        (b"[1]", "not an object"),
        (b'{"id": "x"}', "no `request`"),
        (b'{"request": null}', "no `request`"),
        (b'{"request": {"model": "m"}}', "`request`: "),
        (json.dumps({"request": REQUEST, "user": {}}).encode(), "`user` is not a text"),
        (json.dumps({"request": REQUEST, "time": []}).encode(), "`time` is not an instant"),
        (json.dumps({"request": REQUEST, "time": "soon"}).encode(), "`time` is neither"),
        (json.dumps({"request": REQUEST, "time": 5e10}).encode(), "`time` is not between"),
        (json.dumps({"request": REQUEST, "time": 1e30}).encode(), "`time` is not between"),
        (json.dumps([{"request": REQUEST}]).encode(), "an array, where one request per line is expected"),
        (b"[\n", "JSON over several lines, where one request per line is expected"),
        (json.dumps({"request": REQUEST, "time": -1}).encode(), "`time` is not between"),
        (json.dumps({"request": REQUEST, "deadline": "later"}).encode(), "`deadline`: "),
        (json.dumps({"request": REQUEST, "deadline": -5}).encode(), "`deadline` is no duration"),
        (json.dumps({"request": REQUEST, "response": {"error": {"message": "no"}}}).encode(), "is an error"),
    ],
)
def test_a_broken_line_says_what_is_wrong(line: bytes, reason: str) -> None:
    with pytest.raises(BrokenLineError) as raised:
        RecordReader().read(line, "log:1")
    assert reason in str(raised.value)
    assert "`str`" not in str(raised.value)


def test_a_broken_line_does_not_move_the_clock() -> None:
    reader = RecordReader()
    with pytest.raises(BrokenLineError):
        reader.read(json.dumps({"request": REQUEST, "time": 5000, "deadline": -1}).encode(), "log:1")
    assert reader.read(json.dumps({"request": REQUEST, "time": 1000}).encode(), "log:2").arrival.now == 1000


def test_recorded_usage_is_fact() -> None:
    (record,), reader = read({"response": {"content": "x", "usage": {"prompt_tokens": 7, "completion_tokens": 3}}})
    assert (record.usage.input_tokens, record.usage.output_tokens) == (7, 3)
    assert not record.usage.estimated
    assert reader.gaps.usage == reader.gaps.answers == 0


def test_an_answer_without_usage_is_estimated_from_its_text() -> None:
    (record,), reader = read({"response": {"content": "word " * 100}})
    assert record.usage.estimated
    assert 90 <= (record.usage.output_tokens or 0) <= 150
    assert (record.usage.input_tokens or 0) > 5
    assert reader.gaps.usage == 1


def test_a_count_that_no_call_can_have_counts_as_missing() -> None:
    (record,), reader = read({"response": {"content": "x", "usage": {"prompt_tokens": 10**18, "completion_tokens": 3}}})
    assert record.usage.estimated
    assert (record.usage.input_tokens or 0) < 100
    assert record.usage.output_tokens == 3
    assert reader.gaps.usage == 1


def test_a_missing_answer_has_the_median_length_of_those_before() -> None:
    seen = [
        {"response": {"content": "x", "usage": {"prompt_tokens": 1, "completion_tokens": n}}} for n in (10, 500, 30)
    ]
    records, reader = read({}, *seen, {})
    assert records[0].usage.output_tokens == ASSUMED_OUTPUT_TOKENS
    assert records[-1].usage.output_tokens == 30
    assert reader.gaps.answers == 2
    assert reader.gaps.usage == 0


def test_a_missing_answer_is_no_longer_than_was_asked_for_and_never_nothing() -> None:
    (short, none), _ = read({"request": REQUEST | {"max_tokens": 5}}, {"request": REQUEST | {"max_tokens": 0}})
    assert short.usage.output_tokens == 5
    assert none.usage.output_tokens == 1


def test_a_missing_answer_can_be_kept_by_a_cache() -> None:
    (record,), _ = read({})
    assert record.answer.body is not None
    assert record.answer.content
    assert record.answer.finish_reason == "stop"
