"""`when` as a predicate: each condition, and all of them against an interpreter that is slow and plain."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from situation import ask, bundle

from costpol.inference.tokens import request_tokens
from costpol.pipeline.arrival import Arrival
from costpol.pipeline.keywords import KeywordCollector, bare, normalise
from costpol.pipeline.matching import compile_globs, compile_when
from costpol.pipeline.signals import Signals
from costpol.policy.nodes.matcher import When

TOOL = {"type": "function", "function": {"name": "search"}}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
TURNS = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]


def when(text: str) -> When:
    """A matcher as a policy writes it."""
    return bundle(routing=f"default: small\nrules: [{{name: r, route: small, when: {text}}}]").routing.rules[0].when


def holds(matcher: When, arrival: Arrival, intent: str | None = None) -> bool:
    keywords = KeywordCollector()
    predicate = compile_when(matcher, keywords)
    signals = Signals(arrival, keywords.compile(), len)
    signals.intent = intent
    return predicate(signals)


YES_AND_NO: list[tuple[str, Arrival, Arrival]] = [
    ("{message: {min_chars: 3}}", ask("abc"), ask("ab")),
    ("{message: {max_chars: 3}}", ask("abc"), ask("abcd")),
    ("{message: {any_of: [ok, Thanks]}}", ask(" THANKS!"), ask("thanks a lot")),
    ("{message: {words: [refund, 'pay back']}}", ask("Pay  back now"), ask("refunds")),
    ("{message: {pattern: 'A[0-9]+'}}", ask("see A12"), ask("see a12")),
    ("{message: {words: refund}}", ask("\uff52\uff45\uff46\uff55\uff4e\uff44"), ask("\u0433\u0435fund")),
    ("{tokens: {min: 30}}", ask("a" * 26), ask("a" * 25)),
    ("{tokens: {max: 10}}", ask("a" * 6), ask("a" * 7)),
    ("{turns: {min: 2, max: 2}}", ask(messages=TURNS), ask()),
    ("{tools: none}", ask(), ask(tools=[TOOL])),
    ("{tools: any}", ask(tools=[TOOL]), ask()),
    ("{tools: [search, find]}", ask(tools=[TOOL]), ask(tools=[{"type": "function", "function": {"name": "pay"}}])),
    ("{model: [cheap, 'gpt-*']}", ask(model="gpt-4.1"), ask(model="xgpt-4.1")),
    ("{tenant: 'a*e'}", ask(tenant="acme"), ask(tenant=None)),
    ("{tenant: ac.e}", ask(tenant="ac.e"), ask(tenant="acme")),
    ("{user: ada}", ask(user="ada"), ask(user="Ada")),
    ("{agent: 'bot-*'}", ask(agent="bot-1\n2"), ask(agent="bot")),
    ("{session: s1}", ask(session="s1"), ask()),
    ("{stage: plan}", ask(stage="plan"), ask(stage="act")),
    ("{metadata: {kind: [a, 'b*']}}", ask(metadata={"kind": "bee"}), ask(metadata={"other": "a"})),
    ("{deadline: {min: 1h}}", ask(deadline=3600), ask()),
    ("{deadline: {max: 10s}}", ask(deadline=10), ask(deadline=11)),
    ("{stream: true}", ask(stream=True), ask()),
    ("{stream: false}", ask(), ask(stream=True)),
    ("{output: [json, schema]}", ask(response_format={"type": "json_object"}), ask()),
    ("{attachments: true}", ask([IMAGE]), ask()),
    ("{attachments: false}", ask(), ask([IMAGE])),
    ("{any: [{tenant: zed}, {user: ada}]}", ask(user="ada"), ask()),
    ("{all: [{tenant: acme}, {user: ada}]}", ask(user="ada"), ask()),
    ("{not: {tenant: zed}}", ask(), ask(tenant="zed")),
    ("{not: {deadline: {max: 10s}}}", ask(), ask(deadline=5)),
    ("{tenant: acme, not: {any: [{user: ada}, {user: bob}]}}", ask(user="eve"), ask(user="bob")),
    ("{message: {words: refund}}", ask(messages=[*TURNS, {"role": "user", "content": "refund"}]),
     ask(messages=[{"role": "user", "content": "refund"}, *TURNS])),
]  # fmt: skip


@pytest.mark.parametrize(("text", "yes", "no"), YES_AND_NO)
def test_a_condition_holds_for_one_request_and_not_for_another(text: str, yes: Arrival, no: Arrival) -> None:
    matcher = when(text)
    assert holds(matcher, yes)
    assert not holds(matcher, no)


def test_every_field_of_a_matcher_stands_in_the_table() -> None:
    told = {name for text, _, _ in YES_AND_NO for name in re.findall(r"[{ ](\w+):", text)}
    assert {field.rstrip("_") for field in When.__dataclass_fields__} - {"span", "spans"} <= told | {"intent"}


def test_an_intent_is_compared_by_name() -> None:
    matcher = When(intent=("faq", "general"))
    assert holds(matcher, ask(), "faq")
    assert not holds(matcher, ask(), "billing")
    assert not holds(matcher, ask(), None)


def test_without_conditions_everything_matches() -> None:
    assert holds(When(), ask())
    assert compile_when(None, KeywordCollector())(Signals(ask(), KeywordCollector().compile(), len))


@given(st.text("ab*.\n\u00e9", max_size=6), st.text("ab*.\n\u00e9", max_size=6))
def test_only_the_asterisk_is_special_in_a_name(pattern: str, name: str) -> None:
    globs = compile_globs([pattern])
    assert globs is not None
    expected = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name, re.DOTALL) is not None
    assert globs(name) is expected


# The compiled predicates against an interpreter that walks the node for each request.


def plain(matcher: When, arrival: Arrival, intent: str | None) -> bool:
    request, caller = arrival.request, arrival.caller
    found: list[bool] = []
    if matcher.message is not None:
        text, match = normalise(request.question), matcher.message
        found.append(match.min_chars is None or len(text) >= match.min_chars)
        found.append(match.max_chars is None or len(text) <= match.max_chars)
        found.append(not match.any_of or bare(text) in {bare(each) for each in match.any_of})
        if match.words:
            found.append(any(re.search(rf"(?i)(?<!\w){re.escape(word)}(?!\w)", text) for word in match.words))
    if matcher.tokens is not None:
        tokens = request_tokens(request, len)
        found.append((matcher.tokens.min or 0) <= tokens)
        found.append(matcher.tokens.max is None or tokens <= matcher.tokens.max)
    if matcher.tools is not None:
        named = not isinstance(matcher.tools, str)
        offered = set(request.tools)
        found.append(bool(offered & set(matcher.tools)) if named else (matcher.tools == "any") is bool(offered))
    for patterns, value in (
        (matcher.model, request.model), (matcher.tenant, caller.tenant), (matcher.user, caller.user),
        *((each, request.metadata.get(name)) for name, each in matcher.metadata.items()),
    ):  # fmt: skip
        if patterns:
            globs = [".*".join(map(re.escape, pattern.split("*"))) for pattern in patterns]
            found.append(value is not None and any(re.fullmatch(glob, value, re.DOTALL) for glob in globs))
    if matcher.intent:
        found.append(intent in matcher.intent)
    if matcher.stream is not None:
        found.append(request.stream is matcher.stream)
    found += [plain(part, arrival, intent) for part in matcher.all]
    if matcher.any:
        found.append(any(plain(part, arrival, intent) for part in matcher.any))
    if matcher.not_ is not None:
        found.append(not plain(matcher.not_, arrival, intent))
    return all(found)


NAMES = st.sampled_from(["a", "ab", "b*", "*", "a*b", "x.y"])
RANGES = st.fixed_dictionaries({}, optional={"min": st.integers(0, 12), "max": st.integers(12, 40)})
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "min_chars": st.integers(0, 5), "max_chars": st.integers(5, 20),
        "any_of": st.lists(st.sampled_from(["ok", "ab c"]), min_size=1),
        "words": st.lists(st.sampled_from(["ab", "c", "d e"]), min_size=1),
    },
)  # fmt: skip
FLAT = st.fixed_dictionaries(
    {},
    optional={
        "message": MESSAGES, "tokens": RANGES, "tools": st.sampled_from(["none", "any", ["search"], ["x", "y"]]),
        "model": st.lists(NAMES, min_size=1), "tenant": NAMES, "user": NAMES,
        "intent": st.sampled_from(["faq", "other"]),
        "metadata": st.fixed_dictionaries({"m": NAMES}), "stream": st.booleans(),
    },
)  # fmt: skip
MATCHERS = st.recursive(
    FLAT,
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "any": st.lists(inner, min_size=1, max_size=3),
            "all": st.lists(inner, min_size=1, max_size=3),
            "not": inner,
        },
    ),
    max_leaves=6,
)
REQUESTS = st.builds(
    ask,
    st.text("abcd eOK.", max_size=12),
    tenant=st.sampled_from([None, "a", "ab", "x.y"]),
    user=st.sampled_from([None, "a", "b1", "aab"]),
    model=st.sampled_from(["a", "ab", "b", "zz"]),
    tools=st.sampled_from([[], [TOOL]]),
    stream=st.booleans(),
    metadata=st.sampled_from([{}, {"m": "a"}, {"m": "axb"}]),
)


@settings(max_examples=50, deadline=None)
@given(MATCHERS, st.lists(st.tuples(REQUESTS, st.sampled_from([None, "faq"])), min_size=1, max_size=5))
def test_compiled_predicates_agree_with_a_plain_interpreter(written: Any, requests: list[tuple[Arrival, str]]) -> None:
    text = json.dumps(written)
    intents = "intents: {faq: {when: {}}}"
    rules = f"default: small\nrules: [{{name: r, route: small, when: {text}}}]"
    matcher = bundle(routing=rules, intents=intents).routing.rules[0].when
    for arrival, intent in requests:
        assert holds(matcher, arrival, intent) is plain(matcher, arrival, intent)
