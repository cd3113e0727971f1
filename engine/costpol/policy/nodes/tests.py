"""`kind: tests`: requests and the decisions that the policy must make of them, run by `costpol test`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from costpol.policy.node import Node, key
from costpol.policy.scalars import Duration, Instant, Name, Raw, Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Who(Node):
    """The caller of a test request."""

    tenant: str | None = key("its tenant", default=None)
    user: str | None = key("its user", default=None)
    agent: str | None = key("its agent", default=None)
    session: str | None = key("its session", default=None)
    stage: str | None = key("the stage of its work", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept(Node):
    """A question that was asked and answered before the case. The policy decides whether its answer was kept."""

    message: str | None = key("the question", default=None)
    request: Raw | None = key("the whole request body instead", default=None)
    caller: Who | None = key("who asked; left out, the caller of the case", default=None)
    metadata: Mapping[str, str] = key("members of that request's `metadata`", default_factory=dict)
    intent: Name | None = key(
        "what its nearest example showed; left out, that of the case's `signals`, or what the embedder finds",
        default=None,
    )
    similarity: Share | None = key(
        "how alike to the case's question it is; left out, the embedder measures it", default=None, examples=(0.97,)
    )
    age: Duration = key("how long before the case it was asked", default=60.0, examples=("1h",))

    def problems(self) -> list[tuple[str, str, str | None]]:
        if (self.message is None) == (self.request is None):
            return [("", "what was asked before is either a message or a whole request", "write `message:`")]
        return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded(Node):
    """What the embedder said, recorded instead of measured: a case that hangs on it holds whatever the embedder."""

    intent: Name | None = key(
        "the intent of the nearest example, if no matcher holds before; the name of what no intent covers stands for "
        "no example near enough",
        default=None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixture(Node):
    """What several cases have in common. What a case writes itself comes on top, member by member."""

    request: Raw | None = key(
        "members of the request body; a case's message is appended to its `messages`", default=None
    )
    caller: Who = key("who asks", default_factory=Who)
    metadata: Mapping[str, str] = key("members of the request's `metadata`", default_factory=dict)
    deadline: Duration | None = key("how long the caller can wait", default=None)
    now: Instant | None = key("when it happens; left out, at the file's `now`", default=None)
    spent: Mapping[Name, Share] = key("how much of each budget's limit is already used", default_factory=dict)
    signals: Recorded = key("what the embedder said, recorded", default_factory=Recorded)
    kept: tuple[Kept, ...] = key("what was asked and answered before; a case's own comes after it", default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect(Node):
    """The decision expected. Only what is written is compared."""

    intent: Name | None = key("the intent recognised", default=None)
    rule: Name | None = key("the routing rule that decided, or `default`", default=None)
    model: Name | None = key("the model called first, or that gave the kept answer", default=None)
    personal: bool | None = key("whether the request counts as personal", default=None)
    cache: Literal["lookup", "bypass"] | None = key("whether the cache is asked", default=None)
    hit: Literal["exact", "similar", "none"] | None = key("whether a kept answer is given, and by what", default=None)
    guard: Literal["numbers", "negation", "entities", "order", "none"] | None = key(
        "the guard that refused a kept answer which would have been given", default=None
    )
    scope: Literal["global", "tenant", "user"] | None = key("who would share the answer", default=None)
    template: Name | None = key("the template applied", default=None)
    refused: bool | None = key("whether a budget refuses it", default=None)
    max_output_tokens: int | None = key("the longest answer asked of the model", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case(Node):
    """One request and its expected decision."""

    name: str = key("what the case shows")
    use: Name | None = key("the fixture that it starts from", default=None)
    message: str | None = key("the user's message, where the rest of the request does not matter", default=None)
    messages: tuple[str, ...] = key("several messages that are all decided so: a case for each", default=())
    request: Raw | None = key("the whole request body instead", default=None)
    caller: Who = key("who asks", default_factory=Who)
    metadata: Mapping[str, str] = key("members of the request's `metadata`", default_factory=dict)
    deadline: Duration | None = key("how long the caller can wait", default=None)
    now: Instant | None = key("when it happens; left out, at the file's `now`", default=None)
    spent: Mapping[Name, Share] = key("how much of each budget's limit is already used", default_factory=dict)
    signals: Recorded = key("what the embedder said, recorded", default_factory=Recorded)
    kept: tuple[Kept, ...] = key("what was asked and answered before", default=())
    expect: Expect = key(
        "what is decided, such as `model` or `cache`: a case that expects nothing shows nothing", non_empty=True
    )

    def problems(self) -> list[tuple[str, str, str | None]]:
        written = (self.message is not None) + bool(self.messages) + (self.request is not None)
        if written > 1 or (written == 0 and self.use is None):
            return [("", "a case has either a message or a whole request", "write `message:` or `request:`")]
        return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Tests(Node):
    """A `tests` file; a bundle may have several."""

    kind: Literal["tests"] = key("what this file declares")
    now: Instant | None = key("the time at which all cases happen", default=None, examples=("2026-01-31T23:59:00Z",))
    fixtures: Mapping[Name, Fixture] = key("what cases of this file have in common, by name", default_factory=dict)
    tests: tuple[Case, ...] = key("the cases", non_empty=True)
