"""Third stage: whether the request is one person's own, so that its answer is nobody else's.

It errs on the side of privacy: any one signal suffices, and nothing later takes it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from costpol.pipeline.draft import Draft

NAME = "personalize"


@dataclass(frozen=True, slots=True)
class PersonalSignals:
    """One exclusion, compiled. `position` is its place in the policy, from 0."""

    position: int
    keywords: frozenset[int]
    variables: frozenset[str]
    tools: frozenset[str]
    metadata: frozenset[str]
    intents: frozenset[str]

    @classmethod
    def together(cls, exclusions: Sequence[PersonalSignals]) -> PersonalSignals:
        """All that any of them shows."""
        names = ("keywords", "variables", "tools", "metadata", "intents")
        unions = {name: frozenset().union(*(getattr(each, name) for each in exclusions)) for name in names}
        return cls(position=-1, **unions)

    def found(self, draft: Draft) -> str | None:
        """What kind of signal the request shows, if any."""
        signals = draft.signals
        if draft.intent in self.intents:
            return "intent"
        if self.keywords and not self.keywords.isdisjoint(signals.matched_anywhere):
            return "phrase"
        if self.variables and not self.variables.isdisjoint(draft.variables):
            return "variable"
        if self.metadata and not self.metadata.isdisjoint(signals.request.metadata):
            return "metadata"
        if self.tools and not (
            self.tools.isdisjoint(signals.request.tools) and self.tools.isdisjoint(signals.called_tools)
        ):
            return "tool"
        return None


@dataclass(frozen=True, slots=True)
class PersonalizeStage:
    """The compiled exclusions, and the intents that are personal by declaration."""

    exclusions: tuple[PersonalSignals, ...]
    intents: frozenset[str]
    every: PersonalSignals
    """All exclusions as one: where it finds nothing, none of them does."""

    def run(self, draft: Draft) -> None:
        """Sets `draft.personal`, which a personal template variable may have set before."""
        if draft.personal:
            draft.note(NAME, "personal", because="template variable")
            return
        if draft.intent in self.intents:
            draft.personal = True
            draft.note(NAME, "personal", because="intent")
            return
        if self.every.found(draft) is None:
            return
        for exclusion in self.exclusions:
            signal = exclusion.found(draft)
            if signal is not None:
                draft.personal = True
                draft.note(NAME, "personal", because=signal, exclusion=exclusion.position)
                return
