"""What holds on every path: no answer for the wrong eyes, no budget exceeded, no reservation lost, no exception, and
one decision for one request."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle as Values
from hypothesis.stateful import RuleBasedStateMachine, consumes, invariant, rule
from playbook import Playbook
from situation import NOW, answered, ask, default_policy, policy
from world import World

from costpol.commands import (
    Call,
    CallFailed,
    Command,
    Exceeded,
    Failed,
    Granted,
    Reserve,
    Settle,
)
from costpol.errors import WireError
from costpol.inference.caller import Caller
from costpol.inference.usage import Usage
from costpol.pipeline.arrival import Arrival
from costpol.pipeline.decision import Outcome
from costpol.pipeline.flow import Pipeline
from costpol.providers.openai import decode_request

RICH = {
    "intents": """
        intents:
          everybody: {when: {stage: everybody}}
          tenants: {when: {stage: tenants}}
          users: {when: {stage: users}}
          own: {when: {stage: own}, personal: true}
          close: {examples: [close to something]}
        otherwise: rest
        """,
    "cache": """
        intents:
          everybody: {threshold: 0.5, ttl: 1h, scope: global, guards: []}
          tenants: {max_wrong_hits: 5%, ttl: 1h, scope: tenant, guards: [], multi_turn: true, tools: true}
          users: {threshold: 0.5, ttl: 1h, scope: user, guards: []}
          own: {threshold: 0.5, ttl: 1h, scope: global, guards: []}
        otherwise: {threshold: 0.9, ttl: 10m, scope: tenant}
        """,
    "personalization": """
        exclusions: [{phrases: [my account]}, {metadata: [customer_id]}, {tools: [lookup]}, {variables: [name]}]
        """,
    "prompts": """
        templates:
          t: {version: 1, system: "For {{ name }}", variables: {name: {source: metadata.name}}}
        intents: {users: {template: t, tools: [search], output: json}, own: {max_output_tokens: 40}}
        """,
    "routing": """
        default: small
        rules:
          - {name: asked, when: {message: {words: asked}}, route: requested}
          - {name: strong, when: {tokens: {min: 60}}, route: strong, max_output_tokens: 80}
        fallback: {to: [strong, small], attempts: 3}
        """,
    "budgets": """
        budgets:
          company: {limit: 0.02 USD, tokens: 30k, per: hour}
          tenants: {limit: 0.01 USD, calls: 12, per: hour, window: rolling, each: tenant}
          users: {tokens: 4k, per: day, each: user}
          sessions: {calls: 3, per: day, each: session}
          requests: {tokens: 3k, per: request}
        ladder:
          - {at: 40%, route: small, max_output_tokens: 60}
          - {at: 95%, budgets: company, refuse: no more}
        assume_output_tokens: 100
        """,
}
PIPELINE = policy(**RICH)
DEFAULT = default_policy()

NAMES = ["a", "b", "-", "%2D", "a:b", "tenant:a", "user:a:b", "\u00e9", "a\n", "global"]
OFTEN = st.sampled_from([None, *NAMES, *["a"] * 12])
"""Some of them meet again often enough to be tempted."""
CALLERS = st.builds(Caller, OFTEN, OFTEN, session=st.sampled_from([None, None, "s"]))
STAGES = ["everybody", "tenants", "users", "own", None]
QUESTIONS = ["what is it", "is it my account", "and my other one?", "asked", "word " * 80]
USUAL = st.sampled_from(["what is it"] * 4 + QUESTIONS)


def only(caller: Caller, stage: str | None, text: str) -> object:
    """Who may read the answer to this question, by what the policy says and not by what the flow decides."""
    if "my account" in text or stage in ("own", "users"):
        return caller.tenant, caller.user
    return None if stage == "everybody" else caller.tenant


class Running:
    """One request on its way, at one command."""

    def __init__(self, pipeline: Pipeline, arrival: Arrival, readers: object) -> None:
        self.flow = pipeline.flow(arrival)
        self.arrival, self.readers = arrival, readers
        self.command: Command | None = self.flow.send(None)
        self.outcome: Outcome | None = None

    def reply(self, value: Any) -> None:
        try:
            self.command = self.flow.send(value)
        except StopIteration as end:
            self.command, self.outcome = None, end.value


class Office(RuleBasedStateMachine):
    """Many callers at once, whose requests overtake each other, in a world where anything may fail."""

    requests = Values("requests")

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.world = World(lambda call: None)
        self.current: Running | None = None
        self.world.answer = self.answer
        self.failure: CallFailed | None = None
        self.finished = 0

    def answer(self, call: Call) -> Any:
        """An answer that carries the mark of whom it was given to, and takes all that was set aside."""
        if self.failure is not None:
            return self.failure
        assert self.current is not None
        limit = call.edit.max_output_tokens or self.current.arrival.request.max_output_tokens or 100
        body = json.dumps({"readers": self.current.readers}).encode()
        return answered("said", usage=Usage(input_tokens=1, output_tokens=limit), body=body)

    @rule(target=requests, caller=CALLERS, stage=st.sampled_from(STAGES), text=USUAL)
    def arrives(self, caller: Caller, stage: str | None, text: str) -> Running:
        arrival = ask(
            text, tenant=caller.tenant, user=caller.user, session=caller.session, stage=stage, now=self.now,
            metadata={"name": "somebody"},
        )  # fmt: skip
        return Running(PIPELINE, arrival, only(caller, stage, text))

    @rule(caller=CALLERS, stage=st.sampled_from(STAGES), text=USUAL)
    def is_answered_at_once(self, caller: Caller, stage: str | None, text: str) -> None:
        self.ends(self.arrives(caller, stage, text))

    @rule(target=requests, request=consumes(requests), steps=st.integers(1, 4))
    def goes_on(self, request: Running, steps: int) -> Running:
        for _ in range(steps):
            self.step(request, self.world.reply)
        return request

    @rule(request=consumes(requests))
    def ends(self, request: Running) -> None:
        while request.command is not None:
            self.step(request, self.world.reply)

    @rule(target=requests, request=consumes(requests))
    def meets_a_failure(self, request: Running) -> Running:
        if not isinstance(request.command, Call | Settle | None):
            self.step(request, lambda command: Failed("down"))
        return request

    @rule(target=requests, request=consumes(requests), failure=st.sampled_from(["timeout", "unreachable", "status"]))
    def meets_a_model_that_fails(self, request: Running, failure: str) -> Running:
        if isinstance(request.command, Call):
            self.failure = CallFailed(failure, 500 if failure == "status" else None)
            self.step(request, self.world.reply)
            self.failure = None
        return request

    @rule(seconds=st.sampled_from([1.0, 59.0, 601.0, 1800.0, 3600.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    def step(self, request: Running, reply: Callable[[Command], Any]) -> None:
        if request.command is None:
            return
        self.current = request
        request.reply(reply(request.command))
        if request.outcome is not None:
            self.finished += 1
            if request.outcome.kind == "hit":
                assert request.outcome.body is not None
                readers = json.loads(request.outcome.body)["readers"]
                assert readers == json.loads(json.dumps(request.readers)), "an answer for somebody else"

    @invariant()
    def no_budget_is_exceeded(self) -> None:
        for reserve in self.world.open.values():
            for hold in reserve.holds:
                assert self.world.standing(hold.account) <= hold.limit

    @invariant()
    def no_more_is_settled_than_was_set_aside(self) -> None:
        for reserve, amounts in self.world.settled:
            assert all(amount <= hold.amount for hold, amount in zip(reserve.holds, amounts, strict=True))

    @invariant()
    def every_reservation_is_open_or_settled_once(self) -> None:
        assert self.world.granted == len(self.world.open) + len(self.world.settled)


TestOffice = Office.TestCase
TestOffice.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


# Any request, any reply


TEXT = st.text(max_size=30) | st.sampled_from(["my account", "asked", "what is it", " ", "ok"])
PART = st.one_of(
    st.fixed_dictionaries({"type": st.just("text"), "text": TEXT}),
    st.fixed_dictionaries({"type": st.just("image_url"), "image_url": st.fixed_dictionaries({"url": TEXT})}),
    st.fixed_dictionaries({"type": st.text(min_size=1, max_size=5)}),
)
TOOL_CALL = st.fixed_dictionaries(
    {"id": TEXT, "type": st.just("function"), "function": st.fixed_dictionaries({"name": TEXT, "arguments": TEXT})}
)
MESSAGE = st.fixed_dictionaries(
    {
        "role": st.sampled_from(["system", "developer", "user", "assistant", "tool"]),
        "content": TEXT | st.none() | st.lists(PART, max_size=3),
    },
    optional={"name": TEXT, "tool_calls": st.lists(TOOL_CALL, max_size=2), "tool_call_id": TEXT},
)
TOOL = st.fixed_dictionaries(
    {
        "type": st.just("function"),
        "function": st.fixed_dictionaries({"name": st.sampled_from(["search", "lookup", ""])}),
    }
)
COUNT = st.integers(0, 5) | st.integers(0, 2**31 - 1)
BODY = st.fixed_dictionaries(
    {
        "model": st.sampled_from(["cheap", "dear", "gpt-4.1"]) | st.text(min_size=1, max_size=9),
        "messages": st.lists(MESSAGE, min_size=1, max_size=4),
    },
    optional={
        "stream": st.booleans(), "n": st.integers(1, 2**31 - 1), "max_tokens": COUNT, "max_completion_tokens": COUNT,
        "tools": st.lists(TOOL, max_size=3), "temperature": st.floats(0, 2), "metadata": st.dictionaries(TEXT, TEXT),
        "response_format": st.sampled_from([{"type": "text"}, {"type": "json_object"}]), "user": TEXT,
        "unknown": st.integers() | TEXT,
    },
)  # fmt: skip
ANSWER = st.builds(
    answered,
    TEXT,
    usage=st.builds(Usage, *[st.none() | st.integers(0, 10**6)] * 4),
    finish_reason=st.sampled_from(["stop", "length", "tool_calls", None]),
    tool_calls=st.sampled_from([(), ("search",)]),
    refusal=st.booleans(),
    answers=st.integers(0, 3),
    body=st.none() | st.binary(max_size=9),
    complete=st.booleans(),
)
FAILURE = st.builds(
    CallFailed, st.sampled_from(["status", "timeout", "unreachable", "broken"]), st.sampled_from([None, 400, 429, 500])
)
CALLER = st.builds(Caller, *[st.none() | TEXT] * 5)


def converse(pipeline: Pipeline, arrival: Arrival, draw: Callable[[st.SearchStrategy[Any]], Any]) -> Outcome:
    """A conversation whose replies are drawn; every reservation is settled in it, and no other."""
    world = World(lambda call: draw(ANSWER | FAILURE))
    open_: set[int] = set()
    with Playbook(pipeline, arrival, alone=False) as talk:
        while (command := talk.pending) is not None:
            if not isinstance(command, Call) and draw(st.integers(0, 4)) == 0:
                reply: Any = Failed("down")
                if isinstance(command, Reserve) and draw(st.booleans()):
                    reply = Exceeded(command.holds[-1], command.holds[-1].limit)
            else:
                reply = world.reply(command)
            if isinstance(reply, Granted):
                open_.add(reply.reservation)
            if isinstance(command, Settle):
                open_.remove(command.reservation)
            talk.reply(reply)
        assert not open_
        return talk.outcome


@given(BODY, CALLER, st.none() | st.floats(0, 1e6), st.booleans(), st.data())
def test_no_request_makes_the_flow_raise(
    body: dict[str, Any], caller: Caller, deadline: float | None, rich: bool, data: st.DataObject
) -> None:
    try:
        request = decode_request(json.dumps(body).encode())
    except WireError:
        return  # the provider's own API would refuse it
    arrival = Arrival(request, caller, NOW, deadline)
    outcome = converse(PIPELINE if rich else DEFAULT, arrival, data.draw)
    asked, decided = request.max_output_tokens, outcome.decision.max_output_tokens
    assert asked is None or (decided is not None and decided <= asked)
    assert (outcome.kind == "refused") is (outcome.refusal is not None)
    assert (outcome.kind == "answered") is (outcome.response is not None) is (outcome.usage is not None)
    assert outcome.cost >= 0
    assert len(outcome.decision.attempts) <= 3


@settings(max_examples=25)  # each compiles a policy anew
@given(st.lists(st.tuples(BODY, CALLERS), min_size=1, max_size=4))
def test_the_same_requests_in_the_same_world_are_decided_the_same(
    requests: list[tuple[dict[str, Any], Caller]],
) -> None:
    def decided() -> list[Outcome]:
        world = World(lambda call: answered())
        pipeline = policy(**RICH)  # nothing that an earlier request left behind may count
        outcomes = []
        for body, caller in requests:
            try:
                request = decode_request(json.dumps(body).encode())
            except WireError:
                continue
            outcomes.append(world.run(pipeline, Arrival(request, caller, NOW)))
        return outcomes

    assert decided() == decided()


def test_the_world_knows_every_command() -> None:
    world = World(lambda call: answered())
    pipeline = policy(
        intents="intents: {far: {examples: [x]}}",
        cache="otherwise: {max_wrong_hits: 1%, ttl: 1h, scope: tenant}",
        budgets="budgets: {b: {calls: 9, per: day}}\nladder: [{at: 9%, warn: true}]",
    )
    world.run(pipeline, ask())
    threshold = policy(cache="otherwise: {threshold: 0.9, ttl: 1h, scope: tenant}")
    for question in ("what is a refund", "what is the refund"):
        world.run(threshold, ask(question))
    assert {type(command) for command in world.log} == set(get_args(Command))
