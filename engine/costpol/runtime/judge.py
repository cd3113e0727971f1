"""What a cache has learned, at work: it answers `Judge`, `Learn`, `Admit` and `Check`, and survives a restart.

The decision rule is `pipeline.likeness`; here are its memory of open judgements, the comparison of answers, the file,
and the fits, which take long enough to be done beside the event loop. Hits over a fixed threshold are not judged, but
they are verified, too, and their threshold rises by it (`verdicts`).

For one thread, the event loop's. A fit works in another on copies; meanwhile judging and learning go on.
"""

from __future__ import annotations

import logging
import os
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from itertools import count
from pathlib import Path
from threading import Lock
from uuid import uuid4

import numpy as np
from msgspec.structs import replace

from costpol.commands import Admit, Admitted, Check, Checked, Failed, Hit, Judge, Judged, Learn, own_name
from costpol.errors import StoreError, WireError
from costpol.pipeline.guards import refusals, refusing
from costpol.pipeline.likeness.evidence import Candidate, Evidence, weigh
from costpol.pipeline.likeness.judgement import Judgement, judge, learn, serve, verify
from costpol.pipeline.likeness.state import Draft, Fitting, Likeness, draft, unpack
from costpol.pipeline.likeness.track import Track
from costpol.providers.openai import decode_response
from costpol.runtime.learned import rows
from costpol.runtime.sameness import Embed, compare
from costpol.runtime.verdicts import Verdicts, open_verdicts

_MOST_OPEN = 1000
"""Judgements that wait for their answer: as many as calls are open at most."""
_MOST_SERVED = 10_000
_SERVINGS = 8
"""Entries, and servings of each, that a report may still come for: the latest."""
_WRITTEN_EVERY = 60.0
"""Seconds of learning that a killed process may lose."""
_COMPARED = 5
"""Candidate answers that a fresh one is compared with, the nearest first."""

_NONE = np.zeros(0, np.float32)

Elsewhere = Callable[[Callable[[], None], Callable[[BaseException | None], None]], None]
"""Does the first in a thread, then the second in the event loop, with the error if there was one."""

_log = logging.getLogger("costpol.cache")


@dataclass(slots=True)
class _Open:
    evidence: Evidence
    judgement: Judgement
    hits: tuple[Hit, ...]


@dataclass(slots=True)
class _Given:
    """A hit over a fixed threshold."""

    intent: str
    threshold: float
    limit: float
    similarity: float
    hit: Hit | None = None
    """Only while it waits to be compared."""


_Served = tuple[Evidence, Judgement] | _Given


