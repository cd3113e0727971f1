from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from costpol.evaluate.answer import Answer, read_answer, read_usage


def read(body: Any) -> Answer:
    return read_answer(Raw(json.dumps(body).encode()))


def test_a_providers_own_body() -> None:
    body = {
        "model": "gpt-4.1-2025-04-14",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}},
    }
    answer = read(body)
    assert (answer.response.content, answer.response.finish_reason) == ("hello", "stop")
    assert answer.response.usage.cache_read_tokens == 4
    assert answer.response.model == "gpt-4.1-2025-04-14"
    assert json.loads(answer.response.body or b"") == body


def test_a_plain_answer_is_taken_to_have_ended_well() -> None:
    answer = read({"content": "hello", "usage": {"input_tokens": 9, "output_tokens": 2}})
    assert (answer.response.content, answer.response.finish_reason) == ("hello", "stop")
    assert (answer.response.usage.input_tokens, answer.response.usage.output_tokens) == (9, 2)


def test_tool_calls_are_told_from_answers() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    answer = read({"content": None, "tool_calls": [call]})
    assert answer.response.tool_calls == ("look_up",)
    assert answer.response.finish_reason == "tool_calls"
    assert (answer.estimated_tokens or 0) > 0


def test_parts_of_a_message_are_joined() -> None:
    blocks = [{"type": "text", "text": "a"}, {"type": "tool_use", "name": "look_up"}, {"type": "text", "text": "b"}]
    answer = read({"content": blocks, "stop_reason": "tool_use"})
    assert answer.response.content == "ab"
    assert answer.response.tool_calls == ("look_up",)
    assert answer.response.finish_reason == "tool_calls"


@pytest.mark.parametrize("body", [None, "text", [], {"choices": 5}, {"finish_reason": 7}])
def test_what_is_no_answer_counts_as_not_recorded(body: Any) -> None:
    answer = read(body)
    assert answer.estimated_tokens is None
    assert not answer.failed
    assert answer.response.content


def test_an_empty_answer_stays_empty() -> None:
    assert read({"content": ""}).response.content == ""


def test_an_error_was_not_billed() -> None:
    assert read({"error": {"message": "rate limit"}}).failed


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 2}, (9, 2, None)),
        ({"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 3}}, (9, 2, 3)),
        ({"input_tokens": 9, "output_tokens": 2}, (9, 2, None)),
        ({"input_tokens": 9, "output_tokens": 2, "input_tokens_details": {"cached_tokens": 3}}, (9, 2, 3)),
        ({"input_tokens": 6, "output_tokens": 2, "cache_read_input_tokens": 3}, (9, 2, 3)),
        ({"promptTokenCount": 9, "candidatesTokenCount": 2}, (9, 2, None)),
        ({"input_tokens": 9, "output_tokens": 2, "cache_read_tokens": 3}, (9, 2, 3)),
        ({"input_tokens": 9, "output_tokens": -1, "cache_read_tokens": True}, (9, None, None)),
        ({}, (None, None, None)),
        ("many", (None, None, None)),
        (None, (None, None, None)),
    ],
)
def test_usage_goes_by_many_names(usage: Any, counts: tuple[int | None, ...]) -> None:
    read = read_usage(usage)
    assert (read.input_tokens, read.output_tokens, read.cache_read_tokens) == counts
