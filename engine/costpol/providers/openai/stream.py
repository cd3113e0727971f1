"""A streamed answer, read as it passes by.

INVARIANT: what `feed` and `close` return, joined, is what came in, without the hidden event; how the bytes were split
changes neither that nor the answer.
"""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct, json

from costpol.inference.response import Response
from costpol.providers.openai.assembly import LIMIT, Assembly, Choice, Growing
from costpol.providers.openai.members import encode
from costpol.providers.openai.response import read_usage
from costpol.providers.openai.written import written

_EVENT_END = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?=[^\n]))")
"""The end of a line, then an empty line. A carriage return that comes last ends no line yet: the next byte tells."""
_PLAIN_EVENT_END = re.compile(rb"\n\n")
"""The same for bytes without a carriage return, found at a fifth of the price."""
_OVERLAP = 4
"""How far back a separator may begin that new bytes complete."""
_ERROR_EVENT = re.compile(rb"^event:[ ]?error\s*$", re.MULTILINE)


class _Chunk(Struct, gc=False):
    choices: list[Choice] | None = None
    usage: Any = None
    error: Any = None
    id: str | None = None
    created: float | int | None = None
    model: str | None = None
    system_fingerprint: str | None = None
    service_tier: str | None = None


_CHUNK = json.Decoder(_Chunk)
_HEAD = ("id", "created", "model", "system_fingerprint", "service_tier")


class StreamDecoder:
    """Reads a stream of chat completion chunks and keeps the answer.

    Bytes are passed on at once. Only with `hide_usage`, when costpol asked for the usage and the caller did not, is an
    event held back until it is whole (no client can use a part of one), and dropped if it carries nothing but usage.
    """

    def __init__(self, hide_usage: bool = False) -> None:
        self._hide_usage = hide_usage
        self._held: bytes | bytearray = b""
        self._assembly = Assembly()
        self._head: dict[str, Any] = {}
        self._usage: Any = None
        self._done = False
        self._closed = False
        self._blind = False
        self._broken = False
        self.error: bytes | None = None
        """The data of the first error that the upstream sent inside the stream."""

    @property
    def started(self) -> bool:
        """Whether any part of an answer has come."""
        return bool(self._assembly.choices)

    def feed(self, chunk: bytes) -> bytes:
        """Take the next bytes; returns the bytes to pass on."""
        if self._blind:
            return chunk
        before = len(self._held)
        data: bytes | bytearray = chunk
        if before:
            self._held += chunk
            data = self._held
        hide_usage = self._hide_usage
        shown = []
        start = 0
        event_end = _EVENT_END if b"\r" in data else _PLAIN_EVENT_END
        for separator in event_end.finditer(data, max(0, before - _OVERLAP)):
            end = separator.end()
            event = bytes(data[start:end])
            start = end
            if not self._take(event) and hide_usage:
                shown.append(event)
        if start or not before:
            self._held = bytearray(data[start:]) if start < len(data) else b""
        passed = b"".join(shown) if hide_usage else chunk
        return passed + self._give_up() if len(self._held) > LIMIT else passed

    def close(self) -> bytes:
        """Say that the upstream ended the stream in good order; returns the bytes still to pass on."""
        self._closed = True
        rest, self._held = bytes(self._held), b""
        hidden = self._take(rest)
        return rest if self._hide_usage and not hidden else b""

    def response(self) -> Response:
        """The answer so far. It is complete if every choice has a finish reason, the stream came to its end (`[DONE]`,
        or `close`), and nothing in it was broken or an error."""
        assembly = self._assembly
        first = assembly.choices[min(assembly.choices)] if assembly.choices else Growing()
        index = min(assembly.choices, default=0)
        complete = assembly.finished and (self._done or self._closed) and not self._broken and self.error is None
        message = first.plain()
        usage = read_usage(self._usage)
        return Response(
            content=first.text("content"),
            finish_reason=assembly.finish_reasons.get(index),
            usage=usage,
            model=self._head.get("model"),
            tool_calls=_names(message),
            refusal=bool(first.text("refusal")),
            answers=len(assembly.choices),
            body=self._body() if complete and not assembly.overfull else None,
            complete=complete,
            written=written(message) if usage.output_tokens is None else "",
        )

    def _take(self, event: bytes) -> bool:
        """Read one event; returns whether it is to be hidden."""
        if self._done:
            return False
        data = _data(event)
        if not data:
            return False
        if data == b"[DONE]":
            self._done = True
            return False
        try:
            chunk = _CHUNK.decode(data)
            for choice in chunk.choices or ():
                self._assembly.add(choice, len(data))
        except (ValueError, RecursionError):
            self._broken = True
            return False
        if chunk.error or (not chunk.choices and _ERROR_EVENT.search(event)):
            self.error = self.error or data
        if not self._head and chunk.id:
            self._head = {name: getattr(chunk, name) for name in _HEAD if getattr(chunk, name) is not None}
        if chunk.usage is not None:
            self._usage = chunk.usage
            return self._hide_usage and not chunk.choices
        return False

    def _give_up(self) -> bytes:
        """An event without end: pass everything through unread from here on."""
        self._blind = self._broken = True
        held, self._held = bytes(self._held), b""
        return held if self._hide_usage else b""

    def _body(self) -> bytes | None:
        head = {"id": "", "object": "chat.completion", "created": 0, "model": ""} | self._head
        usage = {} if self._usage is None else {"usage": self._usage}
        try:
            return encode(head | {"choices": self._assembly.plain()} | usage)
        except (ValueError, RecursionError):
            return None


def _data(event: bytes) -> bytes:
    """The data of an event, its lines joined."""
    if event.startswith(b"data:") and event.endswith(b"\n\n") and len(event.splitlines()) == 2:
        return event[5:].strip()  # as providers write it: one line
    return b"\n".join(line[5:] for line in event.splitlines() if line.startswith(b"data:")).strip()


def _names(message: dict[str, Any]) -> tuple[str, ...]:
    calls = [call.get("function") or call.get("custom") or {} for call in message.get("tool_calls") or ()]
    if message.get("function_call"):
        calls.append(message["function_call"])
    return tuple(call["name"] for call in calls if type(call) is dict and type(call.get("name")) is str)
