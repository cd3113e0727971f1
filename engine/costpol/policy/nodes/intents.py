"""`kind: intents`: what requests are about, told by a matcher, by example utterances, or by both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from costpol.policy.node import Node, key
from costpol.policy.nodes.matcher import When
from costpol.policy.scalars import Name, Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent(Node):
    """One intent. Matchers are tried first, in the order written; then the nearest example decides."""

    description: str | None = key("what it is about, for people", default=None)
    when: When | None = key("requests that are surely of this intent", default=None)
    examples: tuple[str, ...] = key("utterances that show it; the nearest example decides", default=())
    min_similarity: Share | None = key(
        "how near the nearest example must be (cosine); left out, the embedder's own floor", default=None
    )
    volatility: Literal["static", "daily", "live"] = key(
        "how fast its right answers change: `static` (days and more), `daily`, or `live` (minutes)", default="static"
    )
    personal: bool = key("its answers are about the caller: never shared between users", default=False)

    def problems(self) -> list[tuple[str, str, str | None]]:
        if self.when is None and not self.examples:
            return [("", "nothing can be recognised as this intent", "add `when:` or `examples:`")]
        return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Intents(Node):
    """The `intents` file."""

    kind: Literal["intents"] = key("what this file declares")
    intents: Mapping[Name, Intent] = key("the intents, most specific first", non_empty=True)
    otherwise: Name = key("the name of what no intent covers", default="other")
