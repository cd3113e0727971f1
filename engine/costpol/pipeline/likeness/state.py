"""All that a cache has learned, as one value that can be kept: bound to its embedder and its policy's templates.

Nothing in it is text or names a caller: sums of vectors, counts of hashed words, scores and verdicts. Its size is
bounded: about 30 MB at most.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from costpol.errors import StoreError
from costpol.pipeline.likeness import words
from costpol.pipeline.likeness.answers import Answers, Directions, Sums, absorb, find
from costpol.pipeline.likeness.calibration import Calibration, Scored
from costpol.pipeline.likeness.choice import TYPICAL, Choice, Fitted, Verdict, Weights, fit
from costpol.pipeline.likeness.cut import Cut, deviations
from costpol.pipeline.likeness.words import Words

FORMAT = 4
_MOST_CUTS = 1024


@dataclass(slots=True)
class Likeness:
    """The fitted state of one cache. `embedder` and `version` say what its scores are of."""

    embedder: str
    dimension: int
    version: str = ""
    stored: int = 0
    hits: int = 0
    words: Words = field(default_factory=Words)
    answers: Answers = field(init=False)
    choice: Choice = field(default_factory=Choice)
    calibration: Calibration = field(default_factory=Calibration)
    cuts: dict[str, Cut] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.answers = Answers(self.dimension + words.DIMENSION)

    def cut(self, intent: str, limit: float, confidence: float | None = None) -> Cut:
        """The cut of an intent; a changed limit starts a new one, another confidence moves it."""
        cut = self.cuts.get(intent)
        if cut is None or cut.limit != limit:
            cut = Cut(limit)
            if len(self.cuts) >= _MOST_CUTS and intent not in self.cuts:
                self.cuts.pop(next(iter(self.cuts)))
            self.cuts[intent] = cut
            cut.set(self.calibration, intent)
        if confidence is not None and confidence != cut.confidence:
            cut.confidence, cut.deviations = confidence, deviations(confidence)
            cut.set(self.calibration, intent)
        return cut

    @property
    def learned(self) -> float:
        """Grows with everything that it learns."""
        return self.words.texts + self.answers.learned + self.calibration.learned

    @property
    def due(self) -> bool:
        """Whether a fit would be worth its time now."""
        return self.answers.due or self.choice.due

    def begin(self) -> Fitting:
        """What is due, to be fitted elsewhere while judging and learning go on by the state as it is."""
        sums = self.answers.begin() if self.answers.due else None
        return Fitting(sums, self.choice.begin() if self.choice.due else (), self.choice.learned)

    def take(self, fitting: Fitting) -> None:
        """Go by what was fitted from now on."""
        if fitting.directions is not None:
            self.answers.take(fitting.directions)
        if fitting.fitted is not None:
            self.choice.weights = fitting.fitted.weights
            newer = self.choice.learned - fitting.learned
            self.calibration.rescore(fitting.fitted.logits, fitting.fitted.right, newer)

    def fit(self) -> None:
        """Fit what is due, and take it: up to some hundred milliseconds, so not while a caller waits."""
        fitting = self.begin()
        fitting.run()
        self.take(fitting)


@dataclass(slots=True)
class Fitting:
    """A fit on copies, which `run` may do in any thread."""

    sums: Sums | None
    verdicts: tuple[Verdict, ...]
    learned: int
    """How many verdicts there had been when it began."""
    directions: Directions | None = None
    fitted: Fitted | None = None

    def run(self) -> None:
        """Do the work: a tenth of a second for 500 dimensions, two seconds for 1,800, most of it without the
        interpreter's lock."""
        if self.sums is not None:
            self.directions = find(self.sums)
        if self.verdicts:
            self.fitted = fit(self.verdicts, TYPICAL)


@dataclass(frozen=True, slots=True)
class Draft:
    """A copy of a state, to be packed in any thread."""

    arrays: dict[str, Any]
    pending: tuple[Any, ...]
    scored: tuple[Scored, ...]
    chosen: tuple[Verdict, ...]
    meta: dict[str, Any]

    def pack(self) -> bytes:
        """The state as bytes: arrays and JSON, nothing that could run. Once: it uses the copy up."""
        scatter, freedom = absorb(self.arrays["scatter"], self.meta["answers"][0], self.pending)
        arrays = self.arrays | {
            "scatter": scatter,
            "logits": np.array([verdict.logit for verdict in self.scored], dtype=np.float64),
            "right": np.array([verdict.right for verdict in self.scored], dtype=np.bool_),
            "sampled": np.array([verdict.sampled for verdict in self.scored], dtype=np.bool_),
            "sizes": np.array([len(v.answers) for v in self.chosen], dtype=np.int32),
            "signals": _rows([v.answers for v in self.chosen]),
            "circumstances": _rows([v.circumstances[None] for v in self.chosen]),
            "chosen": np.array([-1 if v.right is None else v.right for v in self.chosen], dtype=np.int32),
            "weight": np.array([v.weight for v in self.chosen], dtype=np.float64),
        }
        meta = self.meta | {
            "answers": [freedom, *self.meta["answers"][1:]],
            "intents": [verdict.intent for verdict in self.scored],
        }
        arrays["meta"] = np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)
        return buffer.getvalue()


