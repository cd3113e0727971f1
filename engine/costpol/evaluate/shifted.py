"""Which requests another routing rule decides under a new policy, each kind shown by a request tried on both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from msgspec import json

from costpol.evaluate.effects import Effect, Policies
from costpol.inference.caller import Caller
from costpol.inference.tokens import estimate_tokens, request_tokens
from costpol.lint.reach.shift import Named, shifts
from costpol.lint.reach.witness import Witness, describe
from costpol.pipeline.arrival import Arrival
from costpol.pipeline.keywords import KeywordCollector
from costpol.pipeline.matching import compile_when
from costpol.pipeline.signals import Signals
from costpol.policy.bundle import Bundle
from costpol.policy.references import OTHERWISE, intent_names
from costpol.providers.openai import decode_request

DEFAULT = "default"
_PIXEL = "data:image/png;base64,iVBORw0KGgo="
_WORD = "forever"
_MOST_PADDING = 400_000
"""Tokens up to which a request is made as long as a condition asks."""


@dataclass(frozen=True, slots=True)
class Moved:
    """Some requests go from rule `before` to rule `after`. `confirmed` says that `request` was tried on both policies
    and went just so."""

    before: str
    after: str
    request: str
    confirmed: bool
    effect: Effect


@dataclass(frozen=True, slots=True)
class Reach:
    """All that moves; `complete` says that nothing else does."""

    moved: tuple[Moved, ...]
    complete: bool


def moved_requests(policies: Policies) -> Reach:
    """What the change of the rules does to the requests that each takes."""
    old, new = policies.old, policies.new
    names = sorted(intent_names(old) | intent_names(new))
    otherwise = new.intents.otherwise if new.intents is not None else OTHERWISE
    names.sort(key=lambda name: name == otherwise)
    found = shifts(_named(old), _named(new), names)
    moved = []
    for shift in found.found:
        before, after = shift.before or DEFAULT, shift.after or DEFAULT
        confirmed = _tried(shift.witness, (old, new), names[-1]) == (before, after)
        moved.append(Moved(before, after, describe(shift.witness), confirmed, _effect(before, after, policies)))
    return Reach(tuple(moved), found.complete)


def _named(bundle: Bundle) -> list[Named]:
    return [Named(rule.name, rule.when) for rule in bundle.routing.rules]


def _effect(before: str, after: str, policies: Policies) -> Effect:
    sign = policies.dearer(_target(policies.old, before), _target(policies.new, after))
    if sign == 1:
        return Effect("costs more", "these requests are dearer", loud=True)
    return Effect("costs less") if sign == -1 else Effect("other")


def _target(bundle: Bundle, rule: str) -> str:
    return next((each.route for each in bundle.routing.rules if each.name == rule), bundle.routing.default)


def _tried(witness: Witness, bundles: tuple[Bundle, Bundle], otherwise: str) -> tuple[str, str] | None:
    """Who decides a request under both policies, by their compiled matchers; `None` where it cannot be made."""
    arrival = arrival_of(witness)
    if arrival is None:
        return None
    intent = witness.get("intent") or otherwise
    before, after = (_decides(bundle, arrival, intent) for bundle in bundles)
    return before, after


def _decides(bundle: Bundle, arrival: Arrival, intent: str) -> str:
    collector = KeywordCollector()
    compiled = [(rule.name, compile_when(rule.when, collector)) for rule in bundle.routing.rules]
    signals = Signals(arrival, collector.compile(), estimate_tokens)
    signals.intent = intent
    return next((name for name, holds in compiled if holds(signals)), DEFAULT)


def arrival_of(witness: Witness) -> Arrival | None:
    """A request as a witness describes it; `None` where it asks for what cannot be made up: a pattern to match, or
    more tokens than anybody sends."""
    if witness.get("matching") or (witness.get("tokens") or 0) > _MOST_PADDING:
        return None
    body = dict(_members(witness))
    caller = Caller(*(witness.get(name) for name in ("tenant", "user", "agent", "session", "stage")))
    request = decode_request(json.encode(body))
    least = witness.get("tokens") or 0
    if request_tokens(request) < least:
        body["messages"] = [{"role": "system", "content": _padding(least, body)}, *body["messages"]]
        request = decode_request(json.encode(body))
    return Arrival(request, caller, deadline=witness.get("deadline"))


def _members(witness: Witness) -> Iterator[tuple[str, Any]]:
    question: Any = witness.get("message", "hello" if witness.get("turns", 1) else "")
    if witness.get("attachments"):
        question = [{"type": "text", "text": question}, {"type": "image_url", "image_url": {"url": _PIXEL}}]
    turns = witness.get("turns", 1)
    earlier = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hello"}] * max(turns - 1, 0)
    asked = [{"role": "user", "content": question}] if turns else [{"role": "system", "content": "continue"}]
    yield "messages", [*earlier, *asked]
    yield "model", witness.get("model") or "any"
    if witness.get("stream"):
        yield "stream", True
    if witness.get("tools"):
        yield "tools", [{"type": "function", "function": {"name": name}} for name in witness["tools"]]
    if witness.get("output") == "json":
        yield "response_format", {"type": "json_object"}
    if witness.get("output") == "schema":
        yield "response_format", {"type": "json_schema", "json_schema": {"name": "answer", "schema": {}}}
    labels = {name: value for name, value in (witness.get("metadata") or {}).items() if value is not None}
    if labels:
        yield "metadata", labels


def _padding(tokens: int, body: dict[str, Any]) -> str:
    """A system prompt that makes a request as long as asked, found by halving."""
    low, high = 0, 2 * tokens
    while low < high:
        middle = (low + high) // 2
        padded = {**body, "messages": [{"role": "system", "content": _words(middle)}, *body["messages"]]}
        if request_tokens(decode_request(json.encode(padded))) < tokens:
            low = middle + 1
        else:
            high = middle
    return _words(low)


def _words(count: int) -> str:
    """So many words of changing length: an estimate that samples a text must not meet the same letter each time."""
    return " ".join(_WORD[: 1 + (number * 2654435761 >> 16) % len(_WORD)] for number in range(count))
