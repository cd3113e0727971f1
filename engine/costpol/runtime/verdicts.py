"""The verdicts on similar hits, per intent, and the thresholds that rose by them; kept beside the cache.

What is kept names no caller and holds no text: counts, likenesses, and which of them turned out wrong.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from costpol.errors import StoreError
from costpol.pipeline.likeness.track import Track

FORMAT = 1
_MOST = 1024

_log = logging.getLogger("costpol.cache")


class _Row(msgspec.Struct):
    intent: str
    limit: float
    declared: float | None
    threshold: float
    hits: int
    checked: int
    different: int
    unclear: int
    reported: int
    tightened: int
    pots: list[float]
    recent: int
    pairs: list[tuple[float, bool]]


class _File(msgspec.Struct):
    format: int
    embedder: str
    version: str
    rows: list[_Row]


@dataclass(slots=True)
class Verdicts:
    """The tracks of one embedder and one set of templates. For one thread, the event loop's."""

    embedder: str
    version: str
    path: Path | None = None
    tracks: dict[str, Track] = field(default_factory=dict)

    def track(self, intent: str, limit: float, declared: float | None = None) -> Track:
        """The track of an intent; another threshold or limit in the policy starts a new one."""
        track = self.tracks.get(intent)
        if track is None or (track.limit, track.declared) != (limit, declared):
            if track is not None:
                _log.warning(
                    "the hits of `%s` are verified anew: its threshold or its limit has changed", _name(intent)
                )
            elif len(self.tracks) >= _MOST:
                self.tracks.pop(next(iter(self.tracks)))
            track = self.tracks[intent] = Track(limit, declared)
        return track

    def tighten(self, intent: str, track: Track) -> None:
        """The limit is passed: tighten, and say so."""
        checked, different, before = track.checked, track.different, track.threshold
        track.tighten()
        what = (
            "similar hits are more strictly judged" if track.declared is None
            else "similar questions are no hits any more" if track.suspended
            else f"the threshold rises from {before:g} to {track.threshold:g}"
        )  # fmt: skip
        _log.warning(
            "cache of `%s`: %d of %d verified hits differed, past the limit of %g: %s",
            _name(intent), different, checked, track.limit, what,
        )  # fmt: skip
        self.save()

    def save(self) -> None:
        """Write the verdicts in one step; a disk that does not take them is told in the log."""
        if self.path is None or not any(t.checked or t.unclear or t.reported for t in self.tracks.values()):
            return
        rows = [
            _Row(
                intent, t.limit, t.declared, t.threshold, t.hits, t.checked, t.different, t.unclear, t.reported,
                t.tightened, t.pots, t.recent, list(t.pairs),
            )
            for intent, t in self.tracks.items()
        ]  # fmt: skip
        draft = self.path.with_suffix(".new")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft.write_bytes(msgspec.json.encode(_File(FORMAT, self.embedder, self.version, rows)))
            os.replace(draft, self.path)
        except OSError as error:
            _log.warning("the verdicts on hits cannot be written: %s", (error.strerror or "").lower())


def open_verdicts(path: Path | None, embedder: str, version: str) -> Verdicts:
    """The verdicts that were kept. Those of another embedder or of other templates, or that cannot be read, are told in
    the log and begin anew."""
    verdicts = Verdicts(embedder, version, path)
    if path is not None and path.exists():
        try:
            verdicts.tracks = _read(path, embedder, version)
        except StoreError as error:
            _log.warning("the verification of hits starts anew: %s", error.message)
    return verdicts


def _read(path: Path, embedder: str, version: str) -> dict[str, Track]:
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=_File)
    except (OSError, msgspec.DecodeError) as error:
        raise StoreError("what was verified cannot be read") from error
    found = (
        ("format", kept.format, FORMAT),
        ("embedder", kept.embedder, embedder),
        ("template version", kept.version, version),
    )
    for what, had, has in found:
        if had != has:
            raise StoreError(f"what was verified is of {what} `{had}`, not `{has}`")
    return {
        row.intent: Track(
            row.limit, row.declared, row.threshold, row.hits, row.checked, row.different, row.unclear, row.reported,
            row.tightened, row.pots, row.recent, deque(row.pairs, 500),
        )
        for row in kept.rows
    }  # fmt: skip


def _name(intent: str) -> str:
    return intent or "otherwise"
