"""Where to cut, so that the declared share of wrong hits is kept and what is left of it is used.

The limit holds for all hits together: those given so far, whose scores are kept, and those that a plan ahead would give
at a cut, seen from the scores of late. The cut is the lowest at which the upper bound of their wrong hits stays under
the limit. Error that was not used so lowers the cut later; a calibration that turns out worse raises it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np

from costpol.pipeline.likeness.calibration import Calibration, Square

NEVER = 99.0
"""The cut that nothing passes."""

CONFIDENCE = 0.9
"""With which a limit is kept where nothing else is stated."""

_USUAL = NormalDist().inv_cdf(CONFIDENCE)

_STEP = 0.25
GRID = np.arange(-4.0, 9.0 + _STEP / 2, _STEP)
"""The logits at which served hits are counted."""

WINDOW = 1000
_PLAN = 1500
"""Requests that are planned ahead at least; more once more than that have been seen."""

_EVERY = 50
_FORGET = 50_000.0
"""Hits that are remembered; older ones fade, and so do the errors that they left unused."""

_WORST = 1 / 3
"""Whatever is left of the limit, an answer with a greater chance to be wrong is not given: there, verdicts are few and
foresight is poor."""

_VERDICTS = 150
"""Verdicts on scores that there must be before anything is served by its score."""

_TIGHTER, _STRICTEST = 1.5, 5.0
"""Each time that verification contradicts the calibration, the confidence grows: 90 %, 97 %, 99.8 %."""

Reals = np.ndarray[tuple[int], np.dtype[np.float64]]


@dataclass(slots=True)
class Cut:
    """The cut of one intent under one limit."""

    limit: float
    confidence: float = CONFIDENCE
    deviations: float = _USUAL
    """The same in standard deviations, one-sided; more once hits turned out wrong."""
    value: float = NEVER
    hits: float = 0.0
    seen: int = 0
    served: Reals = field(default_factory=lambda: np.zeros(len(GRID)))
    """Hits given at each logit of the grid."""
    late: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    expected: float = 0.0
    """Wrong hits so far, as expected when the cut was last set."""
    bound: float = 0.0
    """The upper bound of the same."""

    def ready(self, calibration: Calibration) -> bool:
        """Whether there is evidence to decide by."""
        return calibration.learned >= _VERDICTS

    def note(self, logit: float, calibration: Calibration, intent: str) -> None:
        """A request with this best score was seen; the cut is set anew every fifty."""
        self.late.append(logit)
        self.seen += 1
        if self.seen % _EVERY == 0:
            self.set(calibration, intent)

    def count(self, logit: float) -> None:
        """A hit of this score was given."""
        self.served[min(max(round((logit - GRID[0]) / _STEP), 0), len(GRID) - 1)] += 1
        self.hits += 1
        if self.hits > _FORGET:
            self.served *= 0.9
            self.hits *= 0.9

    def set(self, calibration: Calibration, intent: str) -> None:
        """Find the lowest cut whose bound keeps the limit and above which no answer is too likely to be wrong by
        itself; `NEVER` where none does."""
        doubt = calibration.doubt(intent)
        past, past_slopes = calibration.wrong(GRID, intent)
        self.expected = float(self.served @ past)
        slopes = self.served @ past_slopes
        self.bound = float(self._bound(np.array([self.expected]), slopes[None], doubt)[0])
        if not self.late or not self.ready(calibration):
            self.value = NEVER
            return
        ordered = np.sort(np.array(self.late))[::-1]
        ahead = max(_PLAN, self.seen) / len(ordered)
        share, share_slopes = calibration.wrong(ordered, intent)
        expected = self.expected + ahead * np.cumsum(share)
        bound = self._bound(expected, slopes + ahead * np.cumsum(share_slopes, axis=0), doubt)
        hits = self.hits + ahead * np.arange(1, len(ordered) + 1)
        whole = np.append(np.diff(ordered) < 0, True)  # equal scores pass together, or not at all
        kept = np.nonzero(whole & (bound <= self.limit * hits) & (share <= _WORST))[0]
        self.value = float(ordered[kept[-1]]) if len(kept) else NEVER

    def tighten(self, calibration: Calibration, intent: str) -> None:
        """Hits turned out wrong past what was foreseen: ask for more confidence from now on."""
        self.deviations = min(self.deviations * _TIGHTER, _STRICTEST)
        self.set(calibration, intent)

    def _bound(self, expected: Reals, slopes: Square, doubt: Square) -> Reals:
        """Two doubts add up in squares: of the calibration, and the luck of the draw."""
        variance = np.einsum("ij,jk,ik->i", slopes, doubt, slopes)
        return np.asarray(expected + self.deviations * np.sqrt(variance + expected), dtype=np.float64)


def deviations(confidence: float) -> float:
    """So many standard deviations on one side leave out what the confidence leaves: 1.28 for 90 %."""
    return NormalDist().inv_cdf(confidence)
