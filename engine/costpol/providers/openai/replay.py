"""A stored answer served again, whole or as a stream.

It gets a new `id` and `created`; `model` and `usage` stay as stored. The usage tells what the answer took when it was
made, which is what clients that read it expect to find; that a repeat costs nothing is said in costpol's own headers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Raw, Struct, json

from costpol.inference.request import Request
from costpol.providers.openai.errors import wire_error
from costpol.providers.openai.members import encode, read_members

_PIECES = 24
_PIECE_LENGTH = 120
"""A replayed text comes in pieces of about this many characters, and in more than `_PIECES` only if it must not."""
_HEAD = ("service_tier", "system_fingerprint")
_WHOLE = ("role", "content", "tool_calls")
_NULL = Raw(b"null")


class _Choice(Struct, gc=False):
    message: dict[str, Any]
    index: int = 0
    finish_reason: str | None = None
    logprobs: Raw = _NULL


class _Completion(Struct, gc=False):
    choices: list[_Choice]


_COMPLETION = json.Decoder(_Completion)


def replay_body(body: bytes, request: Request, id: str, created: int) -> bytes:
    """The stored answer `body` as a new answer to `request`; every other member keeps its bytes. `created` in epoch
    seconds. Raises `WireError` if `body` is not an answer."""
    members = read_members(body, "the stored answer")
    return encode(members | {"id": Raw(encode(id)), "created": Raw(encode(created))})


def replay_stream(body: bytes, request: Request, id: str, created: int) -> list[bytes]:
    """The stored answer `body` as the events of a stream: for every choice its role, its text in pieces, its tool calls
    and its end; the usage if `request` asked for it; `[DONE]`. Raises `WireError` if `body` is not an answer."""
    members = read_members(body, "the stored answer")
    try:
        completion = _COMPLETION.decode(body)
    except (ValueError, RecursionError) as error:
        raise wire_error(error, "the stored answer") from None
    head = {"id": id, "object": "chat.completion.chunk", "created": created, "model": members.get("model", _NULL)}
    head |= {name: members[name] for name in _HEAD if name in members}
    tail = {"usage": None} if request.wants_usage else {}
    events = [_event(head | {"choices": [each]} | tail) for choice in completion.choices for each in _deltas(choice)]
    if request.wants_usage and "usage" in members:
        events.append(_event(head | {"choices": [], "usage": members["usage"]}))
    return [*events, b"data: [DONE]\n\n"]


def _event(chunk: dict[str, Any]) -> bytes:
    return b"data: " + encode(chunk) + b"\n\n"


def _deltas(choice: _Choice) -> Iterator[dict[str, Any]]:
    message = choice.message
    content = message.get("content")
    pieces = list(_pieces(content)) if isinstance(content, str) else []
    opening = {"role": message.get("role", "assistant"), "content": "" if pieces else content}
    opening |= {name: value for name, value in message.items() if name not in _WHOLE}
    yield _delta(choice, opening, logprobs=choice.logprobs)
    for piece in pieces:
        yield _delta(choice, {"content": piece})
    for index, call in enumerate(message.get("tool_calls") or ()):
        yield _delta(choice, {"tool_calls": [{"index": index} | call]})
    yield _delta(choice, {}, finish_reason=choice.finish_reason)


def _delta(
    choice: _Choice, delta: dict[str, Any], logprobs: Raw = _NULL, finish_reason: str | None = None
) -> dict[str, Any]:
    return {"index": choice.index, "delta": delta, "logprobs": logprobs, "finish_reason": finish_reason}


def _pieces(text: str) -> Iterator[str]:
    """The text cut after blanks where there are any, in pieces neither tiny nor many."""
    length = max(_PIECE_LENGTH, -(-len(text) // _PIECES))
    start = 0
    while start < len(text):
        end = min(start + length, len(text))
        if end < len(text):
            blank = max(text.rfind(" ", start, end), text.rfind("\n", start, end))
            end = blank + 1 if blank > start else end
        yield text[start:end]
        start = end
