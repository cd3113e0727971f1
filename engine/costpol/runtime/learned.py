"""What caches have learned, in rows for people: a row per intent."""

from __future__ import annotations

from math import erf
from pathlib import Path
from typing import TYPE_CHECKING

from costpol.pipeline.likeness.cut import NEVER
from costpol.pipeline.likeness.state import Likeness
from costpol.pipeline.likeness.track import Track
from costpol.runtime.verdicts import Verdicts

if TYPE_CHECKING:
    from costpol.runtime.snapshot import Snapshot


def rows(state: Likeness, verdicts: Verdicts) -> list[dict[str, object]]:
    """Intents that are judged by evidence first, then those with a fixed threshold."""
    tracks = verdicts.tracks
    judged = [_judged(state, intent) | _verified(tracks.get(intent)) for intent in state.cuts]
    fixed = [_fixed(intent, track) | _verified(track) for intent, track in tracks.items() if track.declared is not None]
    return [*judged, *fixed]


def learned_of(snapshot: Snapshot, intent: str | None, data: Path) -> list[dict[str, object]]:
    """What the caches in a data folder have learned of an intent by their last write, under this policy; nothing where
    its embedder is not at hand. Other policies' is told in the log and not shown. Nothing is changed."""
    from costpol.runtime.judge import open_judge

    judge, cache = snapshot.handlers.judge, snapshot.bundle.cache
    if judge is None or cache is None or judge.path is None:
        return []
    name = intent if intent in cache.intents else "otherwise"
    state = judge.state
    found = []
    for folder in sorted(data.glob("cache*")):
        kept = open_judge(folder / judge.path.name, state.embedder, state.dimension, state.version, judge.floor)
        found += [row for row in kept.report() if row["intent"] == name]
    return found


def _judged(state: Likeness, intent: str) -> dict[str, object]:
    cut = state.cuts[intent]
    return {
        "intent": intent or "otherwise", "max_wrong_hits": cut.limit,
        "confidence": round(0.5 * (1 + erf(cut.deviations / 2**0.5)), 3), "hits": round(cut.hits),
        "expected_wrong": round(cut.expected, 2), "wrong_at_most": round(cut.bound, 2),
        "least_probability": _least(state, intent), "verdicts": state.calibration.learned,
    }  # fmt: skip


def _least(state: Likeness, intent: str) -> float | None:
    """The least probability of being right with which a hit is given; `None` while none is by evidence."""
    value = state.cuts[intent].value
    return None if value == NEVER else round(1 - state.calibration.chance(value, intent), 4)


def _fixed(intent: str, track: Track) -> dict[str, object]:
    return {
        "intent": intent or "otherwise", "threshold": track.declared, "max_divergence": track.limit,
        "threshold_now": None if track.suspended else track.threshold, "suspended": track.suspended,
        "hits": track.hits,
    }  # fmt: skip


def _verified(track: Track | None) -> dict[str, object]:
    if track is None:
        return {}
    at_most = track.at_most
    return {
        "checked": track.checked, "diverged": track.different, "unclear": track.unclear,
        "diverged_at_most": None if at_most is None else round(at_most, 4), "reported": track.reported,
        "tightened": track.tightened,
    }  # fmt: skip
