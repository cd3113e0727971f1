"""All that a model wrote in one message, whether it is shown or not: what a provider bills as output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_THOUGHTS = ("reasoning_content", "reasoning")
"""Names of the same text: servers that send both mean one."""
_CALLED = ("name", "arguments", "input")


def written(message: Mapping[str, Any]) -> str:
    """The content, the thoughts, the refusal and the calls of a message, joined."""
    thoughts = next((text for name in _THOUGHTS if (text := _text(message.get(name)))), "")
    said = (thoughts, _text(message.get("content")), _text(message.get("refusal")))
    return "\n".join(text for text in (*said, *_calls(message)) if text)


def _calls(message: Mapping[str, Any]) -> Iterator[str]:
    calls = message.get("tool_calls")
    for call in (*(calls if isinstance(calls, list) else ()), {"function": message.get("function_call")}):
        called = (call.get("function") or call.get("custom")) if isinstance(call, dict) else None
        if isinstance(called, dict):
            yield " ".join(text for name in _CALLED if (text := _text(called.get(name))))


def _text(value: Any) -> str:
    """A text, or the joined texts of its parts."""
    if isinstance(value, list):
        return "".join(_text(part.get("text")) for part in value if isinstance(part, dict))
    return value if isinstance(value, str) else ""
