"""`kind: cache`: per intent, whether an answer may be given again, for how alike a question, to whom, how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from costpol.policy.node import Node, key
from costpol.policy.scalars import Count, Duration, Name, Share


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentCache(Node):
    """How answers of one intent are cached."""

    threshold: Share | None = key(
        "how alike two questions must be (cosine); left out, only exact repeats hit", default=None, examples=(0.95,)
    )
    ttl: Duration | None = key("how long an answer may be given again", default=None, examples=("24h",))
    scope: Literal["global", "tenant", "user"] | None = key("who shares an answer", default=None)
    guards: tuple[Literal["numbers", "negation", "entities", "order"], ...] = key(
        "differences that refuse a similar question however near it is",
        default=("numbers", "negation", "entities", "order"),
    )
    multi_turn: bool = key("also similar questions later in a conversation whose history is equal", default=False)
    tools: bool = key("also similar questions of requests that offer tools", default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache(Node):
    """The `cache` file."""

    kind: Literal["cache"] = key("what this file declares")
    embedder: Name = key("what turns questions into vectors; another embedder is another cache", default="static-en")
    intents: Mapping[Name, IntentCache | Literal["off"]] = key("caching per intent", default_factory=dict)
    otherwise: IntentCache | Literal["off"] = key("caching of every intent not named", default="off")
    max_entries: Count = key("how many answers are kept", default=50_000, minimum=1)
