"""Which models may answer, in which order."""

from __future__ import annotations

from typing import Any

import pytest
from playbook import Playbook
from situation import answered, ask, policy, whats

from costpol.commands import Call, CallFailed

MODELS = """
    providers: {house: {type: openai, base_url: "http://127.0.0.1:9/v1", key: none}}
    models:
      plain: {provider: house, name: org/plain-7b, price: {input: 1 USD, output: 1 USD}, lacks: [tools, json, images]}
      narrow: {provider: house, price: {input: 2 USD, output: 2 USD}, context: 200, lacks: [streaming]}
      able: {provider: house, price: {input: 3 USD, output: 3 USD}, max_output: 1k}
    tiers: {all: [plain, narrow, able]}
    """
TOOL = {"type": "function", "function": {"name": "search"}}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}


def called(routing: str = "default: all", prompts: str = "otherwise: {}", **request_: Any) -> tuple[str, Any]:
    with Playbook(policy(models=MODELS, routing=routing, prompts=prompts), ask(**request_)) as talk:
        model: str = talk.told(Call, answered()).model
        return model, talk.outcome


def test_the_first_rule_that_matches_decides() -> None:
    rules = "rules: [{name: a, when: {stage: x}, route: narrow}, {name: b, when: {tenant: acme}, route: able}]"
    for stage, expected in (("x", ("narrow", "a")), (None, ("able", "b"))):
        model, outcome = called(f"default: plain\n{rules}", stage=stage)
        assert (model, outcome.decision.rule) == expected
    model, outcome = called(f"default: plain\n{rules}", tenant="zed")
    assert (model, outcome.decision.rule, outcome.decision.routed) == ("plain", "default", "plain")


@pytest.mark.parametrize(
    ("request_", "model"),
    [
        ({}, "plain"),
        ({"tools": [TOOL]}, "narrow"),
        ({"response_format": {"type": "json_object"}}, "narrow"),
        ({"text": [IMAGE]}, "able"),  # an image takes more than the narrow one's room
        ({"tools": [TOOL], "stream": True}, "able"),
        ({"tools": [TOOL], "text": "word " * 300}, "able"),
        ({"tools": [TOOL], "text": "word " * 50}, "narrow"),
    ],
)
def test_what_a_request_needs_decides_who_can_answer_it(request_: dict[str, Any], model: str) -> None:
    assert called(**request_)[0] == model


def test_tools_that_the_policy_takes_away_are_not_needed() -> None:
    assert called(prompts="otherwise: {tools: none}", tools=[TOOL])[0] == "plain"


def test_json_that_the_policy_asks_for_is_needed() -> None:
    assert called(prompts="otherwise: {output: json}")[0] == "narrow"


def test_the_room_that_the_policys_own_prompt_takes_counts() -> None:
    prompts = f"templates: {{t: {{version: 1, system: {'word ' * 300!r}}}}}\notherwise: {{template: t, output: json}}"
    assert called(prompts=prompts)[0] == "able"


def test_where_nobody_can_the_provider_says_why() -> None:
    model, outcome = called("default: plain", tools=[TOOL])
    assert model == "plain"
    assert "no model can do what is asked" in whats(outcome)


@pytest.mark.parametrize("name", ["plain", "org/plain-7b"])
def test_the_requested_model_is_known_by_both_its_names(name: str) -> None:
    model, outcome = called("default: requested", model=name)
    assert model == "plain"
    assert outcome.decision.attempts == ("plain",)


def test_a_model_is_sent_under_the_name_that_its_provider_knows() -> None:
    with Playbook(policy(models=MODELS, routing="default: requested"), ask(model="plain")) as talk:
        assert talk.told(Call, answered()).edit.model == "org/plain-7b"
        assert talk.outcome.kind == "answered"
    with Playbook(policy(models=MODELS, routing="default: requested"), ask(model="org/plain-7b")) as talk:
        assert talk.told(Call, answered()).edit.model is None
        assert talk.outcome.kind == "answered"


@pytest.mark.parametrize("name", ["gpt-4.1", "all", "requested", "x" * 10_000])
def test_a_requested_model_that_nobody_declared_is_not_found(name: str) -> None:
    with Playbook(policy(models=MODELS, routing="default: requested"), ask(model=name)) as talk:
        outcome = talk.outcome
    refusal = outcome.refusal
    assert refusal is not None
    assert (outcome.kind, refusal.status, refusal.code) == ("refused", 404, "model_not_found")
    assert len(refusal.message) < 200
    assert outcome.decision.refused is None  # by no budget


def test_fallbacks_come_after_the_rules_own_and_once() -> None:
    routing = "default: narrow\nfallback: {to: [all, able], attempts: 9}"
    tried = []
    with Playbook(policy(models=MODELS, routing=routing), ask()) as talk:
        for _ in range(3):
            tried.append(talk.told(Call, CallFailed("timeout")).model)
        assert talk.outcome.kind == "failed"
    assert tried == ["narrow", "plain", "able"]


def test_a_fallback_that_is_the_route_itself_is_not_tried_again() -> None:
    routing = "default: able\nfallback: {to: [able, plain], attempts: 9}"
    tried = []
    with Playbook(policy(models=MODELS, routing=routing), ask()) as talk:
        for _ in range(2):
            tried.append(talk.told(Call, CallFailed("timeout")).model)
        assert talk.outcome.kind == "failed"
    assert tried == ["able", "plain"]


def test_a_longer_answer_than_the_model_can_give_is_not_asked_for() -> None:
    routing = "default: able"
    for asked, sent in ((5000, 1000), (1000, None), (10, None)):
        with Playbook(policy(models=MODELS, routing=routing), ask(max_tokens=asked)) as talk:
            assert talk.told(Call, answered()).edit.max_output_tokens == sent
            assert talk.outcome.kind == "answered"
