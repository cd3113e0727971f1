"""`kind: routing`: ordered rules, first match wins, and what happens when a target does not answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from costpol.policy.node import Node, key
from costpol.policy.nodes.matcher import When
from costpol.policy.scalars import Count, Name


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Node):
    """One rule: requests that match `when` go to `route`."""

    name: Name = key("what the rule is called in traces, headers and reports")
    when: When = key("which requests it takes")
    route: Name = key("a tier, a model, or `requested`: the model that the caller asked for")
    max_output_tokens: Count | None = key("the longest answer", default=None, minimum=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback(Node):
    """What to try when a target does not answer. A request that the provider refuses as wrong is never retried."""

    on: tuple[Literal["429", "5xx", "timeout", "unreachable"], ...] = key(
        "which failures move on to the next target", default=("429", "5xx", "timeout", "unreachable"), one_or_many=True
    )
    to: tuple[Name, ...] = key("tiers or models to try after the rule's own", default=(), one_or_many=True)
    attempts: Count = key("how many targets one request may try in all", default=3, minimum=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing(Node):
    """The `routing` file."""

    kind: Literal["routing"] = key("what this file declares")
    default: Name = key("a tier, a model, or `requested`: where a request goes that no rule takes")
    rules: tuple[Rule, ...] = key("the rules, in order; the first that matches decides", default=())
    fallback: Fallback = key("what to try when a target does not answer", default_factory=Fallback)
