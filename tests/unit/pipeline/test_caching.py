"""What is identity and what is likeness, and who may read whose answers."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec import structs
from situation import NOW, ask, chat

from costpol.commands import Entry, Scope
from costpol.inference.caller import Caller
from costpol.inference.request import Message
from costpol.pipeline.caching import (
    CachePlan,
    asks_last,
    leading_prompts,
    partition_digest,
    question_digest,
    scope_for,
    single_turn,
    usable,
)
from costpol.pipeline.identity import identity_part
from costpol.providers.openai import decode_request

SYSTEM = {"role": "system", "content": "Be kind."}
DEVELOPER = {"role": "developer", "content": "The user is Ada."}
HELLO = {"role": "assistant", "content": "Hello Ada."}
QUESTION = {"role": "user", "content": "what is a refund"}
NAMED = {**QUESTION, "name": "ada"}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
CALL = {"id": "1", "type": "function", "function": {"name": "find", "arguments": "{}"}}


def partition(body: dict[str, Any] | None = None, **facts: Any) -> str:
    settled: dict[str, Any] = {
        "model_class": "small", "embedder": "test/2", "template": None, "system": None, "tools": None,
        "json_output": False, "output_limit": None,
    }  # fmt: skip
    return partition_digest(ask(**(body or {})).request, **settled | facts)


@pytest.mark.parametrize(
    "facts",
    [
        {"model_class": "strong"},
        {"embedder": "test/3"},
        {"template": "greeting@1"},
        {"template": "greeting@2"},
        {"template": "greeting@1", "system": "Hello Ada."},
        {"template": "greeting@1", "system": "Hello Bob."},
        {"tools": ()},
        {"tools": ("search",)},
        {"json_output": True},
        {"output_limit": 100},
        {"output_limit": 101},
        {"body": {"messages": [SYSTEM, QUESTION]}},
        {"body": {"messages": [{**SYSTEM, "content": "Be kind!"}, QUESTION]}},
        {"body": {"messages": [DEVELOPER, QUESTION]}},
        {"body": {"messages": [QUESTION, HELLO, QUESTION]}},
        {"body": {"messages": [HELLO, QUESTION]}},
        {"body": {"messages": [QUESTION, HELLO]}},
        {
            "body": {
                "messages": [QUESTION, {"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "content": "5"}]
            }
        },
        {
            "body": {
                "messages": [QUESTION, {"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "content": "6"}]
            }
        },
        {"body": {"messages": [{**QUESTION, "name": "ada"}]}},
        {"body": {"messages": [{**QUESTION, "name": "bob"}]}},
        {"body": {"metadata": {"locale": "de"}}},
        {"body": {"metadata": {"locale": "fr"}}},
        {"body": {"metadata": {"language": "fr"}}},
        {"body": {"temperature": 0}},
        {"body": {"temperature": 1}},
        {"body": {"seed": 1}},
        {"body": {"n": 2}},
        {"body": {"tools": [{"type": "function", "function": {"name": "a"}}]}},
        {"body": {"tools": [{"type": "function", "function": {"name": "b"}}]}},
        {"body": {"response_format": {"type": "json_object"}}},
        {"body": {"something_new": True}},
    ],
)
def test_whatever_shapes_the_answer_is_another_partition(facts: dict[str, Any]) -> None:
    seen = {partition()}
    digest = partition(**facts)
    assert digest not in seen
    assert digest == partition(**facts)


def test_all_of_these_partitions_differ_from_each_other() -> None:
    cases = test_whatever_shapes_the_answer_is_another_partition.pytestmark[0].args[1]
    assert len({partition(**facts) for facts in cases}) == len(cases)


@pytest.mark.parametrize(
    "body",
    [
        {"stream": True},
        {"user": "ada"},
        {"metadata": {"customer": "ada"}},
        {"max_tokens": 5},  # the limit in force is told by `output_limit`
        {"messages": [{"role": "user", "content": "another question"}]},
        {"messages": [{"content": "what is a refund", "role": "user"}]},
    ],
)
def test_what_does_not_shape_the_answer_is_the_same_partition(body: dict[str, Any]) -> None:
    assert partition(body) == partition()


def test_how_a_client_spells_its_json_is_no_part_of_a_plain_message() -> None:
    messages = [{"role": "system", "content": "Grüße “freundlich”."}, HELLO, QUESTION]
    turned = [dict(reversed(message.items())) for message in messages]
    spellings = [
        json.dumps({"model": "m", "messages": written}, ensure_ascii=ascii, separators=separators)
        for written in (messages, turned)
        for ascii in (True, False)
        for separators in ((",", ":"), (", ", ": "))
    ]
    requests = [decode_request(spelling.encode()) for spelling in spellings]
    options: dict[str, Any] = {
        "model_class": "small", "embedder": "e", "template": None, "system": None, "tools": None, "json_output": False,
        "output_limit": None,
    }  # fmt: skip
    assert len({partition_digest(request, **options) for request in requests}) == 1
    assert partition({"messages": [{**SYSTEM, "name": "a"}, QUESTION]}) != partition({"messages": [SYSTEM, QUESTION]})


def test_a_template_stands_for_the_leading_system_prompts_and_for_no_later_one() -> None:
    def applied(*messages: dict[str, Any]) -> str:
        return partition({"messages": [*messages]}, template="t@1", system="Hello.")

    assert applied(SYSTEM, QUESTION) == applied(DEVELOPER, QUESTION) == applied(QUESTION)
    later = {**DEVELOPER, "content": "The user is Bob."}
    assert len({applied(HELLO, DEVELOPER, QUESTION), applied(HELLO, later, QUESTION), applied(HELLO, QUESTION)}) == 3


def test_leading_prompts_end_with_the_first_other_message() -> None:
    request = ask(messages=[SYSTEM, DEVELOPER, QUESTION, SYSTEM]).request
    assert leading_prompts(request.messages) == 2
    assert leading_prompts(()) == 0


def test_a_member_cannot_pass_for_a_message() -> None:
    history = json.dumps(HELLO)
    assert partition({"messages": [HELLO, HELLO, QUESTION]}) != partition({history: HELLO})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
BODIES = st.fixed_dictionaries(
    {"messages": st.lists(st.sampled_from([SYSTEM, DEVELOPER, HELLO, QUESTION, NAMED]), min_size=1)},
    optional={"temperature": st.integers(0, 2), "seed": st.integers(), "custom": JSON, "top_p": st.floats(0, 1)},
)  # fmt: skip
FACTS = st.fixed_dictionaries(
    {},
    optional={
        "model_class": st.sampled_from(["small", "strong"]), "embedder": st.sampled_from(["test/2", "e"]),
        "template": st.sampled_from([None, "t@1", "t@11"]), "json_output": st.booleans(),
        "output_limit": st.none() | st.integers(1, 300), "tools": st.sampled_from([None, (), ("a",), ("a", "b")]),
    },
)  # fmt: skip


@given(BODIES, FACTS, BODIES, FACTS)
def test_equal_partitions_mean_equal_requests_but_for_the_question(
    left: dict[str, Any], left_facts: dict[str, Any], right: dict[str, Any], right_facts: dict[str, Any]
) -> None:
    defaults = {"model_class": "small", "embedder": "test/2", "template": None, "json_output": False}

    def told(body: dict[str, Any], facts: dict[str, Any]) -> object:
        messages = [dict(message) for message in body["messages"]]
        asked = [index for index, message in enumerate(messages) if message["role"] == "user"]
        if asked:
            messages[asked[-1]].pop("content")
        return json.dumps(
            [{**body, "messages": messages}, sorted({**defaults, **facts}.items(), key=str)], sort_keys=True
        )

    assume(left_facts.get("output_limit") is not None or right_facts.get("output_limit") is None)
    same = partition(left, **left_facts) == partition(right, **right_facts)
    without_none = [{k: v for k, v in facts.items() if v is not None} for facts in (left_facts, right_facts)]
    assert same is (told(left, without_none[0]) == told(right, without_none[1]))


@given(st.text(" \t", max_size=4), st.text(" \t\n", max_size=4), st.text(" ", min_size=1, max_size=4))
def test_white_space_within_a_line_and_around_is_no_part_of_a_question(before: str, after: str, between: str) -> None:
    plain = question_digest(ask("what is it").request)
    assert question_digest(ask(f"{before}what{between}is it{after}").request) == plain


def test_white_space_between_lines_is_for_it_may_be_code() -> None:
    left, right = ask("if a:\n  b()\nc()").request, ask("if a:\n  b()\n  c()").request
    assert question_digest(left) != question_digest(right)


@given(st.text(), st.text())
def test_questions_share_a_digest_only_if_their_words_are_the_same(left: str, right: str) -> None:
    same = question_digest(ask(left).request) == question_digest(ask(right).request)
    if same:
        assert left.split() == right.split()
    if left == right:
        assert same


def test_an_attachment_is_part_of_the_question() -> None:
    text = {"type": "text", "text": "what is this"}
    other = {**IMAGE, "image_url": {"url": "https://example.org/b.png"}}
    digests = {question_digest(ask([text, *more]).request) for more in ([], [IMAGE], [other], [IMAGE, other])}
    assert len(digests) == 4


def test_a_request_without_a_question_has_a_digest_of_nothing() -> None:
    assert question_digest(ask(messages=[SYSTEM]).request) == question_digest(ask(messages=[HELLO]).request)


@pytest.mark.parametrize(
    ("caller", "tenant", "user"),
    [
        (Caller(), None, None),
        (Caller(user="ada"), None, None),  # two tenants may each have an Ada
        (Caller(""), None, None),
        (Caller("acme"), "tenant:acme", None),
        (Caller("acme", ""), "tenant:acme", None),
        (Caller("acme", "ada"), "tenant:acme", "user:acme:ada"),
        (Caller("a:b", "c"), "tenant:a%3Ab", "user:a%3Ab:c"),
        (Caller("-", "-"), "tenant:%2D", "user:%2D:%2D"),
    ],
)
def test_a_scope_is_closed_to_a_caller_who_is_not_known(caller: Caller, tenant: str | None, user: str | None) -> None:
    assert scope_for("global", caller) == Scope("global", "global")
    assert scope_for("tenant", caller) == (tenant and Scope("tenant", tenant))
    assert scope_for("user", caller) == (user and Scope("user", user))


NAMES = st.text(min_size=1) | st.sampled_from(["-", "%2D", "a:b", "a%3Ab", ":", "tenant:x", "global", " ", "\x00"])


@given(NAMES, NAMES, NAMES, NAMES)
def test_no_names_spell_the_scope_of_others(tenant: str, user: str, other_tenant: str, other_user: str) -> None:
    ours, theirs = Caller(tenant, user), Caller(other_tenant, other_user)
    keys = {scope.key for kind in ("global", "tenant", "user") if (scope := scope_for(kind, ours))}
    assert len(keys) == 3
    assert (scope_for("tenant", ours) == scope_for("tenant", theirs)) is (tenant == other_tenant)
    assert (scope_for("user", ours) == scope_for("user", theirs)) is ((tenant, user) == (other_tenant, other_user))


@given(st.none() | st.text(), st.none() | st.text())
def test_a_name_is_written_in_one_way_and_like_no_other(left: str | None, right: str | None) -> None:
    assert (identity_part(left) == identity_part(right)) is (left == right)
    assert not set(identity_part(left)) & set(":/ %") - {"%"}


PLAN = CachePlan("faq", 0.9, 3600.0, "tenant", frozenset(), False, False)
ENTRY = Entry("p", "q", Scope("tenant", "tenant:acme"), "faq", "", b"", "cheap", NOW - 60, NOW + 60, 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"scope": Scope("tenant", "tenant:zed")},
        {"scope": Scope("global", "global")},
        {"partition": "other"},
        {"expires": NOW},
        {"created": NOW - 3600},  # kept under a longer life than the policy now states
    ],
)
def test_an_entry_that_does_not_fit_is_not_usable(changes: dict[str, Any]) -> None:
    assert usable(ENTRY, PLAN.ttl, "p", Scope("tenant", "tenant:acme"), NOW)
    assert not usable(replace(ENTRY, **changes), PLAN.ttl, "p", Scope("tenant", "tenant:acme"), NOW)


def test_single_turn_is_system_prompts_and_one_question() -> None:
    assert single_turn(ask(messages=[SYSTEM, DEVELOPER, QUESTION]).request)
    assert not single_turn(ask(messages=[QUESTION, HELLO, QUESTION]).request)
    assert not single_turn(ask(messages=[HELLO, QUESTION]).request)
    assert not single_turn(ask(messages=[SYSTEM]).request)


def test_asks_last_tells_an_agent_in_the_middle_of_its_work() -> None:
    assert asks_last(ask(messages=[HELLO, QUESTION]).request)
    assert not asks_last(ask(messages=chat(QUESTION, HELLO)).request)


def test_a_question_whose_json_cannot_be_read_counts_as_a_whole() -> None:
    def odd(raw: bytes) -> str:
        request = structs.replace(ask().request, messages=(Message("user", "hi", raw),))
        return partition_digest(
            request, model_class="small", embedder="e", template=None, system=None, tools=None, json_output=False,
            output_limit=None,
        )  # fmt: skip

    assert odd(b"[1") != odd(b"[2")
