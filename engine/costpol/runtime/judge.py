"""What a cache has learned, at work: it answers `Judge` and `Learn`, and survives a restart.

The decision rule is `pipeline.likeness`; here are its memory of open judgements, the comparison of answers, the file,
and the fits, which take long enough to be done beside the event loop.

For one thread, the event loop's. While a fit runs in another, nothing is judged and nothing learned.
"""

from __future__ import annotations

import logging
import os
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import count
from pathlib import Path
from uuid import uuid4

import numpy as np

from costpol.commands import Failed, Hit, Judge, Judged, Learn
from costpol.errors import StoreError, WireError
from costpol.pipeline import guards
from costpol.pipeline.likeness.evidence import Candidate, Evidence, weigh
from costpol.pipeline.likeness.judgement import Judgement, judge, learn, serve, verify
from costpol.pipeline.likeness.state import Likeness, pack, unpack
from costpol.providers.openai import decode_response

_MOST_OPEN = 1000
"""Judgements that wait for their answer: as many as calls are open at most."""
_MOST_SERVED = 10_000
_SERVINGS = 8
"""Entries, and servings of each, that a report may still come for: the latest."""
_SAME_WORDS = 0.8
"""The share of words from which on two answers say the same; numbers and denials must agree besides."""
_GUARDS = ("numbers", "negation")

_NONE, _NO_WORDS = np.zeros(0, np.float32), np.zeros(0, np.int64)

_log = logging.getLogger("costpol.cache")


@dataclass(slots=True)
class _Open:
    evidence: Evidence
    judgement: Judgement
    hits: tuple[Hit, ...]


_Served = tuple[Evidence, Judgement]


