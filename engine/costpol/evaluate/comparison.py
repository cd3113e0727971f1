"""Two policies on one log: which requests they decide differently, and in what way."""

from __future__ import annotations

from dataclasses import dataclass

from costpol.evaluate.replay import Replayed
from costpol.pipeline.decision import Decision, Outcome
from costpol.reporting.savings.figures import Change

_SHOWN = 10
_KINDS = 1000
"""Kinds of change that are told apart; a log may hold any number of them."""
_FOLLOWING = ("policy", "attempts", "stored", "entry")
_FIELDS = tuple(name for name in Decision.__struct_fields__ if name not in _FOLLOWING)
"""What is decided; the digest always differs, and the others follow from these."""

_Fields = tuple[tuple[str, str, str], ...]


@dataclass(slots=True)
class _Kind:
    example: str
    requests: int = 0
    cost: int = 0


class Comparison:
    """Counts the requests that two policies decide differently, by what is different."""

    def __init__(self) -> None:
        self.changed = 0
        self._kinds: dict[_Fields, _Kind] = {}

    def add(self, old: Replayed, new: Replayed) -> None:
        """Compare one request under both policies."""
        changed = _changed(old.outcome, new.outcome)
        if not changed and old.outcome.cost == new.outcome.cost:
            return
        self.changed += 1
        kind = self._kinds.get(changed)
        if kind is None:
            if len(self._kinds) == _KINDS:
                return
            kind = self._kinds[changed] = _Kind(new.record.id)
        kind.requests += 1
        kind.cost += new.outcome.cost - old.outcome.cost

    def changes(self) -> tuple[Change, ...]:
        """The kinds of change that most requests show."""
        most = sorted(self._kinds.items(), key=lambda item: -item[1].requests)[:_SHOWN]
        return tuple(
            Change({name: (was, now) for name, was, now in changed}, kind.requests, kind.cost, kind.example)
            for changed, kind in most
        )


def _changed(old: Outcome, new: Outcome) -> _Fields:
    before, after = old.decision, new.decision
    return tuple(
        (name, _shown(was), _shown(now))
        for name in _FIELDS
        if (was := getattr(before, name)) != (now := getattr(after, name))
    )


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
