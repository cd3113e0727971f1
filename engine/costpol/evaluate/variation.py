"""A request changed just so far that a condition holds which did not: what the change is in words, and the request.

Whether the change does what was wanted is never taken for granted: whoever makes it runs the changed request through
the flow. A condition that no small change can meet (a pattern, another whole message, another intent) gives none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from msgspec import json, structs

from costpol.errors import WireError
from costpol.evaluate.conditions import Condition, missing_conditions
from costpol.inference.caller import Caller
from costpol.inference.tokens import TokenCounter, estimate_tokens
from costpol.pipeline.arrival import Arrival
from costpol.pipeline.keywords import KeywordSet
from costpol.pipeline.signals import Signals
from costpol.policy.nodes.matcher import DurationRange, Range, TextMatch, When
from costpol.providers.openai import decode_request
from costpol.units import format_duration

_PIXEL = "data:image/png;base64,iVBORw0KGgo="
_PARTS = ("tenant", "user", "agent", "session", "stage")
_MOST_ADDED = 200_000
"""Tokens that a request is made longer by at most."""


@dataclass(slots=True)
class _Draft:
    """A request in the making. `changes` says what was changed."""

    body: dict[str, Any]
    caller: Caller
    deadline: float | None
    signals: Signals
    changes: list[str] = field(default_factory=list)

    @property
    def messages(self) -> list[Any]:
        return self.body["messages"]  # type: ignore[no-any-return]

    def say(self, text: str) -> bool:
        """Put another text in place of the last user message; whether there is one that is plain text."""
        for index in range(len(self.messages) - 1, -1, -1):
            message = self.messages[index]
            if message.get("role") == "user":
                if not isinstance(message.get("content"), str):
                    return False
                self.messages[index] = {**message, "content": text}
                return True
        return False


def vary(
    arrival: Arrival, conditions: Sequence[Condition], intent: str | None, count: TokenCounter
) -> tuple[str, Arrival] | None:
    """What changes for all conditions to hold, in words, and the changed request; `None` where nothing small does."""
    signals = Signals(arrival, KeywordSet(None), count)
    signals.intent = intent
    draft = _draft(arrival, signals)
    if draft is None or not all(_meet(condition.when, draft) for condition in conditions):
        return None
    varied = _made(draft, arrival)
    return None if varied is None else (" and ".join(draft.changes), varied)


def without(arrival: Arrival, phrases: Sequence[str]) -> Arrival | None:
    """The request without these phrases in its last user message; `None` where they do not stand there as written."""
    text = arrival.request.question
    for phrase in phrases:
        at = text.casefold().find(phrase.casefold())
        if at < 0:
            return None
        text = " ".join((text[:at] + text[at + len(phrase) :]).split())
    draft = _draft(arrival, Signals(arrival, KeywordSet(None), estimate_tokens))
    if draft is None or not text or not draft.say(text):
        return None
    return _made(draft, arrival)


def _draft(arrival: Arrival, signals: Signals) -> _Draft | None:
    body = json.decode(arrival.request.raw)
    if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
        return None
    return _Draft(dict(body, messages=list(body["messages"])), arrival.caller, arrival.deadline, signals)


def _made(draft: _Draft, arrival: Arrival) -> Arrival | None:
    try:
        request = decode_request(json.encode(draft.body))
    except WireError:
        return None
    return structs.replace(arrival, request=request, caller=draft.caller, deadline=draft.deadline)


def _meet(when: When, draft: _Draft) -> bool:
    """Change the request so that a `when` with one condition holds; whether that can be done."""
    if when.message is not None:
        return _message(when.message, draft)
    if when.tokens is not None:
        return _tokens(when.tokens, draft)
    if when.turns is not None:
        return _turns(when.turns, draft)
    if when.deadline is not None:
        return _deadline(when.deadline, draft)
    if when.any:
        return _any(when.any, draft)
    for part in _PARTS:
        if patterns := getattr(when, part):
            draft.caller = replace(draft.caller, **{part: _like(patterns[0])})
            draft.changes.append(f"the {part} `{patterns[0]}`")
            return True
    for name, patterns in when.metadata.items():
        draft.body["metadata"] = {**(draft.body.get("metadata") or {}), name: _like(patterns[0])}
        draft.changes.append(f"metadata `{name}: {patterns[0]}`")
        return True
    change = _setting(when)
    if change is None:
        return False
    told, alter = change
    alter(draft.body)
    draft.changes.append(told)
    return True


def _setting(when: When) -> tuple[str, Callable[[dict[str, Any]], Any]] | None:
    """A member of the request that is set, or taken away."""
    if when.tools == "none":
        return "no tool offered", lambda body: [body.pop(name, None) for name in ("tools", "tool_choice")]
    if when.tools is not None:
        name = "any" if when.tools == "any" else when.tools[0]
        told = "a tool offered" if when.tools == "any" else f"the tool `{name}` offered"
        tool = {"type": "function", "function": {"name": name}}
        return told, lambda body: body.update(tools=[*(body.get("tools") or ()), tool])
    named = next((name for name in when.model if "*" not in name), None)
    if named is not None:
        return f"the model `{named}` asked for", lambda body: body.update(model=named)
    if when.stream is not None:
        told = "the answer streamed" if when.stream else "the answer not streamed"
        return told, lambda body: body.update(stream=when.stream)
    if when.output:
        return f"the output format {when.output[0]}", lambda body: body.update(response_format=_FORMATS[when.output[0]])
    if when.attachments:
        return "an image attached", _attach
    return None


def _attach(body: dict[str, Any]) -> None:
    """Put an image beside the text of the last user message."""
    for index in range(len(body["messages"]) - 1, -1, -1):
        message = body["messages"][index]
        if message.get("role") == "user" and isinstance(message.get("content"), str):
            image = {"type": "image_url", "image_url": {"url": _PIXEL}}
            body["messages"][index] = {**message, "content": [{"type": "text", "text": message["content"]}, image]}
            return


_FORMATS: dict[str, Any] = {
    "text": {"type": "text"},
    "json": {"type": "json_object"},
    "schema": {"type": "json_schema", "json_schema": {"name": "answer", "schema": {}}},
}


def _message(match: TextMatch, draft: _Draft) -> bool:
    question = draft.signals.request.question
    length = len(draft.signals.question)
    if match.words:
        others = " or another of its words" if len(match.words) > 1 else ""
        draft.changes.append(f"`{match.words[0]}`{others} in the message")
        return draft.say(f"{question} {match.words[0]}")
    if match.min_chars is not None and length < match.min_chars:
        draft.changes.append(_counted(match.min_chars - length, "more character"))
        return draft.say(question + "." * (match.min_chars - length))
    if match.max_chars is not None and length > match.max_chars:
        draft.changes.append(_counted(length - match.max_chars, "fewer character"))
        return draft.say(question[: match.max_chars])
    return False


def _tokens(bounds: Range, draft: _Draft) -> bool:
    more = (bounds.min or 0) - draft.signals.tokens
    if not 0 < more <= _MOST_ADDED:
        return False  # which words to leave out is the caller's to say
    draft.changes.append(_counted(more, "more input token"))
    # A word of the estimate is at most five characters long, so as many words are certainly enough.
    draft.messages.insert(0, {"role": "system", "content": " ".join(["keeps"] * (more + 1))})
    return True


def _turns(bounds: Range, draft: _Draft) -> bool:
    turns = draft.signals.turns
    first = next((i for i, each in enumerate(draft.messages) if each.get("role") not in _PROMPTS), len(draft.messages))
    if bounds.min is not None and turns < bounds.min:
        more = bounds.min - turns
        turn = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hello"}]
        draft.messages[first:first] = turn * more
        draft.changes.append(_counted(more, "more user turn"))
        return True
    if bounds.max is not None and turns > bounds.max > 0:
        users = [i for i, each in enumerate(draft.messages) if each.get("role") == "user"]
        del draft.messages[first : users[turns - bounds.max]]
        draft.changes.append(_counted(turns - bounds.max, "fewer user turn"))
        return True
    return False


_PROMPTS = ("system", "developer")


def _deadline(bounds: DurationRange, draft: _Draft) -> bool:
    wanted = bounds.min if bounds.min is not None else bounds.max
    if draft.deadline is not None and bounds.max is not None and draft.deadline > bounds.max:
        wanted = bounds.max
    if wanted is None:
        return False
    draft.deadline = wanted
    draft.changes.append(f"a deadline of {format_duration(wanted)}")
    return True


def _any(parts: Sequence[When], draft: _Draft) -> bool:
    """The first part that can be met, whole."""
    signals = draft.signals
    for part in parts:
        missing = missing_conditions(part, signals.arrival, signals.intent, signals.count)
        changed = vary(signals.arrival, missing, signals.intent, signals.count)
        if changed is not None and not draft.changes:
            told, arrival = changed
            draft.body, draft.caller = json.decode(arrival.request.raw), arrival.caller
            draft.deadline = arrival.deadline
            draft.changes.append(told)
            return True
    return False


def _like(pattern: str) -> str:
    """A name that a pattern matches."""
    return pattern.replace("*", "x")


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
