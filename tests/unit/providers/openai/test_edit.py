"""Changing requests: only what an edit names changes, byte for byte."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpol.commands import Edit
from costpol.errors import WireError
from costpol.providers.openai import decode_request, encode_request

USER = {"role": "user", "content": "Answer as JSON: wie heißt du?"}


def tool(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": {}}}


def edited(edit: Edit, **members: Any) -> dict[str, Any]:
    request = decode_request(json.dumps({"model": "gpt-4o", "messages": [USER]} | members).encode())
    result: dict[str, Any] = json.loads(encode_request(request, edit))
    decode_request(json.dumps(result).encode())
    return result


def raw_members(body: bytes) -> dict[str, bytes]:
    return {name: bytes(raw) for name, raw in msgspec.json.decode(body, type=dict[str, msgspec.Raw]).items()}


def test_an_empty_edit_is_the_very_same_bytes() -> None:
    raw = b'{ "model":"gpt-4o" ,"messages":[{"role":"user","content":"x"}]}\n'
    assert encode_request(decode_request(raw), Edit()) is raw


def test_an_edit_that_changes_nothing_is_the_very_same_bytes() -> None:
    raw = b'{ "model":"a", "max_tokens":5, "messages":[{"role":"system","content":"s"},{"role":"user","content":"x"}]}'
    assert encode_request(decode_request(raw), Edit(model="a", max_output_tokens=9, system="s", tools=())) is raw


def test_all_other_bytes_stay_as_they_came_and_in_their_order() -> None:
    raw = (
        '{"temperature": 0.20, "x": {"b" :1,"a":[ 1e2 ]},\n "model":"gpt-4o",'
        '"m\\u0065ssages": [ {"content":"\\u00e9é /\\/","role":"user"}\t],"seed":0}'.encode()
    )
    before, after = (
        raw_members(raw),
        raw_members(encode_request(decode_request(raw), Edit(model="o/mini", ask_usage=True))),
    )
    assert after.pop("model") == b'"o/mini"'
    before.pop("model")
    assert after == before
    assert list(after) == list(before)


@given(
    st.dictionaries(st.text(max_size=8), st.integers() | st.text() | st.lists(st.floats(allow_nan=False)), max_size=6),
    st.builds(
        Edit,
        model=st.none() | st.text(min_size=1, max_size=9),
        max_output_tokens=st.none() | st.integers(1, 10**6),
        system=st.none() | st.text(max_size=9),
        json_output=st.booleans(),
        ask_usage=st.booleans(),
    ),
    st.booleans(),
    st.booleans(),
)
def test_members_that_no_edit_names_keep_their_bytes(
    extra: dict[str, Any], edit: Edit, stream: bool, escaped: bool
) -> None:
    changing = {"model", "messages", "max_tokens", "max_completion_tokens", "response_format", "stream_options"}
    other = {
        name: value for name, value in extra.items() if name not in changing | {"stream", "n", "tools", "functions"}
    }
    if not isinstance(other.get("metadata", {}), dict):
        other.pop("metadata")
    raw = json.dumps(other | {"model": "m", "messages": [USER], "stream": stream}, ensure_ascii=escaped).encode()
    try:
        request = decode_request(raw)
    except WireError:  # a text of the strategy cannot be written as JSON (floats out of range, lone surrogates)
        return
    before, after = raw_members(raw), raw_members(encode_request(request, edit))
    assert {name: value for name, value in after.items() if name not in changing} == {
        name: value for name, value in before.items() if name not in changing
    }
    assert request.messages[-1].raw in after["messages"]


def test_model_is_replaced() -> None:
    assert edited(Edit(model="gpt-4o-mini"))["model"] == "gpt-4o-mini"


@pytest.mark.parametrize(
    ("model", "given", "want"),
    [
        ("gpt-4o", {}, {"max_tokens": 50}),
        ("o4-mini", {}, {"max_completion_tokens": 50}),
        ("openai/gpt-5-mini", {}, {"max_completion_tokens": 50}),
        ("gpt-4o", {"max_completion_tokens": 80}, {"max_completion_tokens": 50}),
        ("gpt-4o", {"max_tokens": 80}, {"max_tokens": 50}),
        ("gpt-4o", {"max_tokens": 20}, {"max_tokens": 20}),
        ("gpt-4o", {"max_tokens": None}, {"max_tokens": 50}),
        ("gpt-4o", {"max_tokens": 80, "max_completion_tokens": 20}, {"max_tokens": 50, "max_completion_tokens": 20}),
        ("o3", {"max_tokens": 80}, {"max_completion_tokens": 50}),
        ("o3", {"max_tokens": 20, "max_completion_tokens": 30}, {"max_completion_tokens": 30}),
    ],
)
def test_an_output_limit_is_a_cap_under_the_name_the_model_knows(
    model: str, given: dict[str, Any], want: dict[str, int]
) -> None:
    result = edited(Edit(max_output_tokens=50), model=model, **given)
    assert {name: value for name, value in result.items() if name.startswith("max_")} == want


def test_a_request_routed_to_a_reasoning_model_keeps_its_limit_under_the_name_that_is_accepted() -> None:
    result = edited(Edit(model="gpt-5-mini"), max_tokens=80)
    assert "max_tokens" not in result
    assert result["max_completion_tokens"] == 80
    assert edited(Edit(model="gpt-oss-120b"), max_tokens=80)["max_tokens"] == 80


@pytest.mark.parametrize(
    ("leading", "want"),
    [
        ([], [{"role": "system", "content": "new"}]),
        ([{"role": "system", "content": "old"}], [{"role": "system", "content": "new"}]),
        (
            [{"role": "developer", "content": [{"type": "text", "text": "old"}]}, {"role": "system", "content": "b"}],
            [{"role": "developer", "content": "new"}],
        ),
    ],
)
def test_a_system_prompt_replaces_all_leading_ones(leading: list[Any], want: list[Any]) -> None:
    later = {"role": "system", "content": "later"}
    assert edited(Edit(system="new"), messages=[*leading, USER, later])["messages"] == [*want, USER, later]


def test_an_empty_system_prompt_takes_the_old_one_away() -> None:
    assert edited(Edit(system=""), messages=[{"role": "system", "content": "old"}, USER])["messages"] == [USER]


def test_tools_are_filtered_by_name_and_keep_their_bytes() -> None:
    raw = b'{"model":"a","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"a"}}, {"function" : {"name":"b", "x":1.0},"type":"function"}]}'  # noqa: E501
    after = raw_members(encode_request(decode_request(raw), Edit(tools=("b", "c"))))
    assert after["tools"] == b'[{"function" : {"name":"b", "x":1.0},"type":"function"}]'


def test_without_tools_nothing_speaks_of_tools() -> None:
    result = edited(Edit(tools=()), tools=[tool("a")], tool_choice="required", parallel_tool_calls=False)
    assert set(result) == {"model", "messages"}
    result = edited(Edit(tools=()), functions=[{"name": "a"}], function_call="auto")
    assert set(result) == {"model", "messages"}


@pytest.mark.parametrize(
    "choice",
    [
        tool("b"),
        {"type": "function", "name": "b"},
        {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [tool("b")]}},
    ],
)
def test_a_tool_that_the_caller_names_in_the_choice_stays(choice: dict[str, Any]) -> None:
    result = edited(Edit(tools=("a",)), tools=[tool("a"), tool("b"), tool("c")], tool_choice=choice)
    assert [each["function"]["name"] for each in result["tools"]] == ["a", "b"]
    assert result["tool_choice"] == choice


def test_a_tool_choice_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(WireError, match="tool_choice"):
        edited(Edit(tools=("a",)), tools=[tool("a"), tool("b")], tool_choice={"type": 3})


def test_json_output_is_asked_for_unless_a_format_is_set_or_the_prompt_does_not_allow_it() -> None:
    assert edited(Edit(json_output=True))["response_format"] == {"type": "json_object"}
    assert edited(Edit(json_output=True), response_format=None)["response_format"] == {"type": "json_object"}
    own = {"type": "json_schema", "json_schema": {"name": "a"}}
    assert edited(Edit(json_output=True), response_format=own)["response_format"] == own
    assert "response_format" not in edited(Edit(json_output=True), messages=[{"role": "user", "content": "hi"}])


def test_usage_is_asked_of_streams_only_and_other_options_stay() -> None:
    assert "stream_options" not in edited(Edit(ask_usage=True))
    assert edited(Edit(ask_usage=True), stream=True)["stream_options"] == {"include_usage": True}
    result = edited(
        Edit(ask_usage=True), stream=True, stream_options={"include_obfuscation": False, "include_usage": False}
    )
    assert result["stream_options"] == {"include_obfuscation": False, "include_usage": True}
    assert edited(Edit(ask_usage=True), stream=True, stream_options=None)["stream_options"] == {"include_usage": True}


def test_a_whole_answer_is_asked_for_without_what_belongs_to_streams() -> None:
    assert (
        not {"stream", "stream_options"}
        & edited(Edit(whole=True), stream=True, stream_options={"include_usage": True}).keys()
    )
