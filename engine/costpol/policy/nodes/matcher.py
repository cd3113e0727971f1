"""`when`: a conjunction of typed conditions on a request; `any`, `all` and `not` nest them.

Small on purpose: every condition is an interval, a set or a text predicate, so that unreachable rules and missing cases
can be computed, not guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from costpol.policy.node import Node, key
from costpol.policy.scalars import Count, Duration, Pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Range(Node):
    """A range of whole numbers, both ends included."""

    min: Count | None = key("at least this many", default=None)
    max: Count | None = key("at most this many", default=None)

    def problems(self) -> list[tuple[str, str, str | None]]:
        if self.min is not None and self.max is not None and self.min > self.max:
            return [("min", f"no number is at least {self.min} and at most {self.max}", "swap them, or drop one")]
        return []


@dataclass(frozen=True, slots=True, kw_only=True)
class DurationRange(Node):
    """A range of durations, both ends included."""

    min: Duration | None = key("at least this long", default=None)
    max: Duration | None = key("at most this long", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextMatch(Node):
    """Conditions on the text of the last user message; all that are written must hold."""

    min_chars: Count | None = key("at least this many characters", default=None)
    max_chars: Count | None = key("at most this many characters", default=None)
    any_of: tuple[str, ...] = key(
        "the whole message is one of these, whatever its case, outer spaces and closing punctuation",
        default=(), one_or_many=True, non_empty=True,
    )  # fmt: skip
    words: tuple[str, ...] = key(
        "any of these words or phrases occurs as whole words, whatever the case",
        default=(),
        one_or_many=True,
        non_empty=True,
    )
    pattern: Pattern | None = key("this regular expression (RE2) matches somewhere", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class When(Node):
    """Which requests: all conditions that are written must hold. An empty `when` holds for every request."""

    message: TextMatch | None = key("the text of the last user message", default=None)
    tokens: Range | None = key("input tokens of the whole request", default=None)
    turns: Range | None = key("how many user turns the conversation has", default=None)
    tools: Literal["none", "any"] | tuple[str, ...] | None = key(
        "`none` or `any` tools offered to the model, or a list: any of these is offered", default=None
    )
    model: tuple[str, ...] = key(
        "the model that the caller asked for; `*` stands for anything", default=(), one_or_many=True, non_empty=True
    )
    intent: tuple[str, ...] = key("the intent that was recognised", default=(), one_or_many=True, non_empty=True)
    tenant: tuple[str, ...] = key(
        "the caller's tenant; `*` stands for anything", default=(), one_or_many=True, non_empty=True
    )
    user: tuple[str, ...] = key(
        "the caller's user; `*` stands for anything", default=(), one_or_many=True, non_empty=True
    )
    agent: tuple[str, ...] = key(
        "the calling agent; `*` stands for anything", default=(), one_or_many=True, non_empty=True
    )
    session: tuple[str, ...] = key(
        "the caller's session; `*` stands for anything", default=(), one_or_many=True, non_empty=True
    )
    stage: tuple[str, ...] = key(
        "the stage of the agent's work; `*` stands for anything", default=(), one_or_many=True, non_empty=True
    )
    metadata: Mapping[str, tuple[str, ...]] = key(
        "members of the request's `metadata`, each one of the values given; `*` stands for anything",
        default_factory=dict, one_or_many=True,
    )  # fmt: skip
    deadline: DurationRange | None = key("how long the caller can wait for the answer", default=None)
    stream: bool | None = key("whether the answer is to be streamed", default=None)
    output: tuple[Literal["text", "json", "schema"], ...] = key(
        "the output format asked for", default=(), one_or_many=True, non_empty=True
    )
    attachments: bool | None = key("whether messages carry images, audio or files", default=None)
    any: tuple[When, ...] = key("at least one of these holds", default=(), non_empty=True)
    all: tuple[When, ...] = key("each of these holds", default=(), non_empty=True)
    not_: When | None = key("this does not hold", default=None, yaml="not")
