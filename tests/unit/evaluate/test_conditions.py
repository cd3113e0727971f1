from __future__ import annotations

import json
from typing import Any

import pytest

from costpol.evaluate.conditions import Considered, considered_intents, considered_rules
from costpol.inference.caller import Caller
from costpol.inference.tokens import estimate_tokens
from costpol.pipeline.arrival import Arrival
from costpol.pipeline.decision import Decision
from costpol.policy.loader import load_bundle
from costpol.providers.openai import decode_request

REQUEST = {"model": "large", "messages": [{"role": "user", "content": "hello there"}], "metadata": {"plan": "free"}}


def considered(policy: Any, when: str, request: dict[str, Any] | None = None, **caller: str) -> Considered:
    routing = f"kind: routing\ndefault: cheap\nrules:\n  - {{name: it, when: {when}, route: strong}}\n...\n"
    loaded = load_bundle(policy(routing=routing))
    arrival = Arrival(decode_request(json.dumps(REQUEST | (request or {})).encode()), Caller(**caller))
    decision = Decision("digest", rule="default", intent="chat")
    return next(iter(considered_rules(loaded.require(), decision, arrival, estimate_tokens)))


@pytest.mark.parametrize(
    ("when", "condition", "saw"),
    [
        ("{tokens: {min: 20k}}", "tokens: {min: 20k}", "the request has about 7 tokens"),
        ("{message: {max_chars: 5}}", "message.max_chars: 5", "the message has 11 characters"),
        ("{message: {min_chars: 5, words: [bye]}}", "message.words: [bye]", "the message is `hello there`"),
        ("{turns: {min: 2}}", "turns: {min: 2}", "the conversation has 1 user turns"),
        ("{tools: any}", "tools: any", "the request offers no tools"),
        ("{model: gpt-*}", "model: gpt-*", "the caller asks for `large`"),
        ("{tenant: acme}", "tenant: acme", "the tenant is unknown"),
        ("{agent: 'a/*', stream: true}", "agent: 'a/*'", "the agent is `b`"),
        ("{metadata: {plan: pro}}", "metadata.plan: pro", "`plan` is `free`"),
        ("{deadline: {min: 6h}}", "deadline: {min: 6h}", "no deadline is named"),
        ("{stream: true}", "stream: true", "the answer is not streamed"),
        ("{output: json}", "output: json", "the output format is text"),
        ("{attachments: true}", "attachments: true", "no message carries an attachment"),
        ("{any: [{tools: any}, {stream: true}]}", "any: [{tools: any}, {stream: true}]", "none of its parts holds"),
        ("{all: [{turns: {min: 1}}, {stream: true}]}", "all.1.stream: true", "the answer is not streamed"),
        ("{not: {tools: none}}", "not: {tools: none}", "what it forbids holds"),
    ],
)
def test_the_first_condition_that_fails_is_named(policy: Any, when: str, condition: str, saw: str) -> None:
    found = considered(policy, when, agent="b")
    assert not found.matched
    assert (found.condition, found.saw) == (condition, saw)
    assert (found.span.file, found.span.line) == ("p/routing.yaml", 4)


def test_a_rule_whose_conditions_all_hold_matched(policy: Any) -> None:
    found = considered(policy, "{message: {words: [hello]}, tools: none, metadata: {plan: [free, pro]}}")
    assert found.matched
    assert found.condition is None


def test_matchers_of_intents_are_considered_up_to_the_one_that_holds(policy: Any) -> None:
    intents = """kind: intents
intents:
  farewell: {when: {message: {words: [bye]}}}
  by-example: {examples: [how are you]}
  greeting: {when: {message: {words: [hello]}}}
  never-asked: {when: {message: {words: [hello]}}}
...
"""
    bundle = load_bundle(policy(intents=intents)).require()
    arrival = Arrival(decode_request(json.dumps(REQUEST).encode()))
    found = list(considered_intents(bundle, Decision("digest", intent="greeting"), arrival, estimate_tokens))
    assert [(each.name, each.matched) for each in found] == [("farewell", False), ("greeting", True)]
