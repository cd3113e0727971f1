"""Whether a kept answer is given again: the rule behind `max_wrong_hits`.

    evidence = weigh(state, vector, text, candidates)
    judgement = judge(state, evidence, ...)
    serve(state, evidence, judgement)                   the answer was given, or
    learn(state, evidence, judgement, right, answer)    a model was asked, and its answer is known

Every call of a model is a verdict on what the cache would have said. A small share of hits is answered afresh behind
their callers (`verify`), more of the first ones. `judge` changes nothing.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from costpol.pipeline.likeness.calibration import HIGHEST, LOWEST, Scored
from costpol.pipeline.likeness.choice import Verdict
from costpol.pipeline.likeness.cut import CONFIDENCE, NEVER
from costpol.pipeline.likeness.evidence import Evidence
from costpol.pipeline.likeness.state import Likeness

VERIFIED = 0.04
"""The share of would-be hits that is answered afresh."""

_FIRST_VERIFIED, _FIRST_HITS = 15.0, 80.0
"""More of the first hits of a cache are, for nothing else shows how often the surest ones are wrong: one in four, later
some fifteen more each time that there are three times as many."""

_FIXED_LOGIT = 4.6
"""What a hit by the fixed rule counts as before there is evidence: one in a hundred wrong."""


class Judgement(Struct, frozen=True, gc=False):
    """The decision on one request. `places` are the candidates that carry the answer, nearest first."""

    action: Literal["serve", "verify", "refuse"]
    """`verify` serves, too."""
    why: str
    intent: str
    limit: float
    answer: str | None = None
    places: tuple[int, ...] = ()
    logit: float | None = None
    """The score of the best answer; `None` before there is evidence."""
    probability: float | None = None
    """How sure it is that the answer is right, calibrated."""
    cut: float | None = None
    rate: float = 1.0
    """With what chance a verdict is heard on a request like this one."""
    guarded: bool = False
    """Whether a guard refuses it: what the guards catch says nothing of what a score is worth."""


def judge(
    state: Likeness, evidence: Evidence, *, intent: str, limit: float, floor: float, chance: float,
    verified: float = VERIFIED, confidence: float = CONFIDENCE,
) -> Judgement:  # fmt: skip
    """Serve, verify or refuse. `floor` is the cosine of the fixed rule that holds until there is evidence; `chance` is
    a number in [0, 1) that picks what is verified, a share of `verified` on average. `confidence` is with which the
    limit is to be kept."""
    if not evidence.answers:
        return Judgement("refuse", "nothing is near", intent, limit)
    cut = state.cut(intent, limit, confidence)
    rate = min(1.0, verified * (1 + _FIRST_VERIFIED / VERIFIED / (state.hits + _FIRST_HITS)))
    if not cut.ready(state.calibration):
        nearest = float(evidence.signals[0, 0])
        if nearest >= floor and evidence.unanimous:
            action: Literal["serve", "verify"] = "verify" if chance < rate else "serve"
            return Judgement(action, "nearer than the fixed rule asks", intent, limit, evidence.answers[0],
                             evidence.places[0], rate=rate or 1.0)  # fmt: skip
        return Judgement("refuse", "no evidence yet", intent, limit, evidence.answers[0], evidence.places[0])
    best, logit = state.choice.weights.best(evidence.signals, evidence.circumstances)
    logit = min(max(logit, LOWEST), HIGHEST)
    wrong = state.calibration.chance(logit, intent)
    answer, places = evidence.answers[best], evidence.places[best]
    if logit < cut.value:
        why = "no cut keeps the limit yet" if cut.value == NEVER else "too likely to be wrong"
        return Judgement("refuse", why, intent, limit, answer, places, logit, 1 - wrong, cut.value)
    if chance < rate:
        return Judgement("verify", "surely alike", intent, limit, answer, places, logit, 1 - wrong, cut.value, rate)
    return Judgement("serve", "surely alike", intent, limit, answer, places, logit, 1 - wrong, cut.value, rate)


def serve(state: Likeness, evidence: Evidence, judgement: Judgement) -> None:
    """A kept answer was given: count it, and learn the question as one more of its answer."""
    cut = state.cut(judgement.intent, judgement.limit)
    cut.count(_FIXED_LOGIT if judgement.logit is None else judgement.logit)
    state.hits += 1
    state.calibration.notice(novel=False)
    _seen(state, evidence, judgement)
    if judgement.answer is not None:
        state.answers.add(judgement.answer, evidence.vector)


def learn(
    state: Likeness, evidence: Evidence, judgement: Judgement, right: str | None, answer: str, *, clear: bool = True
) -> None:
    """A model was asked. `right` is the candidate answer that its answer equals, if any; `answer` is the name under
    which its answer is kept: `right`, or a new one. What is not `clear` is no verdict."""
    if clear:
        if not judgement.guarded:
            verify(state, evidence, judgement, right)
        state.calibration.notice(novel=right is None)
    _seen(state, evidence, judgement)
    state.answers.add(answer, evidence.vector)
    state.stored += 1


def verify(state: Likeness, evidence: Evidence, judgement: Judgement, right: str | None) -> None:
    """A verdict alone: also on a hit that was given and answered afresh behind it."""
    if not evidence.answers:
        return
    sampled = judgement.action != "refuse"
    if judgement.logit is not None:
        state.calibration.learn(Scored(judgement.logit, right == judgement.answer, judgement.intent, sampled))
    else:
        best, logit = state.choice.weights.best(evidence.signals, evidence.circumstances)
        state.calibration.learn(Scored(logit, evidence.answers[best] == right, judgement.intent, sampled))
    place = evidence.answers.index(right) if right in evidence.answers else None
    weight = 1 / judgement.rate if sampled else 1.0
    state.choice.learn(Verdict(evidence.signals, evidence.circumstances, place, weight))


def _seen(state: Likeness, evidence: Evidence, judgement: Judgement) -> None:
    state.words.note(evidence.words)
    if judgement.logit is None or judgement.guarded:
        return
    cut = state.cut(judgement.intent, judgement.limit)
    cut.note(judgement.logit, state.calibration, judgement.intent)
