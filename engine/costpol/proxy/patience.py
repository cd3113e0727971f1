"""One timer for all who wait: most requests end long before anybody has to look after them.

A timer for each of them would cost more than their whole decision; here one turns two pages. Who is still on the old
page when it is turned has waited for at least one period, and for less than two.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable


class Patience:
    """Calls `overdue` for whoever waits longer than between one and two `period`s (seconds). For one event loop."""

    __slots__ = ("_new", "_old", "_period", "_turning")

    def __init__(self, period: float) -> None:
        self._period = period
        self._new: dict[Hashable, Callable[[], None]] = {}
        self._old: dict[Hashable, Callable[[], None]] = {}
        self._turning = False

    def begin(self, who: Hashable, overdue: Callable[[], None]) -> None:
        """Somebody waits from now on."""
        self._new[who] = overdue
        if not self._turning:
            self._turning = True
            asyncio.get_running_loop().call_later(self._period, self._turn)

    def end(self, who: Hashable) -> None:
        """The wait is over; no error for one who was overdue."""
        if self._new.pop(who, None) is None:
            self._old.pop(who, None)

    def _turn(self) -> None:
        late, self._old, self._new = self._old, self._new, {}
        self._turning = bool(self._old)
        if self._turning:
            asyncio.get_running_loop().call_later(self._period, self._turn)
        for overdue in late.values():
            overdue()
