"""A circuit breaker: what keeps failing is left alone for a while, so that a dead service costs a request nothing.

Closed, every attempt may pass. After so many failures in a row it is open, and none may. Once it has rested it is half
open: one attempt may pass, whose end closes it or opens it anew. An attempt that never ends blocks for one rest only.
"""

from __future__ import annotations

from typing import Literal

State = Literal["closed", "open", "half-open"]


class Breaker:
    """Who uses it asks `allows` before each attempt and tells it how the attempt ended. Times are seconds."""

    __slots__ = ("_failures", "_rest", "_row", "_trying", "_until")

    def __init__(self, failures: int, rest: float) -> None:
        """Opens after `failures` in a row, for `rest` seconds."""
        if failures < 1 or not rest > 0:
            raise ValueError("a breaker opens after one failure or more, and rests for some time")
        self._failures = failures
        self._rest = rest
        self._row = 0
        self._until: float | None = None
        """When the next attempt may pass; `None` while closed."""
        self._trying = False
        """Whether one attempt has passed since it was opened."""

    def allows(self, now: float) -> bool:
        """Whether an attempt may be made now. Half open, only the first who asks is told so."""
        if self._until is None:
            return True
        if now < self._until:
            return False
        self._trying = True
        self._until = now + self._rest
        return True

    def succeeded(self) -> None:
        """An attempt went well."""
        self._row = 0
        self._until = None
        self._trying = False

    def failed(self, now: float) -> None:
        """An attempt failed. One that was under way when the breaker opened does not lengthen the rest."""
        self._row += 1
        if self._trying or (self._until is None and self._row >= self._failures):
            self._until = now + self._rest
            self._trying = False

    def state(self, now: float) -> State:
        """How it stands, for a report. Asking changes nothing."""
        if self._until is None:
            return "closed"
        return "half-open" if self._trying or now >= self._until else "open"
