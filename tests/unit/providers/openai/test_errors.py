"""Error bodies that the provider's own client understands, and words for what a decoder says."""

from __future__ import annotations

import json

import msgspec
import pytest

from costpol.providers.openai.errors import error_body, wire_error


def test_an_error_has_the_shape_that_clients_read() -> None:
    body = error_body(429, "budget `team` is used up", "insufficient_quota", "budget_exceeded", "model")
    assert json.loads(body) == {
        "error": {
            "message": "budget `team` is used up",
            "type": "insufficient_quota",
            "param": "model",
            "code": "budget_exceeded",
        }
    }


def test_a_failure_of_the_server_has_a_code() -> None:
    assert json.loads(error_body(502, "x", "server_error"))["error"]["code"] == "502"
    assert json.loads(error_body(400, "x", "invalid_request_error"))["error"]["code"] is None


@pytest.mark.parametrize(
    ("text", "message", "field"),
    [
        ("Expected `int`, got `str` - at `$.n`", "`n` of the answer must be a whole number, not a string", "n"),
        ("Expected `object`, got `bool`", "the answer must be an object, not a boolean", None),
        (
            "Object missing required field `role` - at `$.messages[2]`",
            "`messages[2].role` of the answer is missing",
            "messages[2].role",
        ),
        ("Something else - at `$.a`", "`a` of the answer has a value that cannot be read", "a"),
    ],
)
def test_a_decoders_words_become_plain_ones(text: str, message: str, field: str | None) -> None:
    error = wire_error(msgspec.ValidationError(text), "the answer")
    assert (error.message, error.field) == (message, field)


def test_a_place_inside_a_part_is_given_in_full() -> None:
    error = wire_error(msgspec.ValidationError("Expected `str`, got `int` - at `$.type`"), "the answer", "tool_choice")
    assert error.field == "tool_choice.type"
