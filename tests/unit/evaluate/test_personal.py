from __future__ import annotations

import json
from typing import Any

from costpol.evaluate.personal import personal_signals
from costpol.inference.tokens import estimate_tokens
from costpol.pipeline.arrival import Arrival
from costpol.pipeline.decision import Decision
from costpol.policy.loader import load_bundle
from costpol.providers.openai import decode_request

PERSONALIZATION = """kind: personalization
exclusions:
  - {phrases: [my order, my invoice], metadata: [customer]}
  - {pattern: "#[0-9]+", tools: [lookup_order], intents: [billing]}
  - {variables: [name]}
...
"""
INTENTS = "kind: intents\nintents: {account: {personal: true, examples: [a]}, billing: {examples: [b]}}\n...\n"
PROMPTS = """kind: prompts
templates:
  greeting:
    version: 2
    system: "hello {{ name }}"
    variables:
      name: {source: caller.user, personal: true, default: you}
      unused: {source: metadata.x, personal: true, default: none}
otherwise: {template: greeting, max_output_tokens: 1k}
...
"""


def signs(policy: Any, decision: Decision, text: str = "hello", **members: Any) -> list[tuple[str, int]]:
    files = policy(personalization=PERSONALIZATION, intents=INTENTS, prompts=PROMPTS)
    body = {"model": "large", "messages": [{"role": "user", "content": text}], **members}
    arrival = Arrival(decode_request(json.dumps(body).encode()))
    found = personal_signals(load_bundle(files).require(), decision, arrival, estimate_tokens)
    return [(signal.text, signal.span.line) for signal in found]


def test_nothing_personal_gives_nothing(policy: Any) -> None:
    assert signs(policy, Decision("d", intent="other")) == []


def test_every_sign_is_named_with_its_place(policy: Any) -> None:
    found = signs(
        policy, Decision("d", intent="billing"), "about My Order #12",
        metadata={"customer": "7"}, tools=[{"type": "function", "function": {"name": "lookup_order"}}],
    )  # fmt: skip
    assert found == [
        ("the phrase `my order`", 3),
        ("the metadata `customer`", 3),
        ("the intent `billing`", 4),
        ("the pattern `#[0-9]+`", 4),
        ("the tool `lookup_order`", 4),
    ]


def test_intents_and_variables_that_are_declared_personal_count(policy: Any) -> None:
    found = [text for text, _ in signs(policy, Decision("d", intent="account", template="greeting@2"))]
    assert found == ["the template's variable `name`", "the intent `account`", "the template's variable `name`"]
