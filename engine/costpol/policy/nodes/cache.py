"""`kind: cache`: per intent, whether an answer may be given again, for how alike a question, to whom, how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from costpol.policy.node import Node, key
from costpol.policy.scalars import Count, Duration, KeySource, Name, Share, Url, Usd


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentCache(Node):
    """How answers of one intent are cached."""

    threshold: Share | None = key(
        "how alike two questions must be (cosine); left out, only exact repeats hit", default=None, examples=(0.95,)
    )
    max_wrong_hits: Share | None = key(
        "the largest share of wrong hits, instead of a threshold: the engine learns from every answer when questions "
        "are surely alike, and keeps the limit with the stated confidence",
        default=None,
        examples=("1%",),
    )
    confidence: Share | None = key(
        "how sure it must be that `max_wrong_hits` is kept: the surer, the fewer hits; left out, `90%`",
        default=None,
        examples=("95%",),
    )
    ttl: Duration | None = key("how long an answer may be given again", default=None, positive=True, examples=("24h",))
    scope: Literal["global", "tenant", "user"] | None = key("who shares an answer", default=None)
    guards: tuple[Literal["numbers", "negation", "entities", "order"], ...] = key(
        "differences that refuse a similar question however near it is",
        default=("numbers", "negation", "entities", "order"),
    )
    multi_turn: bool = key("also similar questions later in a conversation whose history is equal", default=False)
    tools: bool = key("also similar questions of requests that offer tools", default=False)
    tags: tuple[Name, ...] = key(
        "marks of the answers, by which they can be taken back: `costpol cache purge --tag`",
        default=(),
        one_or_many=True,
        examples=(["prices", "terms"],),
    )
    verify: Share | None = key(
        "the share of similar hits that is answered afresh in the background, to see whether the kept answer was "
        "right; left out, `1%` with a threshold, and `4%` with a limit of wrong hits, which learns from it",
        default=None,
        examples=("2%", "0%"),
    )
    max_divergence: Share | None = key(
        "the largest share of verified hits that may say something else than the fresh answer before a threshold "
        "rises by itself; left out, `10%`",
        default=None,
        examples=("5%",),
    )

    @property
    def alike(self) -> bool:
        """Whether similar questions hit, not only equal ones."""
        return self.threshold is not None or self.max_wrong_hits is not None

    def problems(self) -> list[tuple[str, str, str | None]]:
        found: list[tuple[str, str, str | None]] = []
        if self.threshold is not None and self.max_wrong_hits is not None:
            found.append(("threshold", "a threshold and a limit of wrong hits exclude each other", "keep one of them"))
        if self.max_wrong_hits is not None and not 0 < self.max_wrong_hits <= Decimal("0.2"):
            found.append(("max_wrong_hits", "this limit cannot be kept, or is none", "write a share such as `1%`"))
        if self.confidence is not None and self.max_wrong_hits is None:
            found.append(("confidence", "there is no `max_wrong_hits` to be sure of", "drop `confidence`"))
        elif self.confidence is not None and not Decimal("0.5") <= self.confidence <= Decimal("0.999"):
            found.append(("confidence", "nobody is as sure, or as unsure", "write between `50%` and `99.9%`"))
        if self.max_divergence is not None and self.threshold is None:
            instead = "`max_wrong_hits` is that limit" if self.max_wrong_hits is not None else "drop `max_divergence`"
            found.append(("max_divergence", "a limit of divergence raises a threshold, and there is none", instead))
        elif self.max_divergence is not None and not 0 < self.max_divergence <= Decimal("0.5"):
            found.append(("max_divergence", "this limit cannot be kept, or is none", "write a share such as `5%`"))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification(Node):
    """What answering hits afresh may cost."""

    limit: Usd = key("the most dollars; beyond them nothing is verified", default=Decimal(1), examples=("1 USD",))
    per: Literal["hour", "day", "week", "month"] = key("the window, by the calendar in UTC", default="day")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerStore(Node):
    """Where answers are kept: in the data folder of each process, or on a Qdrant server that many share."""

    type: Literal["embedded", "qdrant"] = key("in the data folder, or on a Qdrant server", default="embedded")
    url: Url | None = key(
        "the server's HTTP address; port 6333 where none is written",
        default=None, examples=("https://qdrant.internal:6333",),
    )  # fmt: skip
    key_source: KeySource = key(
        "where its key comes from: `$NAME` of an environment variable, or `none`",
        default="none", yaml="key", examples=("$QDRANT_KEY",),
    )  # fmt: skip
    collection: str = key("what the names of its collections begin with", default="costpol")
    timeout: Duration = key("how long one call may take before the cache is bypassed", default=0.2)
    grpc_port: Count | None = key(
        "the port for gRPC, which is faster than HTTP", default=None, minimum=1, examples=(6334,)
    )
    quantization: Literal["int8"] | None = key(
        "keep vectors as 8-bit numbers: a quarter of the memory, and a faster search", default=None
    )

    def problems(self) -> list[tuple[str, str, str | None]]:
        found: list[tuple[str, str, str | None]] = []
        if self.type == "embedded":
            for name in ("url", "key", "collection", "timeout", "grpc_port"):
                if self.written(name):
                    found.append((name, f"the embedded store has no `{name}`", "write `type: qdrant` for a server"))
            return found
        if self.url is None:
            found.append(("", "a Qdrant server needs its `url`", "write it, such as `url: http://127.0.0.1:6333`"))
        if self.key_source == "caller":
            found.append(("key", "a caller's key opens no store", "name an environment variable: `key: $QDRANT_KEY`"))
        if not self.timeout > 0:
            found.append(("timeout", "no server answers in no time", "write a duration such as `200ms`"))
        if not 0 < len(self.collection) <= 64 or not all(c.isalnum() or c in "-_." for c in self.collection):
            found.append(
                ("collection", "this cannot begin the name of a collection", "write up to 64 letters, digits and `-_.`")
            )
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache(Node):
    """The `cache` file."""

    kind: Literal["cache"] = key("what this file declares")
    embedder: Name = key("what turns questions into vectors; another embedder is another cache", default="static-en")
    intents: Mapping[Name, IntentCache | Literal["off"]] = key("caching per intent", default_factory=dict)
    otherwise: IntentCache | Literal["off"] = key("caching of every intent not named", default="off")
    verification: Verification = key(
        "the budget of all verification together",
        default_factory=Verification,
        examples=({"limit": "5 USD", "per": "week"},),
    )
    max_entries: Count = key("how many answers are kept", default=50_000, minimum=1)
    store: AnswerStore = key("where they are kept", default_factory=AnswerStore)
