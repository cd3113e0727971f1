"""A world for the flow: a dict for a cache, a dict for a ledger, and models that answer as told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from msgspec.structs import replace

from costpol.commands import (
    Account,
    Admit,
    Admitted,
    Call,
    Check,
    Checked,
    Command,
    Embed,
    Embedded,
    Entry,
    Exceeded,
    Failed,
    Flow,
    Granted,
    Hit,
    Join,
    Judge,
    Judged,
    Learn,
    LookupExact,
    LookupSimilar,
    NearestIntents,
    Reserve,
    Settle,
    Standing,
    Store,
)
from costpol.pipeline.arrival import Arrival
from costpol.pipeline.decision import Outcome, Verified
from costpol.pipeline.flow import Pipeline

_SAME = np.array([1.0], dtype=np.float32)


@dataclass(slots=True)
class World:
    """Every text has the same vector, so that likeness alone keeps nothing apart.

    `down` names the commands that fail. `open` holds reservations that nobody settled yet.
    """

    answer: Callable[[Call], Any]
    down: frozenset[type] = frozenset()
    entries: dict[str, Entry] = field(default_factory=dict)
    used: defaultdict[str, defaultdict[float, int]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(int))
    )
    open: dict[int, Reserve] = field(default_factory=dict)
    granted: int = 0
    settled: list[tuple[Reserve, tuple[int, ...]]] = field(default_factory=list)
    log: list[Command] = field(default_factory=list)
    verified: list[Verified] = field(default_factory=list)

    def run(self, pipeline: Pipeline, arrival: Arrival) -> Outcome:
        """One request, and the verification of every hit."""
        outcome: Outcome = self.drive(pipeline.flow(arrival))
        if outcome.behind is not None:
            self.verified.append(self.drive(outcome.behind))
        return replace(outcome, behind=None)  # which is spent

    def drive(self, flow: Flow) -> Any:
        reply = None
        while True:
            try:
                command = flow.send(reply)
            except StopIteration as end:
                return end.value
            self.log.append(command)
            reply = Failed("down") if type(command) in self.down else self.reply(command)

    def reply(self, command: Command) -> Any:
        """What the world says to one command."""
        match command:
            case Embed():
                return Embedded(_SAME)
            case NearestIntents():
                return ()
            case LookupExact(partition, question, scope, now):
                entry = self.entries.get(f"{partition}/{question}/{scope.key}")
                return Hit(entry, 1.0) if entry is not None and now < entry.expires else None
            case LookupSimilar(_, partition, scope, intent, now, limit):
                place = (partition, scope, intent)
                near = (
                    e for e in self.entries.values() if (e.partition, e.scope, e.intent) == place and now < e.expires
                )
                return tuple(Hit(entry, 1.0) for entry in near)[:limit]
            case Judge(hits=hits):
                return Judged(0 if hits else None, "the nearest is good enough", 0)
            case Learn(content=content):
                return content
            case Admit(threshold=threshold):
                return Admitted(threshold, 0)
            case Check(content=content):
                return Checked(False, content)
            case Join():
                return False
            case Store(entry):
                self.entries[entry.id] = entry
                return None
            case Standing(accounts):
                return tuple(map(self.standing, accounts))
            case Reserve(holds):
                for hold in holds:
                    used = self.standing(hold.account)
                    if used + hold.amount > hold.limit:
                        return Exceeded(hold, used)
                self.granted += 1
                self.open[self.granted] = command
                return Granted(self.granted)
            case Settle(reservation, amounts):
                reserve = self.open.pop(reservation)  # a second settlement fails here
                self.settled.append((reserve, amounts))
                for hold, amount in zip(reserve.holds, amounts, strict=True):
                    self.used[hold.account.name][hold.account.bucket] += amount
                return None
            case Call():
                return self.answer(command)

    def standing(self, account: Account) -> int:
        """How much is used and held."""
        slices = self.used[account.name].items()
        held = (h for reserve in self.open.values() for h in reserve.holds if h.account.name == account.name)
        return sum(amount for bucket, amount in slices if bucket >= account.since) + sum(
            hold.amount for hold in held if hold.account.bucket >= account.since
        )
