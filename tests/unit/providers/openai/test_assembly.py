"""Deltas put together."""

from __future__ import annotations

import pytest

from costpol.providers.openai.assembly import LIMIT, Assembly, Choice, Growing


def test_texts_join_and_what_is_said_once_is_not_repeated() -> None:
    growing = Growing()
    for delta in (
        {"role": "assistant", "content": None, "audio": {"id": "a", "data": "QU"}},
        {"role": "assistant", "content": "a", "audio": {"id": "a", "data": "JD", "expires_at": 7}},
        {"content": "b", "annotations": [1]},
        {"content": None, "annotations": [2]},
    ):
        growing.add(delta)
    assert growing.plain() == {
        "role": "assistant",
        "content": "ab",
        "audio": {"id": "a", "data": "QUJD", "expires_at": 7},
        "annotations": [1, 2],
    }


def test_tool_calls_without_index_are_told_apart_by_id() -> None:
    growing = Growing()
    for call in (
        {"id": "1", "type": "function", "function": {"name": "a", "arguments": "{"}},
        {"function": {"arguments": "}"}},
        {"id": "2", "type": "function", "function": {"name": "b", "arguments": "{}"}},
    ):
        growing.add({"tool_calls": [call]})
    calls = growing.plain()["tool_calls"]
    assert [(call["id"], call["function"]["name"], call["function"]["arguments"]) for call in calls] == [
        ("1", "a", "{}"),
        ("2", "b", "{}"),
    ]


def test_custom_tool_calls_join_their_input() -> None:
    growing = Growing()
    growing.add({"tool_calls": [{"index": 0, "id": "1", "type": "custom", "custom": {"name": "sh", "input": "l"}}]})
    growing.add({"tool_calls": [{"index": 0, "custom": {"input": "s"}}]})
    assert growing.plain()["tool_calls"] == [{"id": "1", "type": "custom", "custom": {"name": "sh", "input": "ls"}}]


def test_logprobs_extend_and_answers_stay_apart() -> None:
    assembly = Assembly()
    for index, text in ((1, "x"), (0, "a"), (0, "b")):
        assembly.add(Choice(index, {"content": text}, None, {"content": [text], "refusal": None}), 50)
    assert not assembly.finished
    assembly.add(Choice(0, {}, "stop"), 50)
    assembly.add(Choice(1, {}, "length"), 50)
    assert assembly.finished
    first, second = assembly.plain()
    assert (first["message"]["content"], first["logprobs"]) == ("ab", {"content": ["a", "b"], "refusal": None})
    assert (second["message"]["content"], second["finish_reason"]) == ("x", "length")


@pytest.mark.parametrize("delta", [{"content": "x"}, {"tool_calls": [{"index": 0}]}, {"list": [1]}, {}])
def test_no_kind_of_delta_grows_without_limit(delta: dict[str, object]) -> None:
    assembly = Assembly()
    assembly.add(Choice(0, delta), LIMIT)
    for _ in range(3):
        assembly.add(Choice(1, {"content": "x" * LIMIT}), LIMIT)
    assert assembly.overfull
    assert sum(len(str(choice)) for choice in assembly.plain()) < LIMIT
