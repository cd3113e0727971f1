"""A stored answer served again: the provider's own client reads the same from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from costpol.errors import WireError
from costpol.inference.request import Request
from costpol.providers.openai import StreamDecoder, decode_request, decode_response, replay_body, replay_stream

CASES = sorted((Path(__file__).parents[3] / "cases/wire/openai/answers").glob("*.json"))
STORED = [json.dumps(json.loads(path.read_text())["answer"]).encode() for path in CASES]
NAMES = [path.stem for path in CASES]


def asked(stream: bool = False, usage: bool = False) -> Request:
    body: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "x"}], "stream": stream}
    if usage:
        body["stream_options"] = {"include_usage": True}
    return decode_request(json.dumps(body).encode())


def chunks(events: list[bytes]) -> list[dict[str, Any]]:
    assert events[-1] == b"data: [DONE]\n\n"
    assert all(event.startswith(b"data: ") and event.endswith(b"\n\n") and event.count(b"\n") == 2 for event in events)
    return [json.loads(event[6:]) for event in events[:-1]]


@pytest.mark.parametrize("stored", STORED, ids=NAMES)
def test_a_replayed_body_differs_in_id_and_time_only(stored: bytes) -> None:
    replayed = replay_body(stored, asked(), "chatcmpl-new", 1_800_000_000)
    assert json.loads(replayed) == json.loads(stored) | {"id": "chatcmpl-new", "created": 1_800_000_000}
    ChatCompletion.model_validate_json(replayed, strict=True)


@pytest.mark.parametrize("stored", STORED, ids=NAMES)
@pytest.mark.parametrize("usage", [True, False])
def test_the_official_types_accept_every_replayed_chunk(stored: bytes, usage: bool) -> None:
    for chunk in chunks(replay_stream(stored, asked(True, usage), "chatcmpl-new", 1_800_000_000)):
        read = ChatCompletionChunk.model_validate(chunk, strict=True)
        assert (read.id, read.created, read.model) == ("chatcmpl-new", 1_800_000_000, json.loads(stored)["model"])


@pytest.mark.parametrize("stored", STORED, ids=NAMES)
def test_a_replayed_stream_is_the_stored_answer(stored: bytes) -> None:
    decoder = StreamDecoder()
    for event in replay_stream(stored, asked(True, usage=True), "chatcmpl-new", 1_800_000_000):
        decoder.feed(event)
    again, before = decoder.response(), decode_response(stored)
    assert again.complete
    assert again.body is not None
    expected = json.loads(stored) | {"id": "chatcmpl-new", "created": 1_800_000_000}
    assert json.loads(again.body) == expected
    for name in ("content", "finish_reason", "usage", "model", "tool_calls", "refusal", "answers"):
        assert getattr(again, name) == getattr(before, name), name


def test_usage_comes_only_to_those_who_asked_and_in_an_event_of_its_own() -> None:
    stored = STORED[NAMES.index("text")]
    without = chunks(replay_stream(stored, asked(True), "a", 1))
    assert all("usage" not in chunk for chunk in without)
    *others, last = chunks(replay_stream(stored, asked(True, usage=True), "a", 1))
    assert last["choices"] == []
    assert last["usage"] == json.loads(stored)["usage"]
    assert all(chunk["usage"] is None for chunk in others)


@given(st.text(max_size=3000) | st.text(alphabet="ab \n", max_size=9000))
def test_a_text_comes_whole_in_few_pieces(text: str) -> None:
    stored = json.dumps(
        {
            "model": "m",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        }
    ).encode()
    pieces = [
        chunk["choices"][0]["delta"]["content"]
        for chunk in chunks(replay_stream(stored, asked(True), "a", 1))
        if chunk["choices"] and chunk["choices"][0]["delta"].get("content")
    ]
    assert "".join(pieces) == text
    assert len(pieces) <= max(1, len(text) // 40)


def test_words_are_not_torn() -> None:
    text = "lorem ipsum " * 100
    stored = json.dumps({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}).encode()
    pieces = [
        chunk["choices"][0]["delta"].get("content") for chunk in chunks(replay_stream(stored, asked(True), "a", 1))
    ]
    assert all(piece.endswith(" ") for piece in pieces if piece)
    assert len(pieces) > 5


@pytest.mark.parametrize("stored", [b"", b"{}", b"[]", b'{"choices":3}'])
def test_what_is_no_answer_cannot_be_streamed(stored: bytes) -> None:
    with pytest.raises(WireError, match="stored answer"):
        replay_stream(stored, asked(True), "a", 1)
