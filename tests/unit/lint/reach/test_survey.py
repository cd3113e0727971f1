"""Verdicts against brute force: every request of a small world is tried with the decision flow's own predicates."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from costpol.inference.caller import Caller
from costpol.inference.request import Message, Request
from costpol.lint.reach.survey import Impossible, NotAnalysed, Reached, Shadowed, overlaps, redundant, survey
from costpol.pipeline.arrival import Arrival
from costpol.pipeline.keywords import KeywordCollector
from costpol.pipeline.matching import compile_when
from costpol.pipeline.signals import Signals
from costpol.policy.nodes.matcher import DurationRange, Range, TextMatch, When

INTENTS = ["faq", "order", "other"]


class World:
    """The matchers, compiled as the decision flow compiles them."""

    def __init__(self, matchers: Sequence[When]) -> None:
        collector = KeywordCollector()
        self.predicates = [compile_when(when, collector) for when in matchers]
        self.keywords = collector.compile()

    def first(self, request: dict[str, Any], among: Sequence[int] | None = None) -> int | None:
        signals = self.signals(request)
        numbers = range(len(self.predicates)) if among is None else among
        return next((number for number in numbers if self.predicates[number](signals)), None)

    def takes(self, number: int, request: dict[str, Any]) -> bool:
        return self.predicates[number](self.signals(request))

    def signals(self, request: dict[str, Any]) -> Signals:
        turns = request.get("turns", 1)
        text = request.get("message", "")
        messages = [Message("user", "earlier", b"{}")] * max(turns - 1, 0)
        messages += [Message("user", text, b"{}", attachments=int(request.get("attachments", False)))] * min(turns, 1)
        wire = Request(
            dialect="openai", model=request.get("model", "any"), messages=tuple(messages), raw=b"{}",
            tools=tuple(request.get("tools", ())), stream=request.get("stream", False),
            output_format=request.get("output", "text"),
            metadata={name: value for name, value in request.get("metadata", {}).items() if value is not None},
        )  # fmt: skip
        caller = Caller(*(request.get(name) for name in ("tenant", "user", "agent", "session", "stage")))
        signals = Signals(Arrival(wire, caller, deadline=request.get("deadline")), self.keywords, len)
        signals.intent = request.get("intent", "other")
        signals.__dict__["tokens"] = request.get("tokens", 0)
        return signals


def check(matchers: list[When], requests: list[dict[str, Any]], *, exact: bool, witnesses: bool = True) -> None:
    world = World(matchers)
    first = [world.first(request) for request in requests]
    found = survey(matchers, INTENTS)
    for number, verdict in enumerate(found.verdicts):
        assert not isinstance(verdict, NotAnalysed)
        if isinstance(verdict, Reached):
            assert not exact or number in first
            witness = found.witness(number)
            assert witness is not None
            if witnesses and "matching" not in witness:
                assert world.first(dict(witness)) == number, witness
            continue
        assert number not in first
        takers = [request for request in requests if world.takes(number, request)]
        if isinstance(verdict, Impossible):
            assert not takers
            continue
        assert not exact or takers
        assert all(world.first(request, verdict.by) is not None for request in takers)
        for spared in verdict.by if exact else ():
            others = [owner for owner in verdict.by if owner != spared]
            assert any(world.first(request, others) is None for request in takers), "all of them are needed"


def product(**fields: list[Any]) -> list[dict[str, Any]]:
    return [dict(zip(fields, values, strict=True)) for values in itertools.product(*fields.values())]


def ranges(most: int) -> st.SearchStrategy[Range | None]:
    bound = st.none() | st.integers(0, most)
    return st.none() | st.builds(lambda low, high: Range(min=low, max=high), bound, bound)


def some(*values: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.sampled_from([(), *itertools.combinations(values, 1), *itertools.combinations(values, 2)])


def nested(leaves: st.SearchStrategy[When]) -> st.SearchStrategy[When]:
    pair = st.tuples(leaves) | st.tuples(leaves, leaves)
    return st.one_of(
        leaves,
        st.builds(lambda parts: When(any=parts), pair),
        st.builds(lambda parts, more: When(all=parts, not_=more), pair, leaves),
        st.builds(lambda part, parts: When(not_=When(any=parts), stream=part.stream), leaves, pair),
    )


callers = st.builds(
    lambda tenant, tokens, tools: When(tenant=tenant, tokens=tokens, tools=tools),
    some("a", "b", "a*", "*b", "*", "ab"),
    ranges(4),
    st.sampled_from([None, "none", "any", ("x",), ("y",), ("x", "y")]),
)
CALLERS = product(
    tenant=[None, "a", "b", "ab", "axb", "ax", "xb", "x"],
    tokens=list(range(6)),
    tools=[list(chosen) for size in range(4) for chosen in itertools.combinations("xyz", size)],
)

seconds = st.sampled_from([None, 1.0, 2.0])
settings_of_requests = st.builds(
    lambda intent, stream, deadline, turns, plan, output: When(
        intent=intent, stream=stream, deadline=deadline, turns=turns, output=output,
        metadata={"plan": plan} if plan else {},
    ),
    some(*INTENTS), st.none() | st.booleans(),
    st.none() | st.builds(lambda low, high: DurationRange(min=low, max=high), seconds, seconds),
    ranges(2), some("pro", "p*"), some("json", "schema"),
)  # fmt: skip
SETTINGS = product(
    intent=INTENTS, stream=[True, False], deadline=[None, 0.5, 1.0, 1.5, 2.0, 3.0], turns=[0, 1, 2, 3],
    metadata=[{}, {"plan": "pro"}, {"plan": "plus"}, {"plan": "x"}], output=["text", "json", "schema"],
)  # fmt: skip

WORDS = ["refund", "order", "order status", "no"]
texts = st.builds(
    lambda any_of, words, low, high: When(message=TextMatch(any_of=any_of, words=words, min_chars=low, max_chars=high)),
    some("Yes", "refund!", "order status", "no"), some(*WORDS), st.none() | st.sampled_from([1, 4, 8]),
    st.none() | st.sampled_from([0, 3, 7, 30]),
)  # fmt: skip
wordings = st.builds(
    lambda any_of, words: When(message=TextMatch(any_of=any_of, words=words)),
    some("Yes", "refund!", "order status", "no"),
    some(*WORDS),
)


def messages() -> Iterator[str]:
    for size in range(4):
        for chosen in itertools.combinations(["refund", "order", "status", "no", "yes"], size):
            for order in itertools.permutations(chosen):
                yield " ".join(order)
                yield "-".join(order) + "!!"
                yield " ".join(order) + " and something more at the end"
    yield from ("...", "x", "orders", "YES.", "  no  ")


MESSAGES = product(message=list(dict.fromkeys(messages())))


@settings(max_examples=150, deadline=None)
@given(st.lists(nested(callers), min_size=1, max_size=5))
def test_verdicts_on_callers_tokens_and_tools_equal_brute_force(matchers: list[When]) -> None:
    check(matchers, CALLERS, exact=True)


@settings(max_examples=60, deadline=None)
@given(st.lists(nested(settings_of_requests), min_size=1, max_size=4))
def test_verdicts_on_settings_equal_brute_force(matchers: list[When]) -> None:
    check(matchers, SETTINGS, exact=True)


@settings(max_examples=150, deadline=None)
@given(st.lists(nested(wordings), min_size=1, max_size=4))
def test_verdicts_on_wordings_equal_brute_force(matchers: list[When]) -> None:
    check(matchers, MESSAGES, exact=True)


@settings(max_examples=150, deadline=None)
@given(st.lists(nested(texts), min_size=1, max_size=4))
def test_no_reachable_rule_is_called_dead_where_lengths_and_words_meet(matchers: list[When]) -> None:
    check(matchers, MESSAGES, exact=False, witnesses=False)


@settings(max_examples=80, deadline=None)
@given(st.lists(nested(callers), min_size=2, max_size=4), st.data())
def test_a_redundant_rule_can_be_dropped_and_nothing_changes(matchers: list[When], data: st.DataObject) -> None:
    outcomes = data.draw(st.lists(st.sampled_from("ab"), min_size=len(matchers), max_size=len(matchers)))
    world = World(matchers)

    def outcome(request: dict[str, Any], among: list[int]) -> str | None:
        number = world.first(request, among)
        return None if number is None else outcomes[number]

    everything = list(range(len(matchers)))
    spare = redundant(survey(matchers, INTENTS), outcomes)
    for number in everything:
        others = [other for other in everything if other != number]
        changes = any(outcome(request, everything) != outcome(request, others) for request in CALLERS)
        reached = any(world.first(request) == number for request in CALLERS)
        assert (number in spare) == (reached and not changes)


def test_a_union_of_earlier_rules_is_named_without_those_not_needed() -> None:
    matchers = [
        When(tokens=Range(max=100)),
        When(stream=True),
        When(tokens=Range(min=90, max=300)),
        When(tokens=Range(min=50, max=250)),
    ]
    verdicts = survey(matchers, INTENTS).verdicts
    assert verdicts[3] == Shadowed((0, 2))


def test_all_declared_intents_together_leave_nothing() -> None:
    matchers = [When(intent=("faq",)), When(intent=("order", "other")), When(tools="any")]
    assert survey(matchers, INTENTS).verdicts[2] == Shadowed((0, 1))


def test_a_phrase_holds_its_words() -> None:
    matchers = [When(message=TextMatch(words=("refund",))), When(message=TextMatch(words=("Refund my order",)))]
    assert survey(matchers, None).verdicts[1] == Shadowed((0,))


def test_a_wording_holds_its_words() -> None:
    matchers = [
        When(message=TextMatch(words=("thanks", "bye"))),
        When(message=TextMatch(any_of=("Thanks a lot!", "good bye"))),
    ]
    assert survey(matchers, None).verdicts[1] == Shadowed((0,))


def test_equal_patterns_are_equal_and_others_are_left_open() -> None:
    matchers = [When(message=TextMatch(pattern=pattern)) for pattern in ("a+", "a", "a+")]
    verdicts = survey(matchers, None).verdicts
    assert isinstance(verdicts[1], Reached)
    assert verdicts[2] == Shadowed((0,))


def test_conditions_that_contradict_each_other_are_impossible() -> None:
    for when in (
        When(message=TextMatch(words=("strategy",), max_chars=5)),
        When(message=TextMatch(any_of=("yes",), min_chars=1), turns=Range(max=0)),
        When(tools=("x",), not_=When(tools="any")),
        When(all=(When(tenant=("a*",)), When(tenant=("b*",)))),
        When(stream=True, not_=When(stream=True)),
        When(tokens=Range(min=10, max=5)),
    ):
        assert survey([when], None).verdicts == (Impossible(),)


def test_partial_overlaps_on_the_same_fields_come_with_a_request() -> None:
    matchers = [
        When(tokens=Range(min=1, max=5)),
        When(tokens=Range(min=4, max=9)),
        When(tokens=Range(min=6, max=7)),
        When(stream=True),
    ]
    found = overlaps(survey(matchers, None), ["a", "b", "c", "d"])
    assert [(each.first, each.second, each.witness["tokens"]) for each in found] == [(0, 1, 4)]
    assert overlaps(survey(matchers, None), ["a", "a", "a", "a"]) == []


def test_what_has_too_many_cases_is_not_analysed_and_the_rest_is() -> None:
    wide = When(
        all=tuple(When(any=(When(metadata={f"a{i}": ("x",)}), When(metadata={f"b{i}": ("x",)}))) for i in range(10))
    )
    verdicts = survey([wide, When(stream=True), When(stream=True)], None).verdicts
    assert verdicts[0] == NotAnalysed()
    assert isinstance(verdicts[1], Reached)
    assert verdicts[2] == Shadowed((1,))


def test_globs_that_multiply_are_not_analysed() -> None:
    matchers = [When(tenant=(f"*{chr(97 + i)}*",)) for i in range(16)]
    assert survey(matchers, None).verdicts == tuple(NotAnalysed() for _ in matchers)


def test_two_hundred_rules_take_well_under_a_second() -> None:
    matchers = [
        When(
            tenant=(f"t{i % 61}", f"g{i % 7}*"), tokens=Range(min=i * 7 % 500, max=500 + i * 31 % 8000),
            message=TextMatch(words=tuple(f"word{i * 13 % 389 + j}" for j in range(4)), max_chars=10 + i * 17 % 290),
            tools=("none", "any", ("a", "b"))[i % 3], intent=(INTENTS[i % 3],),
        )
        for i in range(199)
    ]  # fmt: skip
    started = time.process_time()
    found = survey([*matchers, When(), When(stream=True)], INTENTS)
    redundant(found, [number % 3 for number in range(201)])
    assert time.process_time() - started < 15  # about 0.3 s; many times that without the limit
    assert found.verdicts[-1] == Shadowed((199,))
