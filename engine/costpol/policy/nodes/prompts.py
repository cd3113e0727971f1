"""`kind: prompts`: per intent, the system prompt, the tools and the longest answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from costpol.policy.node import Node, key
from costpol.policy.scalars import Count, Name


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable(Node):
    """A value that a template takes from the request. Personal and volatile ones are known as such to the cache."""

    source: str = key(
        "where the value comes from: `metadata.NAME`, `caller.tenant`, `caller.user`, `caller.agent`, "
        "`caller.session`, `caller.stage`, `clock.date` or `clock.time` (UTC)",
        examples=("metadata.customer_name",),
    )  # fmt: skip
    personal: bool = key("it tells who the caller is: the answer is never shared between users", default=False)
    volatile: bool = key("it changes from call to call: the answer is not cached", default=False)
    default: str | None = key(
        "what to write when the request has no value; left out, such a request keeps its own prompt", default=None
    )

    def problems(self) -> list[tuple[str, str, str | None]]:
        room, _, name = self.source.partition(".")
        known = {"caller": ("tenant", "user", "agent", "session", "stage"), "clock": ("date", "time")}
        if (room == "metadata" and name) or name in known.get(room, ()):
            return []
        return [
            (
                "source",
                f"`{self.source}` is no source of a variable",
                "write `metadata.NAME`, `caller.user` or `clock.date`",
            )
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template(Node):
    """A system prompt. `{{ name }}` stands for a declared variable."""

    version: Count = key("raise it with every change of meaning: cached answers of other versions are not used")
    system: str = key("the text, with `{{ variable }}` where a value goes")
    variables: Mapping[Name, Variable] = key("the variables that the text uses", default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentPrompt(Node):
    """How requests of one intent are put to the model."""

    template: Name | None = key("the template that replaces the request's system prompt", default=None)
    tools: tuple[str, ...] | Literal["none"] | None = key("which of the offered tools are kept", default=None)
    max_output_tokens: Count | None = key("the longest answer", default=None, minimum=1)
    output: Literal["json"] | None = key("ask for a JSON object where the request asks for no format", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts(Node):
    """The `prompts` file."""

    kind: Literal["prompts"] = key("what this file declares")
    templates: Mapping[Name, Template] = key("the templates by name", default_factory=dict)
    intents: Mapping[Name, IntentPrompt] = key("how each intent is put to the model", default_factory=dict)
    otherwise: IntentPrompt = key("how every intent not named is put to the model", default_factory=IntentPrompt)