@dataclass(slots=True)
class CacheJudge:
    """The learned state of one embedder and one set of templates. `floor` is the embedder's own threshold, by which it
    decides until there is evidence."""

    state: Likeness
    floor: float
    verdicts: Verdicts
    path: Path | None = None
    embed: Embed | None = None
    """Compares answers that are worded differently; without it only words are compared."""
    fit_elsewhere: Elsewhere | None = None
    """Runs a fit beside the event loop; without it a fit is done at once, as a replay wants it."""
    soon: Callable[[Callable[[], None]], object] | None = None
    """Does something once the answer has left; without it nothing is put off."""
    _taught: tuple[Evidence, Judgement] | None = None
    """The last hit, until what it teaches is learned: nobody needs to wait for that."""
    _open: OrderedDict[int, _Open | _Given] = field(default_factory=OrderedDict)
    _served: OrderedDict[str, list[_Served]] = field(default_factory=OrderedDict)
    """Per entry the evidence on which it was given, the latest last."""
    _tickets: count[int] = field(default_factory=lambda: count(1))
    _fitting: bool = False
    _writing: Lock = field(default_factory=Lock)
    _drafts: count[int] = field(default_factory=lambda: count(1))
    _newest: int = 0
    """The number of the newest draft that is written: two threads may write in either order."""
    _known: float = 0.0
    """How much was learned by the last draft."""
    _due: float = 0.0
    """When the next draft may be written."""
    _told: str | None = None
    """Why the last one could not be."""

    def judge(self, command: Judge) -> Judged | Failed:
        """Which of the hits to give, if any. Guards read only what would be given: they are slow, and what they refuse
        is evidence, too."""
        evidence, judgement = self._judgement(command)
        place = refused = None
        if judgement.action != "refuse":
            place, refused = self._unrefused(command, judgement)
            if place is None:
                judgement = _guarded(judgement)
        if place is not None:
            judgement = replace(judgement, places=(place,))
            self._taught = evidence, judgement
            if self.soon is None:
                self._catch_up()
            else:
                self.soon(self._catch_up)
            self.verdicts.track(command.intent, command.limit).hits += 1
            without = replace(evidence, vector=_NONE, words=b"")  # a verdict needs neither
            self._remember(command.hits[place].entry.id, (without, judgement))
        verified = judgement.action == "verify"
        ticket = 0
        if place is None or verified:
            ticket = self._wait(_Open(evidence, judgement, command.hits))
        return Judged(place, judgement.why, ticket, judgement.probability, judgement.cut, verified, refused)

    def _catch_up(self) -> None:
        """Learn what the last hit teaches: before anything else is judged or learned, so that the order stays."""
        if self._taught is not None:
            taught, self._taught = self._taught, None
            serve(self.state, *taught)

    def admit(self, command: Admit) -> Admitted:
        """The threshold of a hit's intent as it stands, and a ticket where the hit is picked to be verified."""
        track = self.verdicts.track(command.intent, command.limit, command.threshold)
        if command.hit.similarity < track.threshold:
            return Admitted(track.threshold)
        track.hits += 1
        opened = command.intent, command.threshold, command.limit, command.hit.similarity
        self._remember(command.hit.entry.id, _Given(*opened))
        if command.chance >= command.verify:
            return Admitted(track.threshold)
        return Admitted(track.threshold, self._wait(_Given(*opened, command.hit)))

    def check(self, command: Check) -> Checked | Failed:
        """Take a fresh answer as a verdict on the hit that was given in its place."""
        self._catch_up()
        opened = self._open.pop(command.ticket, None)
        if opened is None:
            return Failed("judgement-forgotten")
        hit = opened.hit if isinstance(opened, _Given) else opened.hits[opened.judgement.places[0]]
        assert hit is not None  # noqa: S101 - it waited to be compared
        if command.answer_id is None:
            same = compare(_content(hit), command.content, self.embed)
        else:
            stated = hit.entry.stated_answer
            same = None if stated is None else stated == command.answer_id
        name = command.answer_id or (_name(hit) if same else own_name(uuid4().hex))
        self._verdict(opened, hit, same)
        if isinstance(opened, _Open) and same is not None:
            self._learn_check(opened, hit, command, same, name)
        return Checked(same, name)

    def _learn_check(self, opened: _Open, hit: Hit, command: Check, same: bool, name: str) -> None:
        """What `serve` had taken for right is known now."""
        right, clear = (_name(hit), True) if same else self._right(command, opened)
        if clear:
            verify(self.state, opened.evidence, opened.judgement, right)
        if not same:
            self.state.answers.add(right or name, opened.evidence.vector)
        self._fit_if_due()

    def _verdict(self, opened: _Open | _Given, hit: Hit, same: bool | None) -> None:
        foreseen = 0.0
        if isinstance(opened, _Given):
            intent = opened.intent
            track = self.verdicts.track(intent, opened.limit, opened.threshold)
        else:
            intent, probability = opened.judgement.intent, opened.judgement.probability
            track = self.verdicts.track(intent, opened.judgement.limit)
            foreseen = 0.0 if probability is None else 1 - probability
        if same is None:
            track.unclear += 1
        elif track.learn(different=not same, similarity=hit.similarity, foreseen=foreseen):
            self._tighten(intent, track)
        self.verdicts.save()

    def _tighten(self, intent: str, track: Track) -> None:
        self.verdicts.tighten(intent, track)
        if track.declared is None:
            self.state.cut(intent, track.limit).tighten(self.state.calibration, intent)

    def _wait(self, opened: _Open | _Given) -> int:
        ticket = next(self._tickets)
        self._open[ticket] = opened
        if len(self._open) > _MOST_OPEN:
            self._open.popitem(last=False)
        return ticket

    def examine(self, command: Judge) -> Judged | Failed:
        """As `judge`, where the answer is known already: no hit is given, and `learn` takes the answer as a verdict."""
        evidence, judgement = self._judgement(replace(command, chance=0.0))
        if judgement.action != "refuse":
            given, _ = self._unrefused(command, judgement)
            judgement = (
                _guarded(judgement) if given is None
                else replace(judgement, action="verify", rate=1.0)  # it stands for itself alone: all are examined
            )  # fmt: skip
        ticket = self._wait(_Open(evidence, judgement, command.hits))
        return Judged(None, "its answer is known", ticket, judgement.probability, judgement.cut)

    def learn(self, command: Learn) -> str | Failed:
        """Take the fresh answer as a verdict; the name under which it is to be kept."""
        self._catch_up()
        opened = self._open.pop(command.ticket, None)
        if not isinstance(opened, _Open):
            return Failed("judgement-forgotten")
        right, clear = self._right(command, opened)
        answer = command.answer_id or right or own_name(uuid4().hex)
        learn(self.state, opened.evidence, opened.judgement, right, answer, clear=clear)
        self._fit_if_due()
        return answer

    def report_wrong(self, entry_id: str) -> int:
        """Somebody says that this entry (`Entry.id`) was a wrong answer: a verdict against every question that it was
        given for of late. How many those were; after a restart none is known."""
        self._catch_up()
        servings = self._served.pop(entry_id, [])
        for served in servings:
            self._report(served)
        if servings:
            self._fit_if_due()
            self.verdicts.save()
        return len(servings)

    def _unrefused(self, command: Judge, judgement: Judgement) -> tuple[int | None, tuple[int, str] | None]:
        """The nearest question of the judged answer that no guard refuses, and the first refusal.

        Where one is refused, the answer must be likelier than not by the other questions alone: a far one that has the
        same answer, be it a mere yes, must not stand in for a near one that asks the opposite.
        """
        nearest, *others = [command.hits[place].entry.text for place in judgement.places]
        guard = refusing(command.guards, command.text, nearest)
        if guard is None:
            return judgement.places[0], None
        refused = judgement.places[0], guard
        guards = [guard, *refusals(command.guards, command.text, others)]
        gone = {place for place, guard in zip(judgement.places, guards, strict=True) if guard is not None}
        passing = [place for place in judgement.places if place not in gone]
        if not passing:
            return None, refused
        left = tuple([hit for place, hit in enumerate(command.hits) if place not in gone])
        _, again = self._judgement(replace(command, hits=left))
        likely = again.action != "refuse" if again.logit is None else again.logit > 0
        return (passing[0] if likely and again.answer == judgement.answer else None), refused

    def _judgement(self, command: Judge) -> tuple[Evidence, Judgement]:
        self._catch_up()
        candidates = [Candidate(_name(hit), hit.similarity, hit.entry.text) for hit in command.hits]
        evidence = weigh(self.state, command.vector, command.text, candidates)
        judgement = judge(
            self.state, evidence, intent=command.intent, limit=command.limit, floor=self.floor, chance=command.chance,
            verified=command.verify, confidence=command.confidence,
        )  # fmt: skip
        return evidence, judgement

    def _report(self, served: _Served) -> None:
        if isinstance(served, _Given):
            intent, similarity = served.intent, served.similarity
            track = self.verdicts.track(intent, served.limit, served.threshold)
        else:
            evidence, judgement = served
            intent, similarity = judgement.intent, float(evidence.signals[0, 0])
            track = self.verdicts.track(intent, judgement.limit)
            verify(self.state, evidence, replace(judgement, action="refuse"), None)  # no sample: it stands for itself
        if track.report(similarity):
            self._tighten(intent, track)

    def _remember(self, entry_id: str, served: _Served) -> None:
        servings = self._served.setdefault(entry_id, [])
        servings.append(served)
        del servings[:-_SERVINGS]
        self._served.move_to_end(entry_id)
        if len(self._served) > _MOST_SERVED:
            self._served.popitem(last=False)

    def _right(self, command: Learn | Check, opened: _Open) -> tuple[str | None, bool]:
        """Which of the candidate answers the fresh one equals, if any, and whether that is clear."""
        if command.answer_id is not None:
            if command.answer_id in opened.evidence.answers:
                return command.answer_id, True
            return None, all(hit.entry.stated_answer is not None for hit in opened.hits)
        told: dict[str, str] = {}
        given = () if opened.judgement.action == "refuse" else (opened.hits[opened.judgement.places[0]],)
        for hit in (*given, *opened.hits):  # of two answers under one name, what was given speaks for it
            told.setdefault(_name(hit), _content(hit))
        for name, content in told.items():
            if compare(content, command.content):
                return name, True
        found = {name: compare(content, command.content, self.embed) for name, content in [*told.items()][:_COMPARED]}
        right = next((name for name, same in found.items() if same), None)
        return right, right is not None or None not in found.values()

    def _fit_if_due(self) -> None:
        if self._fitting or not self.state.due:
            return
        if self.fit_elsewhere is None:
            self.state.fit()
            return
        self._fitting = True
        fitting = self.state.begin()
        self.fit_elsewhere(fitting.run, partial(self._take, fitting))

    def _take(self, fitting: Fitting, error: BaseException | None) -> None:
        """Back in the event loop: go by the fit from now on, and keep the state."""
        self._fitting = False
        if error is not None:
            _log.error("what the cache has learned could not be fitted: %s", error)
            return
        self.state.take(fitting)
        self._write_elsewhere()

    def keep_up(self, now: float) -> None:
        """Write what was learned, once a minute at most, beside the event loop: of what is lost by a process that is
        killed, that is the limit."""
        if now >= self._due and self.state.learned != self._known:
            self._due = now + _WRITTEN_EVERY
            self._write_elsewhere()

    def _write_elsewhere(self) -> None:
        if self.path is None or self.fit_elsewhere is None:
            return
        self._known = self.state.learned
        self.fit_elsewhere(partial(self._write, draft(self.state), next(self._drafts)), self._written)

    def _written(self, error: BaseException | None) -> None:
        told = None if error is None else error.message if isinstance(error, StoreError) else str(error)
        if told is not None:
            self._known = -1.0  # so that it is tried again
            if told != self._told:
                _log.warning("%s", told)
        self._told = told

    def report(self) -> list[dict[str, object]]:
        """Per intent: the declared limit, what was given, how much of it is expected to be wrong at most, and what
        verification has shown of it."""
        self._catch_up()
        return rows(self.state, self.verdicts)

    def save(self) -> None:
        """Write the state beside the cache, in one step. Raises `StoreError`."""
        self._catch_up()
        self.verdicts.save()
        if self.state.stored or self.state.words.texts:
            self._write(draft(self.state), next(self._drafts))

    def close(self) -> None:
        """Write nothing from now on: another takes its place. Requests that began with it may still ask it."""
        with self._writing:
            self.path = self.verdicts.path = None

    def _write(self, found: Draft, number: int) -> None:
        data = found.pack()
        with self._writing:
            if self.path is None or number < self._newest:
                return
            new = self.path.with_suffix(".new")
            try:
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                new.write_bytes(data)
                os.replace(new, self.path)
                self._newest = number
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
    kept = None if path is None else path.with_name(path.name.replace("learned-", "verified-")).with_suffix(".json")
    return CacheJudge(state, floor, open_verdicts(kept, embedder, version), path, _known=state.learned)


def _guarded(judgement: Judgement) -> Judgement:
    return replace(judgement, action="refuse", why="refused by a guard", guarded=True)


def _name(hit: Hit) -> str:
    """The name of a kept answer; one that was never learned stands for itself."""
    return hit.entry.answer_id or own_name(sha256(hit.entry.id.encode("utf-8", "surrogatepass")).hexdigest()[:32])


def _content(hit: Hit) -> str:
    try:
        return decode_response(hit.entry.body).content
    except WireError:
        return ""
