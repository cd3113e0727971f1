from __future__ import annotations

from typing import Any

import pytest

from costpol.evaluate.effects import Policies
from costpol.evaluate.shifted import Moved, arrival_of, moved_requests
from costpol.inference.tokens import request_tokens
from costpol.policy.loader import load_bundle
from costpol.runtime.facts import lint_facts


def moved(old: dict[str, bytes], new: dict[str, bytes]) -> list[Moved]:
    before, after = load_bundle(old).require(), load_bundle(new).require()
    reach = moved_requests(Policies(before, after, lint_facts(1_770_000_000.0)))
    assert reach.complete
    return list(reach.moved)


def routing(*rules: str, default: str = "cheap") -> str:
    listed = "".join(f"  - {rule}\n" for rule in rules)
    return f"kind: routing\ndefault: {default}\n" + (f"rules:\n{listed}" if rules else "") + "...\n"


ANALYZE = "{name: deep-work, when: {message: {words: [analyze]}}, route: strong}"
CHATS = "{name: chats, when: {turns: {min: 3}, tools: none}, route: strong}"


def test_nothing_moves_where_nothing_changes(policy: Any) -> None:
    assert moved(policy(), policy()) == []


def test_a_new_rule_takes_its_requests_from_others(policy: Any) -> None:
    found = moved(policy(routing=routing(ANALYZE)), policy(routing=routing(CHATS, ANALYZE)))
    assert [(each.before, each.after, each.confirmed) for each in found] == [
        ("deep-work", "chats", True),
        ("default", "chats", True),
    ]
    assert [(each.effect.kind, each.effect.widening) for each in found] == [("other", False), ("costs more", True)]


def test_a_dropped_rule_leaves_its_requests_to_others(policy: Any) -> None:
    (found,) = moved(policy(routing=routing(ANALYZE)), policy(routing=routing()))
    assert (found.before, found.after, found.effect.kind) == ("deep-work", "default", "costs less")
    assert "analyze" in found.request
    assert found.confirmed


def test_order_alone_moves_what_both_would_take(policy: Any) -> None:
    (found,) = moved(policy(routing=routing(ANALYZE, CHATS)), policy(routing=routing(CHATS, ANALYZE)))
    assert (found.before, found.after, found.confirmed) == ("deep-work", "chats", True)


def test_a_pattern_is_not_solved_for_and_said_so(policy: Any) -> None:
    rule = "{name: odd, when: {message: {pattern: 'x+y'}}, route: strong}"
    found = moved(policy(routing=routing()), policy(routing=routing(rule)))
    assert [(each.after, each.confirmed) for each in found] == [("odd", False)]


@pytest.mark.parametrize(
    "witness",
    [
        {"message": "hello", "tokens": 900, "turns": 1},
        {"message": "hello", "tokens": 5000, "turns": 4, "tools": ["a"]},
        {"turns": 0, "tokens": 30},
    ],
)
def test_a_witness_becomes_a_request_as_long_as_it_says(witness: dict[str, Any]) -> None:
    arrival = arrival_of(witness)
    assert arrival is not None
    assert witness["tokens"] <= request_tokens(arrival.request) <= witness["tokens"] + 10
    assert arrival.request.turns == witness["turns"]


def test_a_witness_with_everything_becomes_that_request() -> None:
    witness = {
        "message": "x", "model": "m", "stream": True, "output": "schema", "attachments": True, "deadline": 60.0,
        "tenant": "t", "user": None, "metadata": {"k": "v", "none": None}, "tools": ["a"],
    }  # fmt: skip
    arrival = arrival_of(witness)
    assert arrival is not None
    request = arrival.request
    assert (request.model, request.stream, request.output_format, request.tools) == ("m", True, "schema", ("a",))
    assert (arrival.caller.tenant, arrival.caller.user, arrival.deadline) == ("t", None, 60.0)
    assert request.metadata == {"k": "v"}
    assert request.messages[-1].attachments == 1
