"""A request as the policy sees it: the few fields that decisions read, beside the bytes that travel on unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field


class Message(Struct, frozen=True, gc=False):
    """One turn. `text` joins its text parts; `raw` is its JSON as it came, which is what identity is made of."""

    role: str
    """`system` (also OpenAI's `developer`), `user`, `assistant` or `tool`."""
    text: str
    raw: bytes
    tool_calls: tuple[str, ...] = ()
    """Names of the tools that an assistant turn calls."""
    attachments: int = 0
    """Parts that are not text: images, audio, files."""


class Request(Struct, frozen=True, gc=False):
    """One inference request, whatever the dialect it came in.

    `settings` are the top-level members, as they came, that shape the answer besides model and messages (tools, output
    format, sampling, everything unknown), sorted by name: together with the messages they identify the request exactly.
    """

    dialect: str
    """The adapter that read it: `openai`."""
    model: str
    messages: tuple[Message, ...]
    raw: bytes
    settings: tuple[tuple[str, bytes], ...] = ()
    members: Mapping[str, Any] = field(default_factory=dict)
    """The top-level members of `raw` as its adapter read them, so that it need not read them again to change them."""
    tools: tuple[str, ...] = ()
    stream: bool = False
    wants_usage: bool = False
    """A stream that asked for its usage itself (`stream_options.include_usage`)."""
    max_output_tokens: int | None = None
    answers: int = 1
    """How many answers were asked for (`n`)."""
    output_format: str = "text"
    """`text`, `json` (any JSON object) or `schema` (JSON by a given schema)."""
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def question(self) -> str:
        """The text of the last user turn: what routing rules and the cache look at."""
        for message in reversed(self.messages):
            if message.role == "user":
                return message.text
        return ""

    @property
    def turns(self) -> int:
        """How many user turns the conversation has."""
        return sum(1 for message in self.messages if message.role == "user")
