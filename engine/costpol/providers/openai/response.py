"""A chat completion answer, as the policy sees it."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, json

from costpol.inference.response import Response
from costpol.inference.usage import Usage
from costpol.inference.usage_bodies import usage_from
from costpol.providers.openai.errors import wire_error
from costpol.providers.openai.request import Tool
from costpol.providers.openai.written import written


class _Part(Struct, gc=False):
    type: str = "text"
    text: str | None = None


class _Function(Struct, gc=False):
    name: str = ""


class _Message(Struct, gc=False):
    content: str | list[_Part] | None = None
    refusal: str | None = None
    tool_calls: list[Tool] | None = None
    function_call: _Function | None = None


class _Choice(Struct, gc=False):
    message: _Message
    finish_reason: str | None = None


class _Completion(Struct, gc=False):
    choices: list[_Choice]
    model: str | None = None
    usage: Any = None


_COMPLETION = json.Decoder(_Completion)
_NO_CHOICE = _Choice(_Message())


def decode_response(body: bytes) -> Response:
    """The answer in `body`; of several, the first is read. Raises `WireError` for what is no chat completion."""
    try:
        completion = _COMPLETION.decode(body)
    except (ValueError, RecursionError) as error:
        raise wire_error(error, "the answer") from None
    choice = completion.choices[0] if completion.choices else _NO_CHOICE
    message = choice.message
    calls = tuple(call.called for call in message.tool_calls or ())
    if message.function_call is not None:
        calls += (message.function_call.name,)
    usage = read_usage(completion.usage)
    untold = usage.output_tokens is None and bool(completion.choices)
    return Response(
        content=_text(message.content),
        finish_reason=choice.finish_reason,
        usage=usage,
        model=completion.model,
        tool_calls=calls,
        refusal=bool(message.refusal),
        answers=len(completion.choices),
        body=body,
        written=_written(body) if untold else "",
    )


def read_usage(reported: Any) -> Usage:
    """The tokens in a `usage` member; what is absent, or is not a count, is `None`."""
    return usage_from("openai-chat", reported if isinstance(reported, dict) else None)


def _written(body: bytes) -> str:
    try:
        return written(json.decode(body)["choices"][0]["message"])
    except (ValueError, RecursionError):  # a member that nobody reads holds what cannot be read
        return ""


def _text(content: str | list[_Part] | None) -> str:
    if type(content) is list:
        return "".join(part.text for part in content if part.text)
    return content if type(content) is str else ""
