"""Reading requests: recorded bodies, refusals, and no other failure on any bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from costpol.errors import WireError
from costpol.providers.openai import UNSHAPING, decode_request

CASES = Path(__file__).parents[3] / "cases/wire/openai/requests"
USER = {"role": "user", "content": "hi"}


def body(**members: Any) -> bytes:
    return json.dumps({"model": "gpt-4o", "messages": [USER]} | members).encode()


@pytest.mark.parametrize("path", sorted(CASES.glob("*.json")), ids=lambda path: path.stem)
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")], ids=["compact", "spaced"])
@pytest.mark.parametrize("ascii_only", [True, False], ids=["escaped", "plain"])
def test_recorded_requests_are_read(path: Path, separators: tuple[str, str], ascii_only: bool) -> None:
    case = json.loads(path.read_text())
    want = case["want"]
    raw = json.dumps(case["request"], separators=separators, ensure_ascii=ascii_only).encode()
    request = decode_request(raw)
    assert request.dialect == "openai"
    assert request.raw is raw
    assert [message.role for message in request.messages] == want["roles"]
    assert [message.text for message in request.messages] == want["texts"]
    assert [json.loads(message.raw) for message in request.messages] == case["request"]["messages"]
    assert all(message.raw in raw for message in request.messages)
    assert [name for name, _ in request.settings] == want["settings"]
    assert all(json.loads(value) == case["request"][name] for name, value in request.settings)
    assert sum(message.attachments for message in request.messages) == want["attachments"]
    assert [name for message in request.messages for name in message.tool_calls] == want.get("tool_calls", [])
    assert list(request.tools) == want["tools"]
    for name in ("model", "question", "turns", "stream", "wants_usage", "max_output_tokens", "answers"):
        assert getattr(request, name) == want[name], name
    assert request.output_format == want["output_format"]
    assert request.metadata == want["metadata"]


@pytest.mark.parametrize(
    ("raw", "field", "message"),
    [
        (b"", None, "the request body is not valid JSON"),
        (b'{"model":', None, "the request body is not valid JSON"),
        (b'{"model":"a",}', None, "the request body is not valid JSON (byte 13)"),
        (b"[]", None, "the request body must be an object, not a list"),
        (b"null", None, "the request body must be an object, not null"),
        (b'{"messages":[{"role":"user"}]}', "model", "`model` is missing"),
        (b'{"model":"a"}', "messages", "`messages` is missing"),
        (body(model=7), "model", "`model` must be a string, not a whole number"),
        (body(model=""), "model", "`model` must not be empty"),
        (body(messages={}), "messages", "`messages` must be a list, not an object"),
        (body(messages=[]), "messages", "`messages` must not be empty"),
        (body(messages=["hi"]), "messages[0]", "`messages[0]` must be an object, not a string"),
        (body(messages=[USER, {"content": "x"}]), "messages[1].role", "`messages[1].role` is missing"),
        (
            body(messages=[{"role": "user", "content": 3}]),
            "messages[0].content",
            "`messages[0].content` must be a string, a list or null, not a whole number",
        ),
        (
            body(messages=[{"role": "user", "content": [{"type": "text", "text": 3}]}]),
            "messages[0].content[0].text",
            "`messages[0].content[0].text` must be a string or null, not a whole number",
        ),
        (
            body(messages=[{"role": "user", "content": [{"text": "x"}]}]),
            "messages[0].content[0].type",
            "`messages[0].content[0].type` is missing",
        ),
        (body(stream="yes"), "stream", "`stream` must be a boolean or null, not a string"),
        (body(stream=1), "stream", "`stream` must be a boolean or null, not a whole number"),
        (body(max_tokens=-1), "max_tokens", "`max_tokens` must be at least 0"),
        (body(max_completion_tokens=True), "max_completion_tokens", None),
        (body(max_tokens=1.5), "max_tokens", "`max_tokens` must be a whole number or null, not a number"),
        (body(n=0), "n", "`n` must be at least 1"),
        (body(n=10**30), "n", "`n` must be at most 2147483647"),
        (body(tools=[{"type": "function", "function": {"name": 1}}]), "tools[0].function.name", None),
        (body(metadata=["a"]), "metadata", "`metadata` must be an object or null, not a list"),
        (body(model="a\ud800"), None, "the request body is not valid JSON"),
        (body(messages=[{"role": "user", "content": "\udc00"}]), None, "the request body is not valid JSON"),
        (body(user="x").replace(b'"x"', b'"\xff"'), None, "the request body is not valid UTF-8"),
        (b"\xff\xfe{", None, "the request body is not valid UTF-8 (byte 0)"),
        (body(x=None).replace(b"null", b"[" * 100_000), None, "the request body is nested too deeply"),
        (body(x=None).replace(b"null", b'{"a":' * 100_000), None, "the request body is nested too deeply"),
        (body(n=None).replace(b"null", b"9" * 9_000), "n", None),
        (body(metadata={"a": 0}).replace(b"0", b"9" * 9_000), None, None),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(raw: bytes, field: str | None, message: str | None) -> None:
    with pytest.raises(WireError) as caught:
        decode_request(raw)
    assert message is None or caught.value.message.startswith(message)
    assert field is None or caught.value.field == field
    assert not caught.value.message.endswith(".")


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (b'{"model":"a","messages":[{"role":"user","content":"x"}],"model":"b"}', "model"),
        (b'{"model":"a","messages":[{"role":"user","content":"x"}],"mod\\u0065l":"a"}', "model"),
        (b'{ "x" : 1, "model":"a","messages":[{"role":"user","content":"x"}],"x":1}', "x"),
        (b'{"model":"a","messages":[{"role":"user","content":"x","content":"y"}]}', "messages[0].content"),
        (b'{"model":"a","messages":[{"role":"user","content":"x"},{"role":"a","role":"b"}]}', "messages[1].role"),
        (
            b'{"model":"a","messages":[{"role":"user","content":[{"type":"text","text":"x","text":"y"}]}]}',
            "messages[0].content[0].text",
        ),
    ],
)
def test_a_member_given_twice_is_refused(raw: bytes, field: str) -> None:
    with pytest.raises(WireError) as caught:
        decode_request(raw)
    assert caught.value.message == f"`{field}` is given twice"
    assert caught.value.field == field


def test_names_spelled_with_escapes_are_read_as_what_they_say() -> None:
    request = decode_request(
        b'{"mod\\u0065l":"a","messages":[{"r\\u006fle":"user","content":"x"}],"str\\u0065am":true}'
    )
    assert (request.model, request.stream, request.question) == ("a", True, "x")


def test_unknown_members_identify_the_request_and_labels_do_not() -> None:
    plain = decode_request(body())
    labels = decode_request(body(**dict.fromkeys(UNSHAPING - {"model", "messages"})))
    assert plain.settings == labels.settings == ()
    assert decode_request(body(brand_new=1)).settings == (("brand_new", b"1"),)


def test_settings_do_not_depend_on_the_order_of_members() -> None:
    assert decode_request(body(top_p=1, seed=2)).settings == decode_request(body(seed=2, top_p=1)).settings


def test_the_newer_output_limit_wins_also_when_it_is_the_larger() -> None:
    assert decode_request(body(max_tokens=5, max_completion_tokens=9)).max_output_tokens == 9
    assert decode_request(body(max_tokens=5, max_completion_tokens=0)).max_output_tokens == 0
    assert decode_request(body(max_tokens=0)).max_output_tokens == 0


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(
    [
        "model",
        "messages",
        "stream",
        "stream_options",
        "n",
        "max_tokens",
        "tools",
        "functions",
        "metadata",
        "response_format",
    ]
)
parts = st.fixed_dictionaries({}, optional={"type": json_values, "text": json_values, "refusal": json_values})
messages = st.fixed_dictionaries(
    {},
    optional={
        "role": st.sampled_from(["user", "system"]) | json_values,
        "content": st.lists(parts, max_size=2) | json_values,
        "tool_calls": json_values,
    },
)
likely = st.fixed_dictionaries({"model": st.text(), "messages": st.lists(messages, max_size=3) | json_values}).flatmap(
    lambda fixed: st.dictionaries(names, json_values, max_size=4).map(lambda extra: extra | fixed)
)


@given(
    st.binary()
    | likely.map(lambda value: json.dumps(value).encode())
    | json_values.map(lambda v: json.dumps(v).encode())
)
@example(b'{"model":"a","messages":[{"role":"u","content":[null]}]}')
@example(b'{"a":1e999,"model":"a","messages":[{"role":"u"}]}')
def test_any_bytes_are_a_request_or_a_wire_error(raw: bytes) -> None:
    try:
        request = decode_request(raw)
    except WireError:
        return
    assert request.model == json.loads(raw)["model"]
