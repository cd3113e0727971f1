"""What caches have learned, in rows for people: a row per intent."""

from __future__ import annotations

from math import erf

from costpol.pipeline.likeness.cut import NEVER
from costpol.pipeline.likeness.state import Likeness
from costpol.pipeline.likeness.track import Track
from costpol.runtime.verdicts import Verdicts


def rows(state: Likeness, verdicts: Verdicts) -> list[dict[str, object]]:
    """Intents that are judged by evidence first, then those with a fixed threshold."""
    tracks = verdicts.tracks
    judged = [_judged(state, intent) | _verified(tracks.get(intent)) for intent in state.cuts]
    fixed = [_fixed(intent, track) | _verified(track) for intent, track in tracks.items() if track.declared is not None]
    return [*judged, *fixed]


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
