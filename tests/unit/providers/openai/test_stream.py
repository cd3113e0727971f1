"""Streams: read right whatever the split, passed on byte for byte."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion

from costpol.inference.response import Response
from costpol.providers.openai import StreamDecoder, decode_response

CASES = sorted((Path(__file__).parents[3] / "cases/wire/openai/streams").glob("*.sse"))
STREAMS = {path.stem: path.read_bytes() for path in CASES}
WANTED = {path.stem: json.loads(path.with_suffix(".json").read_text()) for path in CASES}
BROKEN = {"broken_off", "error_inside"}


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps({"id": "c", "choices": [choice]} | more).encode() + b"\n\n"


def read(pieces: list[bytes], hide_usage: bool = False, close: bool = True) -> tuple[bytes, Response]:
    decoder = StreamDecoder(hide_usage)
    out = b"".join([decoder.feed(piece) for piece in pieces])
    if close:
        out += decoder.close()
    return out, decoder.response()


@pytest.mark.parametrize("name", STREAMS)
def test_recorded_streams_are_read(name: str) -> None:
    want = WANTED[name]
    out, response = read([STREAMS[name]], close=name != "broken_off")
    assert out == STREAMS[name]
    for field in ("content", "finish_reason", "refusal", "complete"):
        assert getattr(response, field) == want[field], field
    assert list(response.tool_calls) == want["tool_calls"]
    assert (response.body and json.loads(response.body)) == want["body"]
    for field, count in want["usage"].items():
        assert getattr(response.usage, field) == count
    if not want["usage"]:
        assert response.usage.input_tokens is None


@pytest.mark.parametrize("name", sorted(set(STREAMS) - BROKEN))
def test_the_assembled_body_is_an_answer_of_its_own(name: str) -> None:
    _, response = read([STREAMS[name]])
    assert response.body is not None
    ChatCompletion.model_validate_json(response.body, strict=True)
    again = decode_response(response.body)
    for field in ("content", "finish_reason", "usage", "model", "tool_calls", "refusal", "answers"):
        assert getattr(again, field) == getattr(response, field), field


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("hide", [True, False])
def test_single_bytes_give_the_same_as_the_whole(name: str, hide: bool) -> None:
    data = STREAMS[name]
    assert read([data[at : at + 1] for at in range(len(data))], hide) == read([data], hide)


@given(st.sampled_from(sorted(STREAMS)), st.booleans(), st.lists(st.integers(0, 3000), max_size=12))
def test_any_split_gives_the_same(name: str, hide: bool, cuts: list[int]) -> None:
    data = STREAMS[name]
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[start:end] for start, end in pairwise(edges)]
    assert read(pieces, hide) == read([data], hide)


@given(
    st.lists(
        st.sampled_from([b"\r", b"\n", b"data:", b"data: ", b'{"choices":[],"usage":{}}', b"[DONE]", b"x", b":"]),
        max_size=30,
    ),
    st.booleans(),
    st.integers(1, 9),
)
def test_any_split_of_any_bytes_gives_the_same(words: list[bytes], hide: bool, size: int) -> None:
    data = b"".join(words)
    whole, response = read([data], hide)
    assert read([data[at : at + size] for at in range(0, len(data), size)], hide) == (whole, response)
    assert hide or whole == data


@pytest.mark.parametrize("name", STREAMS)
def test_the_hidden_event_is_all_that_is_missing(name: str) -> None:
    data = STREAMS[name]
    out, response = read([data], hide_usage=True)
    eol = b"\r\n\r\n" if b"\r" in data else b"\n\n"
    kept = [event for event in data.split(eol) if not (b'"choices":[]' in event and b'"usage":{' in event)]
    assert out == eol.join(kept)
    assert data.count(eol) - out.count(eol) == WANTED[name]["hidden_events"]
    assert response.usage == read([data])[1].usage


@pytest.mark.parametrize("eol", [b"\n", b"\r\n", b"\r"])
def test_a_hidden_event_takes_its_own_line_ends_along_and_no_others(eol: bytes) -> None:
    hidden, shown = b'data: {"choices":[],"usage":{"prompt_tokens":1}}' + eol + eol, b"data: {}" + eol + eol
    data = hidden + shown + hidden
    for size in range(1, len(data) + 1):
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        assert read(pieces, hide_usage=True)[0] == shown


def test_without_hiding_bytes_pass_at_once() -> None:
    decoder = StreamDecoder()
    for piece in (b"da", b"ta: {", b"\r", b"\n"):
        assert decoder.feed(piece) is piece


def test_with_hiding_a_whole_event_passes_at_once() -> None:
    decoder = StreamDecoder(hide_usage=True)
    event = chunk({"content": "a"})
    assert decoder.feed(event + b"data: {") == event
    assert decoder.started


def test_an_event_of_empty_choices_without_usage_is_not_hidden() -> None:
    event = b'data: {"choices":[],"prompt_filter_results":[],"usage":null}\n\n'
    assert read([event], hide_usage=True)[0] == event


def test_an_error_inside_the_stream_makes_it_incomplete_and_is_kept() -> None:
    for event in (b'data: {"error":{"message":"boom"}}\n\n', b'event: error\ndata: {"message":"boom"}\n\n'):
        decoder = StreamDecoder()
        decoder.feed(chunk({"content": "a"}, "stop") + event + b"data: [DONE]\n\n")
        response = decoder.response()
        assert not response.complete
        assert response.body is None
        assert decoder.error is not None
        assert b"boom" in decoder.error


@pytest.mark.parametrize(
    "event",
    [
        b"data: {oops\n\n",
        b'data: {"choices":3}\n\n',
        b'data: {"choices":[{"delta":{"tool_calls":[3]}}]}\n\n',
        b'data: {"choices":[{"delta":{"x":"\xff"}}]}\n\n',
        b'data: {"x":' + b"[" * 100_000 + b"\n\n",
        b'data: {"choices":[{"delta":' + b'{"a":' * 100_000 + b"\n\n",
    ],
)
def test_what_cannot_be_read_passes_on_and_makes_the_answer_incomplete(event: bytes) -> None:
    data = chunk({"content": "a"}) + event + chunk({}, "stop") + b"data: [DONE]\n\n"
    out, response = read([data])
    assert out == data
    assert (response.complete, response.body, response.content) == (False, None, "a")


@pytest.mark.parametrize("depth", [3, 30, 300, 900])
def test_deep_deltas_are_kept_or_left_but_never_stop_the_stream(depth: int) -> None:
    deep = b'{"a":' * depth + b"1" + b"}" * depth
    data = chunk({"content": "a", "x": 0}, "stop").replace(b'"x": 0', b'"x": ' + deep) + b"data: [DONE]\n\n"
    out, response = read([data])
    assert out == data
    if depth < 100:
        assert response.body is not None
        assert deep in response.body


def test_a_stream_needs_a_finish_reason_and_an_end() -> None:
    assert read([chunk({"content": "a"}, "stop"), b"data: [DONE]\n\n"], close=False)[1].complete
    assert read([chunk({"content": "a"}, "stop")])[1].complete
    assert not read([chunk({"content": "a"}, "stop")], close=False)[1].complete
    assert not read([chunk({"content": "a"}), b"data: [DONE]\n\n"])[1].complete
    assert not read([b"data: [DONE]\n\n"])[1].complete
    assert not read([])[1].complete


def test_thoughts_and_calls_count_where_a_stream_breaks_off_before_its_usage() -> None:
    call = {"index": 0, "id": "c1", "function": {"name": "look", "arguments": ""}}
    pieces = [
        chunk({"role": "assistant", "reasoning_content": "let me "}),
        chunk({"reasoning_content": "see"}),
        chunk({"content": "one "}),
        chunk({"tool_calls": [call]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"ci'}}]}),
    ]
    response = read(pieces, close=False)[1]
    assert (response.complete, response.content) == (False, "one ")
    assert response.written == 'let me see\none \nlook {"ci'
    told = chunk({}, "stop", usage={"prompt_tokens": 1, "completion_tokens": 7})
    assert read([*pieces, told])[1].written == ""


def test_an_answer_too_long_to_keep_still_passes_and_tells_its_usage() -> None:
    piece = chunk({"content": "x" * 2**20})
    end = (
        chunk({}, "stop")
        + b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":9}}\n\ndata: [DONE]\n\n'
    )
    out, response = read([piece] * 10 + [end])
    assert out == piece * 10 + end
    assert (response.body, response.complete, response.usage.output_tokens) == (None, True, 9)
    assert len(response.content) <= 8 * 2**20


@pytest.mark.parametrize("hide", [True, False])
def test_an_event_without_end_is_not_held_for_ever(hide: bool) -> None:
    pieces = [chunk({"content": "a"}, "stop"), *[b"data: " + b"x" * 2**20] * 12, b"\n\ndata: [DONE]\n\n"]
    out, response = read(pieces, hide)
    assert out == b"".join(pieces)
    assert not response.complete
