"""First stage: what the request is about. Later stages choose by it, so it comes before all of them.

Matchers are free and sure, so they are tried first; only where none holds is the question embedded and compared with
the example utterances.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from costpol.commands import Embed, Embedded, Failed, Flow, NearestIntents
from costpol.inference.tokens import estimate_tokens
from costpol.pipeline.draft import Draft
from costpol.pipeline.matching import Predicate

NAME = "classify"
_NEIGHBOURS = 3
"""The nearest decides; the others are for the trace."""


@dataclass(frozen=True, slots=True)
class ClassifyStage:
    """The compiled intents. `floors` holds the least similarity per intent that has examples."""

    matchers: tuple[tuple[str, Predicate], ...]
    floors: Mapping[str, float]
    otherwise: str | None
    embedding_rate: int = 0
    """Picodollars per embedded token; 0 for the built-in embedder, which runs here."""

    def run(self, draft: Draft) -> Flow:
        """Sets `draft.intent`, and `draft.vector` where the question was embedded."""
        signals = draft.signals
        for intent, holds in self.matchers:
            if holds(signals):
                draft.note(NAME, "matched", intent=intent)
                draft.intent = signals.intent = intent
                return
        if self.floors and signals.question.strip():
            yield from self._nearest(draft)
        if draft.intent is None:
            draft.intent = signals.intent = self.otherwise
            if self.otherwise is not None:
                draft.note(NAME, "no intent recognised", intent=self.otherwise)

    def _nearest(self, draft: Draft) -> Flow:
        embedded = yield Embed(draft.signals.question)
        if not isinstance(embedded, Embedded):
            draft.unembedded = embedded.reason
            draft.note(NAME, "examples not compared", reason=embedded.reason)
            return
        draft.vector = embedded.vector
        draft.overhead += estimate_tokens(draft.signals.question) * self.embedding_rate
        neighbours = yield NearestIntents(embedded.vector, _NEIGHBOURS)
        if isinstance(neighbours, Failed):
            draft.note(NAME, "examples not compared", reason=neighbours.reason)
            return
        if not neighbours:
            return
        nearest = neighbours[0]
        floor = self.floors.get(nearest.intent, 1.0)
        facts = {"example": nearest.example, "similarity": round(nearest.similarity, 4), "floor": floor}
        if nearest.similarity < floor:
            draft.note(NAME, "nearest example too far", nearest=nearest.intent, **facts)
            return
        draft.intent = draft.signals.intent = nearest.intent
        draft.note(NAME, "nearest example", intent=nearest.intent, **facts)
