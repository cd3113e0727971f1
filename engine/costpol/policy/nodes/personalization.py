"""`kind: personalization`: what makes a request, or its answer, one person's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from costpol.policy.node import Node, key
from costpol.policy.scalars import Name, Pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion(Node):
    """Signals of a personal request; any one suffices."""

    phrases: tuple[str, ...] = key(
        "words or phrases in any user message, as whole words, whatever the case", default=(), one_or_many=True
    )
    pattern: Pattern | None = key("a regular expression (RE2) found in any user message", default=None)
    variables: tuple[str, ...] = key("template variables that the prompt uses", default=(), one_or_many=True)
    tools: tuple[str, ...] = key(
        "tools that the request offers or its history has called", default=(), one_or_many=True
    )
    metadata: tuple[str, ...] = key(
        "members of the request's `metadata`, whatever their value", default=(), one_or_many=True
    )
    intents: tuple[Name, ...] = key("intents whose answers are personal", default=(), one_or_many=True)

    def problems(self) -> list[tuple[str, str, str | None]]:
        if not (self.phrases or self.pattern or self.variables or self.tools or self.metadata or self.intents):
            return [
                (
                    "",
                    "this exclusion excludes nothing",
                    "name `phrases`, `pattern`, `variables`, `tools`, `metadata` or `intents`",
                )
            ]
        return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Personalization(Node):
    """The `personalization` file."""

    kind: Literal["personalization"] = key("what this file declares")
    exclusions: tuple[Exclusion, ...] = key("what never reads or writes a shared answer; may be `[]`, never left out")
    within: Literal["user", "nobody"] = key(
        "who may get a personal answer again: the same `user`, or `nobody`", default="user"
    )