@dataclass(slots=True)
class CacheJudge:
    """The learned state of one embedder and one set of templates. `floor` is the embedder's own threshold, by which it
    decides until there is evidence."""

    state: Likeness
    floor: float
    path: Path | None = None
    fit_elsewhere: Callable[[Callable[[], None]], None] | None = None
    """Runs a fit beside the event loop; without it a fit is done at once, as a replay wants it."""
    _open: OrderedDict[int, _Open] = field(default_factory=OrderedDict)
    _served: OrderedDict[str, list[_Served]] = field(default_factory=OrderedDict)
    """Per entry the evidence on which it was given, the latest last."""
    _tickets: count[int] = field(default_factory=count)
    _fitting: bool = False

    def judge(self, command: Judge) -> Judged | Failed:
        """Which of the hits to give, if any."""
        if self._fitting:
            return Failed("learning")
        evidence, judgement = self._judgement(command, command.chance)
        if judgement.action == "serve":
            serve(self.state, evidence, judgement)
            place = judgement.places[0]
            self._remember(command.hits[place].entry.id, evidence, judgement)
        else:
            place = None
        ticket = next(self._tickets)
        if place is None:
            self._keep_open(ticket, _Open(evidence, judgement, command.hits))
        return Judged(place, judgement.why, ticket, judgement.probability, judgement.cut)

    def examine(self, command: Judge) -> Judged | Failed:
        """As `judge`, where the answer is known already: no hit is given, and `learn` takes the answer as a verdict."""
        if self._fitting:
            return Failed("learning")
        evidence, judgement = self._judgement(command, 0.0)
        if judgement.action != "refuse":
            judgement = replace(judgement, action="verify", rate=1.0)  # it stands for itself alone: all are examined
        ticket = next(self._tickets)
        self._keep_open(ticket, _Open(evidence, judgement, command.hits))
        return Judged(None, "its answer is known", ticket, judgement.probability, judgement.cut)

    def learn(self, command: Learn) -> str | Failed:
        """Take the fresh answer as a verdict; the name under which it is to be kept."""
        opened = self._open.pop(command.ticket, None)
        if opened is None:
            return Failed("judgement-forgotten")
        right = self._right(command, opened)
        answer = command.answer_id or right or uuid4().hex
        if not self._fitting:
            learn(self.state, opened.evidence, opened.judgement, right, answer)
            self._fit_if_due()
        return answer

    def report_wrong(self, entry_id: str) -> int:
        """Somebody says that this entry (`Entry.id`) was a wrong answer: a verdict against every question that it was
        given for of late. How many those were; after a restart none is known."""
        servings = [] if self._fitting else self._served.pop(entry_id, [])
        for evidence, judgement in servings:
            verify(self.state, evidence, judgement, None)
        if servings:
            self._fit_if_due()
        return len(servings)

    def _judgement(self, command: Judge, chance: float) -> tuple[Evidence, Judgement]:
        candidates = [Candidate(_name(hit), hit.similarity, hit.entry.text) for hit in command.hits]
        evidence = weigh(self.state, command.vector, command.text, candidates)
        judgement = judge(
            self.state, evidence, intent=command.intent, limit=command.limit, floor=self.floor, chance=chance
        )
        return evidence, judgement

    def _keep_open(self, ticket: int, opened: _Open) -> None:
        self._open[ticket] = opened
        if len(self._open) > _MOST_OPEN:
            self._open.popitem(last=False)

    def _remember(self, entry_id: str, evidence: Evidence, judgement: Judgement) -> None:
        servings = self._served.setdefault(entry_id, [])
        servings.append((replace(evidence, vector=_NONE, words=_NO_WORDS), judgement))  # a verdict needs neither
        del servings[:-_SERVINGS]
        self._served.move_to_end(entry_id)
        if len(self._served) > _MOST_SERVED:
            self._served.popitem(last=False)

    def _right(self, command: Learn, opened: _Open) -> str | None:
        """Which of the candidate answers the fresh one equals, if any."""
        if command.answer_id is not None:
            return command.answer_id if command.answer_id in opened.evidence.answers else None
        told: dict[str, str] = {}
        for hit in opened.hits:
            told.setdefault(_name(hit), _content(hit))
        return next((name for name, content in told.items() if same_answer(content, command.content)), None)

    def _fit_if_due(self) -> None:
        if not self.state.due:
            return
        if self.fit_elsewhere is None:
            self.state.fit()
            return
        self._fitting = True
        self.fit_elsewhere(self._fit)

    def _fit(self) -> None:
        try:
            self.state.fit()
            self._write()
        except StoreError as error:
            _log.warning("%s", error.message)
        finally:
            self._fitting = False

    def report(self) -> list[dict[str, object]]:
        """Per intent: the declared limit, what was given, and how much of it is expected to be wrong, at most."""
        return [
            {
                "intent": intent or "otherwise", "max_wrong_hits": cut.limit, "confidence": 0.9,
                "hits": round(cut.hits), "expected_wrong": round(cut.expected, 2), "wrong_at_most": round(cut.bound, 2),
                "verdicts": self.state.calibration.learned,
            }
            for intent, cut in self.state.cuts.items()
        ]  # fmt: skip

    def save(self) -> None:
        """Write the state beside the cache, in one step. Raises `StoreError`."""
        if not self._fitting:
            self._write()

    def _write(self) -> None:
        if self.path is None:
            return
        draft = self.path.with_suffix(".new")
        try:
            draft.write_bytes(pack(self.state))
            os.replace(draft, self.path)
        except OSError as error:
            raise StoreError(
                f"what the cache has learned cannot be written: {(error.strerror or '').lower()}"
            ) from error


def open_judge(path: Path | None, embedder: str, dimension: int, version: str, floor: float) -> CacheJudge:
    """The judge of a cache. What was learned with another embedder, with other templates, or cannot be read, is told in
    the log and learned anew."""
    state = Likeness(embedder, dimension, version)
    if path is not None and path.exists():
        try:
            state = unpack(path.read_bytes(), embedder, dimension, version)
        except (StoreError, OSError) as error:
            _log.warning("the cache starts to learn anew: %s", error)
    return CacheJudge(state, floor, path)


def same_answer(one: str, other: str) -> bool:
    """Whether two answers say the same: nearly the same words, and no number or denial apart."""
    ours, theirs = set(one.casefold().split()), set(other.casefold().split())
    if ours == theirs:
        return True
    shared = len(ours & theirs) / max(len(ours | theirs), 1)
    return shared >= _SAME_WORDS and guards.refusing(_GUARDS, one, other) is None


def _name(hit: Hit) -> str:
    """The name of a kept answer; one that was never learned stands for itself."""
    return hit.entry.answer_id or sha256(hit.entry.id.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _content(hit: Hit) -> str:
    try:
        return decode_response(hit.entry.body).content
    except WireError:
        return ""
