"""A chat completion request as the policy sees it: only what decisions read is checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta, Raw, Struct, json

from costpol.inference.request import Message, Request
from costpol.providers.openai.errors import wire_error
from costpol.providers.openai.members import check_objects, read_members

UNSHAPING = frozenset(
    {
        "model",  # compared on its own
        "messages",  # compared on their own
        "stream",  # how the answer travels
        "stream_options",
        "user",  # who asks
        "safety_identifier",
        "metadata",  # labels for the provider's dashboard
        "store",
        "prompt_cache_key",  # how the provider computes, at what speed and price
        "prompt_cache_retention",
        "prompt_cache_options",
        "service_tier",
    }
)
"""Top-level members that do not shape the answer. Every other one does, unknown ones included."""

_ROLES = {"developer": "system", "function": "tool"}
_FORMATS = {"json_object": "json", "json_schema": "schema"}

_MOST = 2**31 - 1
_Count = Annotated[int, Meta(ge=0, le=_MOST)]
_Positive = Annotated[int, Meta(ge=1, le=_MOST)]


class _Named(Struct, gc=False):
    name: str = ""


class Tool(Struct, gc=False):
    """A tool on offer, a call of one, or the choice of one."""

    type: str = "function"
    function: _Named | None = None
    custom: _Named | None = None

    @property
    def called(self) -> str:
        """Its name; a tool of the provider's own (`web_search`) is known by its type."""
        named = self.function or self.custom
        return named.name if named else self.type


class _Part(Struct, gc=False):
    type: str
    text: str | None = None
    refusal: str | None = None


class _Message(Struct, gc=False):
    role: str
    content: str | list[_Part] | None = None
    tool_calls: list[Tool] | None = None
    function_call: _Named | None = None


class _StreamOptions(Struct, gc=False):
    include_usage: bool | None = None


class _Format(Struct, gc=False):
    type: str


class _Body(Struct, gc=False):
    model: Annotated[str, Meta(min_length=1)]
    messages: Annotated[list[_Message], Meta(min_length=1)]
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    n: _Positive | None = None
    max_tokens: _Count | None = None
    max_completion_tokens: _Count | None = None
    tools: list[Tool] | None = None
    functions: list[_Named] | None = None
    response_format: _Format | None = None
    metadata: dict[str, Any] | None = None


_BODY = json.Decoder(_Body)
_RAWS = json.Decoder(list[Raw])


def decode_request(body: bytes) -> Request:
    """The request in `body`. Raises `WireError` for what cannot be read without doubt."""
    members = read_members(body)
    try:
        parsed = _BODY.decode(body)
        raws = _RAWS.decode(members["messages"])
    except (ValueError, RecursionError) as error:
        raise wire_error(error) from None
    _check_messages(members["messages"], parsed.messages)
    limit = parsed.max_completion_tokens
    options = parsed.stream_options
    return Request(
        dialect="openai",
        model=parsed.model,
        messages=tuple(map(_message, parsed.messages, raws)),
        raw=body,
        settings=tuple(sorted((name, bytes(raw)) for name, raw in members.items() if name not in UNSHAPING)),
        members=members,
        tools=_tool_names(parsed),
        stream=parsed.stream is True,
        wants_usage=options is not None and options.include_usage is True,
        max_output_tokens=parsed.max_tokens if limit is None else limit,
        answers=parsed.n or 1,
        output_format=_FORMATS.get(parsed.response_format.type, "text") if parsed.response_format else "text",
        metadata=_labels(parsed.metadata) if parsed.metadata else {},
    )


def _check_messages(raw: Raw, messages: list[_Message]) -> None:
    for index, members in enumerate(check_objects(raw, "messages")):
        if type(messages[index].content) is list:
            check_objects(members["content"], f"messages[{index}].content")


def _message(message: _Message, raw: Raw) -> Message:
    content = message.content
    role = _ROLES.get(message.role, message.role)
    if type(content) is str and not message.tool_calls and message.function_call is None:
        return Message(role, content, bytes(raw))
    calls = tuple(call.called for call in message.tool_calls or ())
    if message.function_call is not None:
        calls += (message.function_call.name,)
    if type(content) is not list:
        return Message(role, content if type(content) is str else "", bytes(raw), calls)
    texts = [part.text if part.type == "text" else part.refusal for part in content]
    attachments = sum(part.type not in ("text", "refusal") for part in content)
    return Message(role, "\n".join(text for text in texts if text), bytes(raw), calls, attachments)


def _tool_names(body: _Body) -> tuple[str, ...]:
    names = tuple(tool.called for tool in body.tools) if body.tools else ()
    return names + tuple(function.name for function in body.functions) if body.functions else names


def _labels(metadata: Mapping[str, Any]) -> dict[str, str]:
    """As texts: a customer's number tells who it is, whether it is written in quotes or not."""
    return {name: _label(value) for name, value in metadata.items() if value is not None}


def _label(value: object) -> str:
    return value if type(value) is str else str(value).lower() if type(value) is bool else str(value)
