"""Budgets as accounts of the ledger: whose counter, in which window, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from costpol.commands import Account
from costpol.inference.caller import Caller
from costpol.pipeline.identity import identity_part

Unit = Literal["usd", "tokens", "calls"]
_LENGTHS = {"hour": 3600.0, "day": 86400.0, "week": 604800.0, "month": 2592000.0}
_SLICES = 60
"""A rolling window forgets in steps of a sixtieth of its length."""


@dataclass(slots=True)
class WindowBudget:
    """One limit over a window. `limit` is in whole picodollars, tokens or calls, by `unit`."""

    name: str
    unit: Unit
    limit: int
    per: str
    rolling: bool
    zone: ZoneInfo
    each: str | None
    _window: tuple[float, float] = field(default=(0.0, 0.0))
    """The last calendar window worked out; most requests fall into the same one."""

    def account(self, caller: Caller, now: float) -> Account | None:
        """The counter that this caller's requests are booked on now.

        All unknown tenants (and users of a tenant) share one counter: who does not say who they are is limited, not
        free. A request outside any session or agent has no such counter: `None`.
        """
        if self.each in ("session", "agent") and getattr(caller, self.each) is None:
            return None
        name = f"{self.name}/{self.unit}/{self.subject(caller)}"
        if self.rolling:
            length = _LENGTHS[self.per]
            step = length / _SLICES
            bucket = now // step * step
            return Account(name, bucket - length, bucket, bucket + step)
        start, end = self._calendar(now)
        return Account(name, start, start, end)

    def subject(self, caller: Caller) -> str:
        """Whose counter it is; empty for a limit that all share."""
        if self.each is None:
            return ""
        if self.each == "tenant":
            return f"tenant:{identity_part(caller.tenant)}"
        return f"{self.each}:{identity_part(caller.tenant)}:{identity_part(getattr(caller, self.each))}"

    def _calendar(self, now: float) -> tuple[float, float]:
        start, end = self._window
        if not start <= now < end:
            start, end = self._window = calendar_window(self.per, self.zone, now)
        return start, end


OpenAccounts = tuple[tuple[WindowBudget, Account], ...]


def open_accounts(budgets: tuple[WindowBudget, ...], caller: Caller, now: float) -> OpenAccounts:
    """The budgets that apply to a caller, each with its counter."""
    found = []
    for budget in budgets:
        account = budget.account(caller, now)
        if account is not None:
            found.append((budget, account))
    return tuple(found)


def calendar_window(per: str, zone: ZoneInfo, now: float) -> tuple[float, float]:
    """Start and end of the hour, day, week (from Monday) or month that holds `now`, by the zone's own clock."""
    local = datetime.fromtimestamp(now, zone)
    if per == "hour":
        start = now - (local.minute * 60 + local.second + local.microsecond / 1e6)
        return round(start), round(start) + 3600.0
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if per == "day":
        first, following = midnight, midnight + timedelta(days=1)
    elif per == "week":
        first = midnight - timedelta(days=midnight.weekday())
        following = first + timedelta(days=7)
    else:
        first = midnight.replace(day=1)
        following = (first + timedelta(days=32)).replace(day=1)
    return first.timestamp(), following.timestamp()
