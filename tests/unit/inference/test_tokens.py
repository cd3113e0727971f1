"""The estimate of tokens: never far below what a tokenizer counts."""

from __future__ import annotations

import json
import timeit
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpol.inference.request import Message
from costpol.inference.tokens import estimate_tokens, message_tokens, request_tokens
from costpol.providers.openai import decode_request

# The second figure is what o200k_base counts.
COUNTED = [
    ("Please tell me how I can change the delivery address of an order that has not left your house yet.", 21),
    ("hello", 1),
    (json.dumps([{"id": number, "name": f"item {number}", "tags": ["a", "b"]} for number in range(20)]), 481),
    ("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", 43),
    ("SGVsbG8sIHRoaXMgaXMgYSBzZW50ZW5jZSB0aGF0IG5vYm9keSB3aWxsIHJlYWQgbGlrZSB0aGlz", 51),
    ("2023-11-14,5531,27,18.5\n2023-11-15,5532,29,17.25\n2023-11-16,5533,31,19.75\n", 48),
]


def body(**members: Any) -> bytes:
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]} | members).encode()


@pytest.mark.parametrize(("text", "counted"), COUNTED)
def test_the_estimate_is_near_what_a_tokenizer_counts(text: str, counted: int) -> None:
    assert counted * 0.7 <= estimate_tokens(text) <= counted * 1.6 + 3


def test_only_an_empty_text_has_no_tokens() -> None:
    assert estimate_tokens("") == 0
    assert estimate_tokens(" ") == 1


@given(st.text(st.characters(codec=None), min_size=1))
def test_any_text_has_between_one_token_and_one_per_octet_and_one(text: str) -> None:
    assert 1 <= estimate_tokens(text) <= len(text.encode("utf-8", "surrogatepass")) + 1


@given(st.text(), st.text(min_size=1))
def test_other_scripts_take_more_tokens_than_english_of_the_same_length(text: str, more: str) -> None:
    assert estimate_tokens("\u4e2d" * len(text + more)) >= estimate_tokens("a b " * (len(text + more) // 4))


def test_an_attachment_and_the_call_of_a_tool_are_not_free() -> None:
    assert message_tokens(Message("user", "hi", b"{}", attachments=2)) > 3000
    assert message_tokens(Message("assistant", "", b"x" * 2800, tool_calls=("write",))) == 1004


def test_large_settings_travel_with_the_request() -> None:
    tool = {"type": "function", "function": {"name": "f", "description": "word " * 500}}
    plain, offered = decode_request(body()), decode_request(body(tools=[tool]))
    assert request_tokens(offered) > request_tokens(plain) + 500
    assert request_tokens(decode_request(body(temperature=1))) == request_tokens(plain)


def test_a_counter_of_ones_own_is_used_for_texts() -> None:
    assert request_tokens(decode_request(body()), lambda text: 100) == 104


def test_a_long_text_is_judged_in_microseconds() -> None:
    text = "an ordinary sentence about nothing in particular. " * 20_000
    best = min(timeit.repeat(lambda: estimate_tokens(text), number=1, repeat=5))
    assert best < 0.2  # a megabyte; some microseconds where the machine has nothing else to do


def test_a_text_that_repeats_itself_is_judged_as_its_part_is() -> None:
    for part in ("Keep in mind. ", "a bc def ghij. ", "please answer in one line, and in English only. "):
        once = estimate_tokens(part)
        assert estimate_tokens(part * 3000) <= 3000 * once
