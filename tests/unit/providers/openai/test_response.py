"""Reading answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict

from costpol.errors import WireError
from costpol.providers.openai import decode_response

CASES = Path(__file__).parents[3] / "cases/wire/openai/answers"


@pytest.mark.parametrize("path", sorted(CASES.glob("*.json")), ids=lambda path: path.stem)
def test_recorded_answers_are_read(path: Path) -> None:
    case = json.loads(path.read_text())
    want = case["want"]
    body = json.dumps(case["answer"]).encode()
    response = decode_response(body)
    assert response.body is body
    assert response.complete
    assert response.content == (case["answer"]["choices"][0]["message"]["content"] or "")
    assert response.content.startswith(want["content_starts"])
    for name in ("finish_reason", "model", "refusal", "answers"):
        assert getattr(response, name) == want[name], name
    assert list(response.tool_calls) == want["tool_calls"]
    reported = {name: count for name, count in asdict(response.usage).items() if count not in (None, False)}
    assert reported == {name: count for name, count in want["usage"].items() if count != 0}
    for name, count in want["usage"].items():
        assert getattr(response.usage, name) == count


def test_absent_usage_is_unknown_and_not_zero() -> None:
    usage = decode_response(b'{"choices":[]}').usage
    assert usage.input_tokens is None
    assert usage.output_tokens is None


def test_usage_that_is_no_count_is_unknown() -> None:
    body = b'{"choices":[],"usage":{"prompt_tokens":-1,"completion_tokens":2.5,"prompt_tokens_details":[1]}}'
    usage = decode_response(body).usage
    assert (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens) == (None, None, None)
    assert decode_response(b'{"choices":[],"usage":[]}').usage == usage


def test_content_in_parts_is_joined() -> None:
    body = b'{"choices":[{"message":{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}}]}'
    assert decode_response(body).content == "ab"


@pytest.mark.parametrize(
    "body",
    [b"", b"oops", b"{}", b"[]", b'{"error":{"message":"x"}}', b'{"choices":[{}]}', b'{"choices":[' + b"[" * 90_000],
)
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(WireError):
        decode_response(body)


def test_what_was_written_is_kept_where_no_output_tokens_are_told() -> None:
    call = {"type": "function", "function": {"name": "look", "arguments": '{"city":"Bern"}'}}
    message = {"content": "here", "reasoning_content": "let me see", "reasoning": "let me see", "tool_calls": [call]}
    body = {"choices": [{"message": message}], "usage": {"prompt_tokens": 3}}
    response = decode_response(json.dumps(body).encode())
    assert (response.content, response.written) == ("here", 'let me see\nhere\nlook {"city":"Bern"}')
    body["usage"] = {"prompt_tokens": 3, "completion_tokens": 9}
    assert decode_response(json.dumps(body).encode()).written == ""


def test_an_unread_member_that_cannot_be_read_does_no_harm() -> None:
    response = decode_response(b'{"choices":[{"message":{"content":"a"}}],"odd":1e999}')
    assert (response.content, response.written) == ("a", "")


@given(st.binary())
def test_any_bytes_are_an_answer_or_a_wire_error(body: bytes) -> None:
    try:
        response = decode_response(b'{"choices":' + body + b"}")
    except WireError:
        return
    assert response.answers == len(json.loads(body))
