"""A request at the moment it arrives: what was asked, by whom, when, and how long the caller can wait."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import Struct

from costpol.inference.caller import ANONYMOUS, Caller
from costpol.inference.request import Request


@dataclass(frozen=True, slots=True)
class CacheWish:
    """What a caller asks of the cache. A wish can only make it stricter than the policy."""

    no_store: bool = False
    """Neither give a kept answer nor keep the fresh one."""
    only_if_cached: bool = False
    """Refuse rather than call a model."""
    max_age: float | None = None
    """Seconds since a kept answer was given first, at most."""


NO_WISH = CacheWish()


class Arrival(Struct, frozen=True, gc=False):
    """What the flow starts from. `now` is epoch seconds, `deadline` seconds from now (`None`: the caller waits)."""

    request: Request
    caller: Caller = ANONYMOUS
    now: float = 0.0
    deadline: float | None = None
    answer_id: str | None = None
    """The name of the right answer, where a log states it. Kept with a stored answer; no decision reads it."""
    wish: CacheWish = NO_WISH
