"""`kind: budgets`: limits in dollars, tokens or calls, per request and per window, and what happens near them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from costpol.policy.node import Node, key
from costpol.policy.scalars import Count, Name, Share, TimeZone, Usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget(Node):
    """One limit: so much, in such a window, for each of such subjects (or for everybody together)."""

    limit: Usd | None = key("the most dollars", default=None, positive=True, examples=("40 USD",))
    tokens: Count | None = key("the most tokens, input and output together", default=None, positive=True)
    calls: Count | None = key("the most model calls", default=None, positive=True)
    per: Literal["request", "hour", "day", "week", "month"] = key("the window")
    window: Literal["calendar", "rolling"] = key(
        "whether the window starts with the clock's hour, day (Monday for weeks) or month, or trails the present",
        default="calendar",
    )
    time_zone: TimeZone | None = key("whose clock a calendar day, week or month follows", default=None)
    each: Literal["tenant", "user", "agent", "session"] | None = key(
        "whether every tenant (user, agent, session) has the limit for itself; left out, all share it", default=None
    )

    def problems(self) -> list[tuple[str, str, str | None]]:
        found: list[tuple[str, str, str | None]] = []
        if self.limit is None and self.tokens is None and self.calls is None:
            found.append(("", "this budget limits nothing", "write `limit: 40 USD`, `tokens: 1M` or `calls: 1000`"))
        if self.per == "request" and self.calls is not None:
            found.append(("calls", "a request is one call", "limit calls per hour, day, week or month"))
        if self.per == "request" and self.each is not None:
            found.append(("each", "a limit per request is the same for everybody", "drop `each`"))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung(Node):
    """What happens from this share of a window's limit on. Rungs of a higher share come on top."""

    share: Share = key("the share of the limit, such as `90%`", yaml="at")
    budgets: tuple[Name, ...] = key(
        "which budgets; left out, all with a window", default=(), one_or_many=True, non_empty=True
    )
    warn: bool = key("note it in the trace, the log and the metrics", default=False)
    route: Name | None = key("a cheaper tier or model to use instead of the routed one", default=None)
    max_output_tokens: Count | None = key("the longest answer", default=None, minimum=1)
    refuse: str | None = key("refuse the request with this message", default=None)

    def problems(self) -> list[tuple[str, str, str | None]]:
        if not (self.warn or self.route or self.max_output_tokens or self.refuse):
            return [("", "this rung does nothing", "write `warn: true`, `route`, `max_output_tokens` or `refuse`")]
        return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets(Node):
    """The `budgets` file."""

    kind: Literal["budgets"] = key("what this file declares")
    budgets: Mapping[Name, Budget] = key(
        "the limits by name; a budget keeps what was spent for as long as it keeps its name", non_empty=True
    )
    ladder: tuple[Rung, ...] = key("what happens on the way to a limit", default=())
    assume_output_tokens: Count = key(
        "how long an answer is taken to be, for the reservation, where nothing limits it", default=1000, minimum=1
    )
    ledger_down: Literal["refuse", "allow"] = key(
        "what happens to requests while the ledger cannot be read", default="refuse"
    )
