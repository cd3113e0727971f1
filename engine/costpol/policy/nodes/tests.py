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
class Expect(Node):
    """The decision expected. Only what is written is compared."""

    intent: Name | None = key("the intent recognised", default=None)
    rule: Name | None = key("the routing rule that decided, or `default`", default=None)
    model: Name | None = key("the model called first", default=None)
    personal: bool | None = key("whether the request counts as personal", default=None)
    cache: Literal["lookup", "bypass"] | None = key("whether the cache is asked", default=None)
    scope: Literal["global", "tenant", "user"] | None = key("who would share the answer", default=None)
    template: Name | None = key("the template applied", default=None)
    refused: bool | None = key("whether a budget refuses it", default=None)
    max_output_tokens: int | None = key("the longest answer asked of the model", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case(Node):
    """One request and its expected decision."""

    name: str = key("what the case shows")
    message: str | None = key("the user's message, where the rest of the request does not matter", default=None)
    request: Raw | None = key("the whole request body instead", default=None)
    caller: Who = key("who asks", default_factory=Who)
    metadata: Mapping[str, str] = key("members of the request's `metadata`", default_factory=dict)
    deadline: Duration | None = key("how long the caller can wait", default=None)
    spent: Mapping[Name, Share] = key("how much of each budget's limit is already used", default_factory=dict)
    expect: Expect = key("the decision")

    def problems(self) -> list[tuple[str, str, str | None]]:
        if (self.message is None) == (self.request is None):
            return [("", "a case has either a message or a whole request", "write `message:` or `request:`")]
        return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Tests(Node):
    """A `tests` file; a bundle may have several."""

    kind: Literal["tests"] = key("what this file declares")
    now: Instant | None = key("the time at which all cases happen", default=None, examples=("2026-01-31T23:59:00Z",))
    tests: tuple[Case, ...] = key("the cases", non_empty=True)
