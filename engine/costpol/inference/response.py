"""A model's answer as the policy sees it."""

from __future__ import annotations

from msgspec import Struct

from costpol.inference.usage import Usage


class Response(Struct, frozen=True, gc=False):
    """One answer. `body` is the complete JSON of a non-streamed answer, also when it reached the caller as a stream:
    it is what the cache keeps. `None` where the answer could not be put together (the stream broke off)."""

    content: str
    finish_reason: str | None
    usage: Usage
    model: str | None = None
    tool_calls: tuple[str, ...] = ()
    refusal: bool = False
    answers: int = 1
    body: bytes | None = None
    complete: bool = True
    """Whether the answer reached its end; a broken stream or a caller who left makes it `False`."""
    written: str = ""
    """All that the model wrote, its thoughts and tool calls included, where the provider told no output tokens."""
