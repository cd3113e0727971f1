"""Answers that were kept before a case happens, and what the embedder said of it, recorded.

What was asked before takes the flow that every request takes, so the policy itself decides whether its answer is kept,
for whom and for how long. Only the store is a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from costpol.commands import (
    Answered,
    Call,
    Command,
    Embed,
    Embedded,
    Entry,
    Failed,
    Hit,
    LookupExact,
    LookupSimilar,
    NearestIntents,
    Neighbour,
    Store,
)
from costpol.inference.response import Response
from costpol.inference.usage import Usage
from costpol.pipeline.arrival import Arrival
from costpol.runtime.live import Inline, Unsettled, drive

if TYPE_CHECKING:
    from costpol.commands import Vector
    from costpol.evaluate.explain import Explainer

_ANSWER = Response("as answered before", "stop", Usage(input_tokens=1, output_tokens=1), body=b"{}")

Replies = Mapping[type[Command], Inline]


@dataclass(frozen=True, slots=True)
class _Kept:
    entry: Entry
    vector: Vector | None
    similarity: float | None
    """As recorded; `None` where it is measured."""


@dataclass(slots=True)
class Memory:
    """What is kept when a case begins."""

    _kept: dict[str, _Kept] = field(default_factory=dict)

    async def keep(self, explainer: Explainer, arrival: Arrival, intent: str | None, similarity: float | None) -> None:
        """Have a request answered under the policy, which may keep the answer."""

        def store(command: Store) -> None:
            self._kept[command.entry.id] = _Kept(command.entry, command.vector, similarity)

        async def answer(command: Call) -> Answered:
            return Answered(_ANSWER)

        replies = {Store: store, **recorded(explainer, intent, similarity is not None)}
        handlers = explainer.handlers({}, replies)
        await drive(explainer.pipeline.flow(arrival), handlers, answer, Unsettled(lambda command: None))

    def replies(self, explainer: Explainer, intent: str | None) -> Replies:
        """How a case is answered that comes after all this."""
        lookups: dict[type[Command], Any] = {LookupExact: self._exact, LookupSimilar: self._similar}
        return lookups | recorded(explainer, intent, any(kept.similarity is not None for kept in self._kept.values()))

    def _exact(self, command: LookupExact) -> Hit | None:
        kept = self._kept.get(f"{command.partition}/{command.question}/{command.scope.key}")
        return None if kept is None or kept.entry.expires <= command.now else Hit(kept.entry, 1.0)

    def _similar(self, command: LookupSimilar) -> tuple[Hit, ...]:
        hits = [
            Hit(kept.entry, _likeness(kept, command.vector))
            for kept in self._kept.values()
            if kept.vector is not None
            and kept.entry.expires > command.now
            and (kept.entry.partition, kept.entry.scope, kept.entry.intent)
            == (command.partition, command.scope, command.intent)
        ]
        return tuple(sorted(hits, key=lambda hit: -hit.similarity)[: command.limit])


def recorded(explainer: Explainer, intent: str | None, likeness: bool) -> dict[type[Command], Any]:
    """Recorded words of the embedder. Where it is left out because it costs money, any vector will do in its place."""
    replies: dict[type[Command], Any] = {}
    if intent is not None:
        intents = explainer.bundle.intents
        covered = intents is not None and intent != intents.otherwise
        replies[NearestIntents] = lambda command: (Neighbour(intent, "recorded", 1.0),) if covered else ()
    if intent is not None or likeness:
        embed = explainer.handlers({}).inline[Embed]

        def embedded(command: Embed) -> Embedded:
            reply = embed(command)
            return _anything() if isinstance(reply, Failed) else reply

        replies[Embed] = embedded
    return replies


def _anything() -> Embedded:
    import numpy as np

    return Embedded(np.ones(1, dtype=np.float32))


def _likeness(kept: _Kept, vector: Vector) -> float:
    if kept.similarity is not None or kept.vector is None:
        return kept.similarity or 0.0
    return min(1.0, float(kept.vector @ vector))
