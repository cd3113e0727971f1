"""What is put into the prompt, and how long the answer may get."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest
from playbook import Playbook
from situation import CACHE, NOW, answered, ask, policy, whats

from costpol.commands import Call, Edit, Embed, Failed, LookupExact

TEMPLATES = dedent("""
    templates:
      greeting:
        version: 3
        system: "Hello {{ name }} of {{tenant}}, {{name}}."
        variables:
          name: {source: metadata.name, personal: true}
          tenant: {source: caller.tenant, default: nobody}
      dated:
        version: 1
        system: "It is {{ day }}, {{ time }}."
        variables:
          day: {source: clock.date}
          time: {source: clock.time, volatile: true}
    """)
TOOLS = [{"type": "function", "function": {"name": name}} for name in ("search", "pay")]


def edited(prompts: str, **body: Any) -> tuple[Edit, Any]:
    with Playbook(policy(prompts=prompts), ask(**body)) as talk:
        edit: Edit = talk.told(Call, answered()).edit
        return edit, talk.outcome


def test_a_template_is_filled_in_and_replaces_the_system_prompt() -> None:
    edit, outcome = edited(f"{TEMPLATES}\notherwise: {{template: greeting}}", metadata={"name": "Ada"})
    assert edit.system == "Hello Ada of acme, Ada."
    assert (outcome.decision.template, outcome.decision.personal) == ("greeting@3", True)


def test_a_default_stands_in_for_a_value_that_is_missing() -> None:
    edit, _ = edited(f"{TEMPLATES}\notherwise: {{template: greeting}}", metadata={"name": "Ada"}, tenant=None)
    assert edit.system == "Hello Ada of nobody, Ada."


def test_without_a_value_or_default_the_request_keeps_its_own_prompt() -> None:
    edit, outcome = edited(f"{TEMPLATES}\notherwise: {{template: greeting}}")
    assert edit.system is None
    assert (outcome.decision.template, outcome.decision.personal) == (None, False)
    note = next(note for note in outcome.trace if note.what == "template not applied")
    assert note.facts["missing"] == ["name"]


def test_the_clock_is_the_arrivals_own_in_utc() -> None:
    edit, _ = edited(f"{TEMPLATES}\notherwise: {{template: dated}}", now=NOW + 61)
    assert edit.system == "It is 2026-01-15, 12:01."


def test_a_value_cannot_bring_in_another_variable() -> None:
    edit, _ = edited(f"{TEMPLATES}\notherwise: {{template: greeting}}", metadata={"name": "{{ tenant }}"})
    assert edit.system == "Hello {{ tenant }} of acme, {{ tenant }}."


def test_a_volatile_variable_keeps_the_request_from_the_cache() -> None:
    prompts = f"{TEMPLATES}\notherwise: {{template: dated}}"
    with Playbook(policy(prompts=prompts, cache=CACHE), ask()) as talk:
        talk.told(Call, answered())
        assert talk.outcome.decision.cache == "bypass; volatile variable"


def test_a_personal_variable_narrows_the_cache_to_its_user() -> None:
    prompts = f"{TEMPLATES}\notherwise: {{template: greeting}}"
    pipeline = policy(prompts=prompts, cache=CACHE)
    with Playbook(pipeline, ask(metadata={"name": "Ada"}, user="ada")) as talk:
        assert talk.told(LookupExact, Failed("away")).scope.key == "user:acme:ada"
        talk.told(Call, answered())
        assert talk.outcome.decision.personal
    with Playbook(pipeline, ask(metadata={"name": "Ada"})) as talk:
        talk.told(Call, answered())
        assert talk.outcome.decision.cache == "bypass; personal"


def test_two_values_of_a_variable_are_two_partitions() -> None:
    prompts = TEMPLATES.replace(", personal: true", "") + "\notherwise: {template: greeting}"
    partitions = set()
    for name in ("Ada", "Bob"):
        with Playbook(policy(prompts=prompts, cache=CACHE), ask(metadata={"name": name})) as talk:
            partitions.add(talk.told(LookupExact, None).partition)
            talk.told(Embed, Failed("away"))
            talk.told(Call, answered("no", finish_reason="length"))
            assert talk.outcome.kind == "answered"
    assert len(partitions) == 2


@pytest.mark.parametrize(
    ("kept", "offered", "left"),
    [
        ("[search]", TOOLS, ("search",)),
        ("none", TOOLS, ()),
        ("[search, pay]", TOOLS, None),
        ("[search]", TOOLS[:1], None),
        ("[other]", TOOLS, ()),
        ("none", [], None),
    ],
)
def test_tools_that_an_intent_does_not_need_are_left_out(kept: str, offered: list[object], left: object) -> None:
    edit, _ = edited(f"otherwise: {{tools: {kept}}}", tools=offered)
    assert edit.tools == left


@pytest.mark.parametrize(
    ("asked", "capped", "sent"),
    [(None, 100, 100), (50, 100, None), (100, 100, None), (500, 100, 100)],
)
def test_an_answer_gets_never_longer_than_the_caller_or_the_policy_says(
    asked: int | None, capped: int, sent: int | None
) -> None:
    body = {} if asked is None else {"max_tokens": asked}
    edit, outcome = edited(f"otherwise: {{max_output_tokens: {capped}}}", **body)
    assert edit.max_output_tokens == sent
    assert outcome.decision.max_output_tokens == min(asked or capped, capped)


def test_the_tightest_of_all_limits_counts() -> None:
    routing = "default: small\nrules: [{name: r, when: {}, route: small, max_output_tokens: 70}]"
    for capped, expected in ((100, 70), (60, 60)):
        prompts = f"otherwise: {{max_output_tokens: {capped}}}"
        with Playbook(policy(routing=routing, prompts=prompts), ask()) as talk:
            assert talk.told(Call, answered()).edit.max_output_tokens == expected
            assert talk.outcome.decision.rule == "r"


def test_json_is_asked_for_where_the_request_asks_for_no_format() -> None:
    edit, outcome = edited("otherwise: {output: json}")
    assert edit.json_output
    assert "json asked for" in whats(outcome)
    edit, _ = edited("otherwise: {output: json}", response_format={"type": "json_schema", "json_schema": {}})
    assert not edit.json_output


def test_each_intent_has_its_own_prompt() -> None:
    prompts = "intents: {faq: {max_output_tokens: 10}}\notherwise: {max_output_tokens: 20}"
    intents = "intents: {faq: {when: {tenant: acme}}}"
    for tenant, expected in (("acme", 10), ("zed", 20)):
        with Playbook(policy(prompts=prompts, intents=intents), ask(tenant=tenant)) as talk:
            assert talk.told(Call, answered()).edit.max_output_tokens == expected
            assert talk.outcome.kind == "answered"
