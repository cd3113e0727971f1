"""Which requests are one person's own."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest
from playbook import Playbook
from situation import CACHE, answered, ask, policy

from costpol.commands import Call, Failed, LookupExact

INTENTS = "intents: {own: {when: {stage: own}, personal: true}, named: {when: {stage: named}}}"
EXCLUSIONS = dedent("""
    exclusions:
      - {phrases: [my account, my order]}
      - {pattern: 'order #?[0-9]{4,}'}
      - {variables: [name]}
      - {tools: [lookup_order]}
      - {metadata: [customer_id]}
      - {intents: [named]}
    """)
PROMPTS = dedent("""
    templates: {t: {version: 1, system: "Hi {{ name }}", variables: {name: {source: metadata.name}}}}
    otherwise: {template: t}
    """)
TOOL = {"type": "function", "function": {"name": "lookup_order"}}
CALL = {"id": "1", "type": "function", "function": {"name": "lookup_order", "arguments": "{}"}}
SAID = {"role": "user", "content": "it is about My  Account"}
REPLY = {"role": "assistant", "content": "I see."}
THEN = {"role": "user", "content": "and for the other one?"}

PERSONAL: list[tuple[str, dict[str, Any]]] = [
    ("phrase", {"text": "close MY ACCOUNT"}),
    ("phrase", {"text": "close my\u00a0account"}),
    ("phrase", {"text": "close my\u2028account"}),
    ("phrase", {"messages": [SAID, REPLY, THEN]}),
    ("phrase", {"text": "about order 12345"}),
    ("variable", {"metadata": {"name": "Ada"}}),
    ("tool", {"tools": [TOOL]}),
    ("tool", {"messages": [THEN, {"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "content": "1"}]}),
    ("metadata", {"metadata": {"customer_id": ""}}),
    ("intent", {"stage": "named"}),
    ("intent", {"stage": "own"}),
]


@pytest.mark.parametrize(("signal", "request_"), PERSONAL)
def test_one_signal_makes_a_request_personal(signal: str, request_: dict[str, Any]) -> None:
    pipeline = policy(intents=INTENTS, personalization=EXCLUSIONS, prompts=PROMPTS)
    with Playbook(pipeline, ask(**request_)) as talk:
        talk.told(Call, answered())
        outcome = talk.outcome
    assert outcome.decision.personal
    note = next(note for note in outcome.trace if note.stage == "personalize")
    assert note.facts["because"] == signal


@pytest.mark.parametrize("text", ["close any account", "my accountant", "order 123", "whose account"])
def test_without_a_signal_a_request_is_everybodys(text: str) -> None:
    with Playbook(policy(intents=INTENTS, personalization=EXCLUSIONS, prompts=PROMPTS), ask(text)) as talk:
        talk.told(Call, answered())
        assert not talk.outcome.decision.personal


def test_a_personal_request_is_shared_with_the_same_user_only() -> None:
    pipeline = policy(
        intents=INTENTS, personalization=EXCLUSIONS, prompts=PROMPTS, cache=CACHE.replace("tenant", "global")
    )
    with Playbook(pipeline, ask("my account", user="ada")) as talk:
        assert talk.told(LookupExact, Failed("away")).scope.key == "user:acme:ada"
        talk.told(Call, answered())
        assert talk.outcome.decision.scope == "user"


@pytest.mark.parametrize("caller", [{}, {"user": "ada", "tenant": None}, {"user": ""}])
def test_a_personal_request_of_nobody_known_is_kept_from_the_cache(caller: dict[str, Any]) -> None:
    pipeline = policy(
        intents=INTENTS, personalization=EXCLUSIONS, prompts=PROMPTS, cache=CACHE.replace("tenant", "global")
    )
    with Playbook(pipeline, ask("my account", **caller)) as talk:
        talk.told(Call, answered())
        outcome = talk.outcome
    assert (outcome.decision.cache, outcome.decision.stored) == ("bypass; personal", False)


def test_within_nobody_no_personal_answer_is_kept() -> None:
    exclusions = f"{EXCLUSIONS}\nwithin: nobody"
    with Playbook(
        policy(intents=INTENTS, personalization=exclusions, prompts=PROMPTS, cache=CACHE), ask("my account", user="a")
    ) as talk:
        talk.told(Call, answered())
        assert talk.outcome.decision.cache == "bypass; personal"


def test_without_the_file_a_personal_intent_still_is() -> None:
    with Playbook(policy(intents=INTENTS, cache=CACHE), ask(stage="own", user="ada")) as talk:
        assert talk.told(LookupExact, Failed("away")).scope.kind == "user"
        talk.told(Call, answered())
        assert talk.outcome.decision.personal