def draft(state: Likeness) -> Draft:
    """The state as it is now, copied: a millisecond for 500 dimensions, fifteen for 1,800. Learning goes on."""
    answers, choice, calibration = state.answers, state.choice, state.calibration
    known = len(answers.rows)
    arrays: dict[str, Any] = {
        "words": state.words.seen.copy(), "counts": answers.counts[:known].copy(), "used": answers.used[:known].copy(),
        "sums": answers.sums[:known].copy(), "scatter": answers.scatter.copy(), "spread": answers.spread,
        "origin": answers.origin, "theta": calibration.theta, "covariance": calibration.covariance,
    }  # fmt: skip
    if answers.directions is not None:
        arrays["directions"] = answers.directions
    if choice.weights is not TYPICAL:
        for name in ("answers", "answers_middle", "circumstances", "circumstances_middle"):
            arrays[f"weights_{name}"] = getattr(choice.weights, name)
    for number, cut in enumerate(state.cuts.values()):
        arrays[f"served_{number}"] = cut.served.copy()
        arrays[f"late_{number}"] = np.array(cut.late, dtype=np.float64)
    meta = {
        "format": FORMAT, "embedder": state.embedder, "dimension": state.dimension, "version": state.version,
        "stored": state.stored, "hits": state.hits, "texts": state.words.texts, "names": list(answers.rows),
        "answers": [answers.freedom, answers.learned, answers.fit_at],
        "choice": [choice.learned, choice.fit_at, None if choice.weights is TYPICAL else choice.weights.bias],
        "calibration": [
            calibration.learned, calibration.floor, calibration.floor_deviation, calibration.ratio,
            calibration.ratio_deviation, calibration.novelty,
        ], "offsets": dict(calibration.offsets),
        "cuts": [
            [intent, c.limit, c.confidence, c.deviations, c.value, c.hits, c.seen, c.expected, c.bound]
            for intent, c in state.cuts.items()
        ],
    }  # fmt: skip
    return Draft(arrays, tuple(answers.pending), tuple(calibration.verdicts), tuple(choice.verdicts), meta)


def pack(state: Likeness) -> bytes:
    """The state as bytes, at once."""
    return draft(state).pack()


def unpack(data: bytes, embedder: str, dimension: int, version: str) -> Likeness:
    """The state that `pack` wrote.

    :raises StoreError: the data is damaged, or was learned with another embedder, other templates or by another format.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        meta = json.loads(arrays["meta"].tobytes())
        found = (meta["format"], meta["embedder"], meta["dimension"], meta["version"])
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise StoreError("what the cache has learned cannot be read", "it starts to learn anew") from error
    names, wanted = ("format", "embedder", "dimension", "template version"), (FORMAT, embedder, dimension, version)
    for what, had, has in zip(names, found, wanted, strict=True):
        if had != has:
            raise StoreError(f"what the cache has learned is of {what} `{had}`, not `{has}`", "it starts to learn anew")
    try:
        return _restore(arrays, meta)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise StoreError("what the cache has learned is torn", "it starts to learn anew") from error


def _restore(arrays: dict[str, Any], meta: dict[str, Any]) -> Likeness:
    state = Likeness(meta["embedder"], meta["dimension"], meta["version"], meta["stored"], meta["hits"])
    state.words = Words(meta["texts"], arrays["words"])
    answers = state.answers
    answers.restore(meta["names"], arrays, *meta["answers"])
    learned, fit_at, bias = meta["choice"]
    state.choice.learned, state.choice.fit_at = learned, fit_at
    if bias is not None:
        state.choice.weights = Weights(
            arrays["weights_answers"], arrays["weights_answers_middle"], arrays["weights_circumstances"],
            arrays["weights_circumstances_middle"], bias,
        )  # fmt: skip
    start = 0
    for index, size in enumerate(arrays["sizes"].tolist()):
        right = int(arrays["chosen"][index])
        signals, circumstances = arrays["signals"][start : start + size], arrays["circumstances"][index]
        state.choice.verdicts.append(
            Verdict(signals, circumstances, None if right < 0 else right, float(arrays["weight"][index]))
        )
        start += size
    calibration = state.calibration
    calibration.learned, calibration.floor, calibration.floor_deviation = meta["calibration"][:3]
    calibration.ratio, calibration.ratio_deviation, calibration.novelty = meta["calibration"][3:]
    calibration.theta, calibration.covariance = arrays["theta"], arrays["covariance"]
    calibration.offsets = {name: (shift, variance) for name, (shift, variance) in meta["offsets"].items()}
    columns = (arrays["logits"].tolist(), arrays["right"].tolist(), meta["intents"], arrays["sampled"].tolist())
    calibration.verdicts.extend(map(Scored._make, zip(*columns, strict=True)))
    for number, (intent, limit, confidence, stretch, value, hits, seen, *bounds) in enumerate(meta["cuts"]):
        cut = Cut(limit, confidence, stretch, value, hits, seen, arrays[f"served_{number}"])
        cut.expected, cut.bound = bounds
        cut.late.extend(arrays[f"late_{number}"].tolist())
        state.cuts[intent] = cut
    return state


def _rows(parts: list[Any]) -> Any:
    return np.concatenate(parts) if parts else np.zeros((0, 1), dtype=np.float32)
