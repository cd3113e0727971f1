"""What verified hits show of one intent, and when that is past its limit.

The alarm is a bet against "no more than the limit is wrong": money is staked on every verdict, at odds that are fair if
that is true, and grows only if it is not. A pot that has lost starts again at one, so that good years do not excuse a
bad month (the e-process CUSUM of Shin, Ramdas and Rinaldo, 2023): where exactly the limit is wrong, false alarms are at
least `_PATIENCE` verdicts apart on average, and rarer by far below it, however often one looks.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import sqrt

NEVER = 2.0
"""The threshold that no cosine passes."""

_STAKES = (0.1, 0.25, 0.5)
"""Shares of the pot that are bet: small ones see small excesses, large ones see large ones soon."""
_PATIENCE = 1000.0
_FEWEST = 3
"""Wrong hits that there must be: one or two are an accident."""
_MEMORY = 500


@dataclass(slots=True)
class Track:
    """The verdicts on one intent's hits. `declared` is its fixed threshold, `None` where evidence decides."""

    limit: float
    declared: float | None = None
    threshold: float = field(default=-1.0)
    """As it stands: as declared, or risen since."""
    hits: int = 0
    checked: int = 0
    different: int = 0
    unclear: int = 0
    reported: int = 0
    tightened: int = 0
    pots: list[float] = field(default_factory=lambda: [1.0] * len(_STAKES))
    recent: int = 0
    """Wrong hits since it was last tightened."""
    pairs: deque[tuple[float, bool]] = field(default_factory=lambda: deque(maxlen=_MEMORY))
    """Under a fixed threshold, how alike the questions were and whether the answers differed."""

    def __post_init__(self) -> None:
        if self.declared is not None:
            self.threshold = max(self.threshold, self.declared)

    @property
    def suspended(self) -> bool:
        """Whether no likeness is enough any more."""
        return self.threshold >= NEVER

    @property
    def at_most(self) -> float | None:
        """The share of hits that differ, at most, with 90 % confidence (Wilson's bound); `None` without any verdict."""
        if not self.checked:
            return None
        z, n, share = 1.2816, self.checked, self.different / self.checked
        spread = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
        return min(1.0, (share + z * z / (2 * n) + spread) / (1 + z * z / n))

    def learn(self, *, different: bool, similarity: float, foreseen: float = 0.0) -> bool:
        """One verdict; whether the limit is passed by it, so that `tighten` is due. `foreseen` is the chance to be
        wrong that this hit was given with: what was foreseen is no surprise."""
        self.checked += 1
        self.different += different
        self.recent += different
        self.pairs.append((similarity, different))
        fair = min(max(self.limit, foreseen), 0.9)
        gain = (1 - fair) / fair if different else -1.0
        self.pots = [max(pot, 1.0) * (1 + stake * gain) for pot, stake in zip(self.pots, _STAKES, strict=True)]
        return self.recent >= _FEWEST and sum(self.pots) >= _PATIENCE * len(_STAKES)

    def report(self, similarity: float) -> bool:
        """Somebody found a hit wrong; whether the limit is passed by it. Reports are no sample, so they count against
        all hits that were given."""
        self.reported += 1
        self.pairs.append((similarity, True))
        return self.reported >= _FEWEST and self.reported > self.limit * self.hits

    def tighten(self) -> None:
        """Raise the threshold to where the verdicts keep the limit; to `NEVER` where they nowhere do."""
        self.tightened += 1
        self.recent = self.reported = self.hits = 0
        self.pots = [1.0] * len(_STAKES)
        if self.declared is None:
            self.pairs.clear()
            return
        self.threshold = self._kept()
        self.pairs = deque((pair for pair in self.pairs if pair[0] >= self.threshold), _MEMORY)

    def _kept(self) -> float:
        ordered = sorted((pair for pair in self.pairs if pair[0] >= self.threshold), reverse=True)
        worst = min((similarity for similarity, different in ordered if different), default=self.threshold)
        lowest, wrong = NEVER, 0
        for count, (similarity, different) in enumerate(ordered, 1):
            wrong += different
            last = count == len(ordered) or ordered[count][0] < similarity  # equal ones pass together, or not at all
            if last and wrong <= self.limit * count and similarity > worst:
                lowest = similarity
        return lowest
