"""The recorded answer of a request: a provider's own body, or just `{content, usage}`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import UNSET, DecodeError, Raw, Struct, UnsetType, ValidationError, json

from costpol.errors import WireError
from costpol.inference.response import Response
from costpol.inference.tokens import estimate_tokens
from costpol.inference.usage import Usage
from costpol.inference.usage_bodies import usage_from
from costpol.providers.openai import decode_response
from costpol.providers.openai.completion import completion_body

UNSTATED = "unstated"
"""The model of an answer that a log tells without naming one."""
_UNRECORDED = "(not recorded)"
_FINISHED = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls"}
_OWN_FIELDS = frozenset(Usage.__struct_fields__) - {"estimated"}


@dataclass(frozen=True, slots=True)
class Answer:
    """`response` is what the log tells; `estimated_tokens` the estimated length of the text, `None` where there is no
    text; `failed` says that the provider answered with an error."""

    response: Response
    estimated_tokens: int | None = None
    failed: bool = False


class _Body(Struct, gc=False):
    choices: Raw | UnsetType = UNSET
    content: Any = None
    usage: Any = None
    usageMetadata: Any = None  # noqa: N815 - Gemini's own name
    finish_reason: str | None = None
    stop_reason: str | None = None
    model: str | None = None
    tool_calls: list[Any] | None = None
    refusal: Any = None
    error: Any = None


_BODY = json.Decoder(_Body)


def read_answer(raw: Raw) -> Answer:
    """The answer in a record's `response`; what cannot be read counts as not recorded."""
    body = bytes(raw)
    if body == b"null":
        return Answer(_response(b"{}", _UNRECORDED, Usage()))
    try:
        parsed = _BODY.decode(body)
    except (ValidationError, DecodeError, RecursionError):
        return Answer(_response(b"{}", _UNRECORDED, Usage()))
    if parsed.error is not None:
        return Answer(_response(body, "", Usage()), failed=True)
    if parsed.choices is not UNSET:
        try:
            return _measured(decode_response(body), parsed, body)
        except WireError:
            return Answer(_response(b"{}", _UNRECORDED, read_usage(parsed.usage)))
    return _plain(parsed, body)


def _measured(response: Response, parsed: _Body, body: bytes) -> Answer:
    usage = read_usage(parsed.usage)
    tokens = estimate_tokens(response.written or response.content)
    if response.tool_calls or response.refusal or response.answers != 1:
        tokens = max(tokens, estimate_tokens(bytes(parsed.choices).decode("utf-8", "replace")))  # type: ignore[arg-type]
    made = Response(
        response.content, response.finish_reason, usage, response.model, response.tool_calls, response.refusal,
        response.answers, body,
    )  # fmt: skip
    return Answer(made, max(tokens, 1))


def _plain(parsed: _Body, body: bytes) -> Answer:
    usage = read_usage(parsed.usage if parsed.usage is not None else parsed.usageMetadata)
    text = _text(parsed.content)
    calls = tuple(_called(call) for call in parsed.tool_calls or ()) + _blocks_called(parsed.content)
    finish = parsed.finish_reason or _FINISHED.get(parsed.stop_reason or "", parsed.stop_reason)
    if finish is None:
        finish = "tool_calls" if calls else "stop"
    tokens = None if text is None and not calls else max(estimate_tokens(text or "") + 20 * len(calls), 1)
    content = (_UNRECORDED if not calls else "") if text is None else text
    if text and finish == "stop" and not calls and not parsed.refusal:  # as a cache would have kept it
        body = completion_body(parsed.model or UNSTATED, text, usage)
    made = Response(content, finish, usage, parsed.model, calls, bool(parsed.refusal), 1, body)
    return Answer(made, tokens)


def _response(body: bytes, content: str, usage: Usage) -> Response:
    return Response(content, "stop", usage, body=body)


def _text(content: Any) -> str | None:
    """A text, or the joined text of its parts; `None` where there is none."""
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else None


def _called(call: Any) -> str:
    function = call.get("function") if isinstance(call, dict) else None
    name = function.get("name") if isinstance(function, dict) else call.get("name") if isinstance(call, dict) else None
    return name if isinstance(name, str) else "unknown"


def _blocks_called(content: Any) -> tuple[str, ...]:
    blocks = content if isinstance(content, list) else ()
    return tuple(_called(each) for each in blocks if isinstance(each, dict) and each.get("type") == "tool_use")


def is_recorded(response: Response) -> bool:
    """Whether the log told what was answered."""
    return response.content != _UNRECORDED


def read_usage(usage: Any) -> Usage:
    """A usage by whichever names it goes: a provider's, or those of `Usage` itself."""
    if not isinstance(usage, Mapping):
        return Usage()
    if "prompt_tokens" in usage or "completion_tokens" in usage:
        return usage_from("openai-chat", usage)
    if "promptTokenCount" in usage or "candidatesTokenCount" in usage:
        return usage_from("google-gemini", usage)
    if "cache_read_tokens" in usage or "cache_write_tokens" in usage:
        return Usage(**{name: count for name, count in usage.items() if name in _OWN_FIELDS and _is_count(count)})
    if "cache_read_input_tokens" in usage or "cache_creation_input_tokens" in usage:
        return usage_from("anthropic-messages", usage)
    return usage_from("openai-responses", usage)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
