"""Answers that are known already, put into the cache by the flow that live requests take.

The flow decides as it would for a caller: who may share the answer, what is personal, for how long, under which
identity. Only the model's call is answered from what is known, nothing is given from the cache, and no budget is
touched, since nothing is spent. A cache with `max_wrong_hits` learns from every answer, as it would live.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from costpol.commands import (
    Admit,
    Admitted,
    Answered,
    Call,
    Command,
    Entry,
    Failed,
    Granted,
    Hit,
    Judge,
    LookupExact,
    LookupSimilar,
    Reserve,
    Settle,
    Standing,
    Store,
)
from costpol.errors import WireError
from costpol.inference.response import Response
from costpol.pipeline.arrival import Arrival
from costpol.pipeline.decision import Outcome
from costpol.pipeline.draft import Draft
from costpol.pipeline.likeness.track import NEVER
from costpol.pipeline.signals import Signals
from costpol.providers.openai import decode_response
from costpol.runtime.live import Handlers, Unsettled, drive
from costpol.runtime.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Known:
    """A request and its answer. `arrival.now` is when the answer was given; `intent`, where it is stated, is the one
    that the policy must recognise."""

    arrival: Arrival
    answer: Response
    intent: str | None = None


@dataclass(frozen=True, slots=True)
class Warmed:
    """What became of one known answer. `stored` is new, `replaced` took the place of another answer, `renewed` lives
    longer than before, `known` was there already; `skipped` says why."""

    result: Literal["stored", "replaced", "renewed", "known", "skipped"]
    intent: str | None
    reason: str | None = None
    entry: str | None = None


async def warm(known: Known, snapshot: Snapshot, now: float) -> Warmed:
    """Keep one answer, unless the policy would not, or its life has passed by `now`."""
    asked = _Asked(snapshot.handlers)
    pipeline = snapshot.pipeline
    if known.intent is not None:
        draft = Draft(pipeline.digest, Signals(known.arrival, pipeline.keywords, pipeline.count))
        await asked.run(pipeline.classify.run(draft))
        if draft.intent != known.intent:
            return Warmed("skipped", draft.intent, f"the policy sees the intent `{draft.intent or 'none'}` in it")
    line = _Line(known, now, asked)

    async def call(command: Call) -> Answered:
        return Answered(known.answer)

    outcome = await drive(pipeline.flow(known.arrival), line.handlers(), call, Unsettled(_nothing))
    return line.warmed(outcome)


class _Asked:
    """Asks the snapshot's own handlers, whether they answer at once or over a network."""

    def __init__(self, handlers: Handlers) -> None:
        self.inline, self.waiting = handlers.inline, handlers.waiting
        self.examine = handlers.judge.examine if handlers.judge is not None else None

    async def __call__(self, command: Any) -> Any:
        kind = type(command)
        return self.inline[kind](command) if kind in self.inline else await self.waiting[kind](command)

    async def run(self, stage: Any) -> None:
        reply: Any = None
        while True:
            try:
                command = stage.send(reply)
            except StopIteration:
                return
            reply = await self(command)


@dataclass(slots=True)
class _Line:
    """The commands of one flow, answered so that its answer is kept."""

    known: Known
    now: float
    asked: _Asked
    found: Entry | None = None
    """What was kept for exactly this question before."""
    equal: bool = False
    """Whether that says the same."""
    told: Warmed | None = field(default=None)

    def handlers(self) -> Handlers:
        own: Mapping[type[Command], Callable[[Any], Any]] = {
            LookupExact: self._lookup_exact, LookupSimilar: self._lookup_similar, Judge: self._judge,
            Admit: _nothing_given, Standing: _unspent, Reserve: _granted, Settle: _settled, Store: self._store,
        }  # fmt: skip
        others = {kind: answer for kind, answer in self.asked.inline.items() if kind not in own}
        waiting = {kind: answer for kind, answer in self.asked.waiting.items() if kind not in own}
        return Handlers(others, {**waiting, **own})

    def warmed(self, outcome: Outcome) -> Warmed:
        if self.told is not None:
            return replace(self.told, intent=outcome.decision.intent)
        return Warmed("skipped", outcome.decision.intent, _why(outcome))

    async def _lookup_exact(self, command: LookupExact) -> Failed | None:
        found = await self.asked(command)
        if isinstance(found, Hit):
            self.found = found.entry
            self.equal = _content(found.entry.body) == self.known.answer.content
        return found if isinstance(found, Failed) else None

    async def _lookup_similar(self, command: LookupSimilar) -> tuple[Hit, ...] | Failed:
        if self.equal or self.asked.examine is None:
            return ()
        hits: tuple[Hit, ...] | Failed = await self.asked(command)
        return hits

    async def _judge(self, command: Judge) -> Any:
        if self.equal or self.asked.examine is None:
            return Failed("known")
        return self.asked.examine(command)

    async def _store(self, command: Store) -> Failed | None:
        entry, found = command.entry, self.found
        if entry.expires <= self.now:
            return Failed("its answer is too old")
        if found is not None and self.equal:
            if entry.expires <= found.expires:
                self.told = Warmed("known", None, entry=entry.reference)
                return Failed("known")
            entry = replace(entry, answer_id=found.answer_id)
        failed: Failed | None = await self.asked(Store(entry, command.vector))
        if failed is None:
            result: Any = "stored" if found is None else "renewed" if self.equal else "replaced"
            self.told = Warmed(result, None, entry=entry.reference)
        return failed


async def _nothing_given(command: Admit) -> Admitted:
    return Admitted(NEVER)


async def _unspent(command: Standing) -> tuple[int, ...]:
    return (0,) * len(command.accounts)


async def _granted(command: Reserve) -> Granted:
    return Granted(0)


async def _settled(command: Settle) -> None:
    return None


def _nothing(command: Settle) -> None:
    return None


def _why(outcome: Outcome) -> str:
    """Why the flow kept nothing."""
    if outcome.refusal is not None:
        return f"the policy refuses it: {outcome.refusal.message}"
    if outcome.decision.cache.startswith("bypass"):
        return f"the cache is bypassed: {outcome.decision.cache.partition('; ')[2]}"
    reasons = [note.facts.get("reason") for note in outcome.trace if note.what == "not kept"]
    return str(reasons[-1]) if reasons else "it was not kept"


def _content(body: bytes) -> str:
    try:
        return decode_response(body).content
    except WireError:
        return ""
