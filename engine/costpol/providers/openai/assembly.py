"""A whole answer put together from the deltas of a stream."""

from __future__ import annotations

from io import StringIO
from typing import Any

from msgspec import Struct

LIMIT = 8 * 2**20
"""How much of a stream is kept, in characters. An answer beyond it passes through but is not kept."""

_ITEM = 256
"""What any value but a text counts towards the limit beside its own JSON."""
_DEPTH = 4
"""How deep objects grow by pieces; what lies deeper is taken whole."""
_ONCE = frozenset({"role", "id", "type", "name", "format"})
"""Texts that are said once (or the same again); every other text arrives in pieces."""


class Choice(Struct, gc=False):
    """What one event adds to one of the answers."""

    index: int = 0
    delta: dict[str, Any] | None = None
    finish_reason: str | None = None
    logprobs: dict[str, Any] | None = None


class Growing:
    """An object that grows by deltas: pieces of text join, lists extend, objects grow in turn."""

    __slots__ = ("depth", "members")

    def __init__(self, depth: int = 0) -> None:
        self.depth = depth
        self.members: dict[str, Any] = {}

    def add(self, delta: dict[str, Any]) -> None:
        """Merge one delta."""
        members = self.members
        for name, value in delta.items():
            if type(value) is str and type(held := members.get(name)) is StringIO:
                held.write(value)  # by far the most frequent
                continue
            held = members.get(name)
            if value is None:
                members.setdefault(name, None)
            elif type(value) is str and name not in _ONCE:
                if type(held) is not StringIO:
                    held = members[name] = StringIO()
                held.write(value)
            elif type(value) is dict and self.depth < _DEPTH:
                if type(held) is not Growing:
                    held = members[name] = Growing(self.depth + 1)
                held.add(value)
            elif name == "tool_calls" and type(value) is list:
                if type(held) is not Calls:
                    held = members[name] = Calls()
                held.add(value)
            elif type(value) is list and type(held) is list:
                held.extend(value)
            elif held is None or value:
                members[name] = value

    def plain(self) -> dict[str, Any]:
        """The object as JSON would have it."""
        return {name: _plain(value) for name, value in self.members.items()}

    def text(self, name: str) -> str:
        """The text that has come under a name so far."""
        held = self.members.get(name)
        return held.getvalue() if type(held) is StringIO else ""


class Calls:
    """Tool calls that grow by deltas, told apart by `index`; without one, by their `id`."""

    __slots__ = ("by_index",)

    def __init__(self) -> None:
        self.by_index: dict[int, Growing] = {}

    def add(self, deltas: list[Any]) -> None:
        """Merge the tool calls of one delta."""
        for delta in deltas:
            if type(delta) is not dict:
                raise ValueError("a tool call is not an object")
            index = delta.pop("index", None)
            if type(index) is not int:
                last = max(self.by_index, default=-1)
                index = last + 1 if delta.get("id") or last < 0 else last
            self.by_index.setdefault(index, Growing(1)).add(delta)

    def plain(self) -> list[dict[str, Any]]:
        """The calls in order."""
        return [self.by_index[index].plain() for index in sorted(self.by_index)]


class Assembly:
    """The answers of one stream."""

    __slots__ = ("choices", "finish_reasons", "logprobs", "overfull", "size")

    def __init__(self) -> None:
        self.choices: dict[int, Growing] = {}
        self.finish_reasons: dict[int, str] = {}
        self.logprobs: dict[int, dict[str, Any]] = {}
        self.size = 0
        self.overfull = False

    @property
    def finished(self) -> bool:
        """Whether every answer that began has come to its end."""
        return bool(self.choices) and len(self.finish_reasons) == len(self.choices)

    def add(self, choice: Choice, length: int) -> None:
        """Merge one choice of an event whose JSON is `length` bytes long. Raises `ValueError` for a broken delta."""
        index = choice.index
        kept = self._keeps(choice, length)
        growing = self.choices.get(index)
        if growing is None:
            if not kept:
                return
            growing = self.choices[index] = Growing()
            self.size += _ITEM
        if choice.finish_reason is not None:
            self.finish_reasons[index] = choice.finish_reason
        if kept and choice.delta:
            growing.add(choice.delta)
        if kept and choice.logprobs:
            self._add_logprobs(index, choice.logprobs)

    def plain(self) -> list[dict[str, Any]]:
        """The `choices` of a whole answer."""
        return [self._plain_choice(index) for index in sorted(self.choices)]

    def _keeps(self, choice: Choice, length: int) -> bool:
        delta = choice.delta
        if choice.logprobs is None and delta and len(delta) == 1 and type(delta.get("content")) is str:
            self.size += len(delta["content"])
        else:
            self.size += length + _ITEM
        self.overfull = self.overfull or self.size > LIMIT
        return not self.overfull

    def _add_logprobs(self, index: int, logprobs: dict[str, Any]) -> None:
        held = self.logprobs.setdefault(index, {})
        for name, value in logprobs.items():
            if type(value) is list and type(held.get(name)) is list:
                held[name].extend(value)
            elif held.get(name) is None:
                held[name] = value

    def _plain_choice(self, index: int) -> dict[str, Any]:
        message = {"role": "assistant", "content": None, "refusal": None} | self.choices[index].plain()
        return {
            "index": index,
            "message": message,
            "logprobs": self.logprobs.get(index),
            "finish_reason": self.finish_reasons.get(index),
        }


def _plain(value: Any) -> Any:
    if type(value) is StringIO:
        return value.getvalue()
    return value.plain() if type(value) is Growing or type(value) is Calls else value
