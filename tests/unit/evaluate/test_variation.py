from __future__ import annotations

import json
from typing import Any

import pytest

from costpol.evaluate.conditions import missing_conditions
from costpol.evaluate.variation import vary, without
from costpol.inference.caller import Caller
from costpol.inference.tokens import estimate_tokens
from costpol.pipeline.arrival import Arrival
from costpol.policy.loader import load_bundle
from costpol.policy.nodes.matcher import When
from costpol.providers.openai import decode_request

REQUEST: dict[str, Any] = {
    "model": "large",
    "messages": [
        {"role": "system", "content": "be kind"},
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "hello"},
        {"role": "user", "content": "tell me more"},
    ],
    "tools": [{"type": "function", "function": {"name": "search"}}],
    "metadata": {"plan": "free"},
}


def arrival_of(**members: Any) -> Arrival:
    return Arrival(decode_request(json.dumps(REQUEST | members).encode()), Caller(tenant="acme"))


def when_of(policy: Any, when: str) -> When:
    routing = f"kind: routing\ndefault: cheap\nrules:\n  - {{name: it, when: {when}, route: strong}}\n...\n"
    return load_bundle(policy(routing=routing)).require().routing.rules[0].when


def varied(policy: Any, when: str, **members: Any) -> tuple[str, Arrival] | None:
    node, arrival = when_of(policy, when), arrival_of(**members)
    missing = missing_conditions(node, arrival, "chat", estimate_tokens)
    assert missing
    return vary(arrival, missing, "chat", estimate_tokens)


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ("{turns: {min: 5}}", "3 more user turns"),
        ("{turns: {min: 3}}", "1 more user turn"),
        ("{turns: {max: 1}}", "1 fewer user turn"),
        ("{message: {min_chars: 20}}", "8 more characters"),
        ("{message: {max_chars: 7}}", "5 fewer characters"),
        ("{message: {words: [analyze]}}", "`analyze` in the message"),
        ("{message: {words: [analyze, compare]}}", "`analyze` or another of its words in the message"),
        ("{tools: none}", "no tool offered"),
        ("{tools: [book, pay]}", "the tool `book` offered"),
        ("{model: [gpt-*, small]}", "the model `small` asked for"),
        ("{tenant: initech}", "the tenant `initech`"),
        ("{agent: 'crew/*'}", "the agent `crew/*`"),
        ("{metadata: {plan: [pro, max]}}", "metadata `plan: pro`"),
        ("{deadline: {min: 6h}}", "a deadline of 6h"),
        ("{stream: true}", "the answer streamed"),
        ("{output: json}", "the output format json"),
        ("{output: schema}", "the output format schema"),
        ("{attachments: true}", "an image attached"),
        ("{any: [{tokens: {max: 1}}, {stream: true, turns: {min: 3}}]}", "1 more user turn and the answer streamed"),
        ("{all: [{stream: true}], tenant: initech}", "the tenant `initech` and the answer streamed"),
    ],
)  # fmt: skip
def test_a_small_change_meets_the_conditions(policy: Any, when: str, told: str) -> None:
    found = varied(policy, when)
    assert found is not None
    assert sorted(found[0].split(" and ")) == sorted(told.split(" and "))
    assert missing_conditions(when_of(policy, when), found[1], "chat", estimate_tokens) == []


def test_tokens_are_added_as_many_as_are_missing(policy: Any) -> None:
    found = varied(policy, "{tokens: {min: 500}}")
    assert found is not None
    told, arrival = found
    assert told.endswith(" more input tokens")
    assert missing_conditions(when_of(policy, "{tokens: {min: 500}}"), arrival, None, estimate_tokens) == []


@pytest.mark.parametrize(
    "when",
    [
        "{message: {pattern: 'x+y'}}", "{message: {any_of: [thanks]}}", "{not: {tools: any}}",
        "{tokens: {max: 3}}", "{model: gpt-*}", "{stream: true, message: {pattern: 'x+y'}}",
    ],
)  # fmt: skip
def test_what_no_small_change_meets_gives_none(policy: Any, when: str) -> None:
    assert varied(policy, when) is None


def test_the_rest_of_the_request_stays(policy: Any) -> None:
    found = varied(policy, "{stream: true}", temperature=0.5)
    assert found is not None
    body = json.loads(found[1].request.raw)
    assert body == REQUEST | {"temperature": 0.5, "stream": True}


def test_phrases_are_cut_out_of_the_last_message() -> None:
    parts = [{"role": "user", "content": "where is My Order, please"}]
    arrival = without(arrival_of(messages=parts), ["my order"])
    assert arrival is not None
    assert arrival.request.question == "where is , please"
    assert without(arrival_of(messages=parts), ["your order"]) is None
    assert without(arrival_of(messages=[{"role": "user", "content": "my order"}]), ["my order"]) is None
