"""What a log tells about a cache's settings: per intent a curve of hits against wrong hits, and where to stand on it.

Amounts are whole picodollars. `None` is a figure that nothing was measured for; it is not zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from costpol.reporting.tuning.band import clopper_pearson
from costpol.units import plain


@dataclass(frozen=True, slots=True)
class Setting:
    """How a cache decides whether questions are alike: by a `threshold` (a cosine), by a limit of wrong hits
    (`max_wrong_hits`, a share), or not at all (`exact`)."""

    kind: Literal["threshold", "max_wrong_hits", "exact"]
    value: Decimal | None = None

    @property
    def label(self) -> str:
        """As a policy writes it."""
        if self.value is None:
            return "exact repeats only"
        if self.kind == "threshold":
            return f"threshold: {plain(self.value)}"
        return f"max_wrong_hits: {plain((self.value * 100).normalize())}%"


@dataclass(frozen=True, slots=True)
class Point:
    """What one setting makes of an intent's requests, summed over the orders in which the log was replayed.

    `saved` is what hits would have cost as calls, `own_cost` what looking cost. `worst` is the largest share of wrong
    hits that any of the orders had.
    """

    setting: Setting
    orders: int
    requests: int
    hits: int
    similar: int
    judged: int
    wrong: int
    saved: int
    own_cost: int
    worst: float | None = None

    @property
    def hit_rate(self) -> float:
        return self.hits / self.requests if self.requests else 0.0

    @property
    def wrong_share(self) -> float | None:
        """Wrong hits among those judged."""
        return self.wrong / self.judged if self.judged else None

    @property
    def band(self) -> tuple[float, float] | None:
        """Clopper-Pearson, 90 %: the true share lies above it in one of twenty logs. Several orders of one log are not
        several logs, so the counts are those of one."""
        judged, wrong = round(self.judged / self.orders), -(-self.wrong // self.orders)
        return clopper_pearson(min(wrong, judged), judged) if judged else None

    @property
    def net(self) -> int:
        """Saved by one order of the log, net of what looking cost."""
        return (self.saved - self.own_cost) // self.orders

    def keeps(self, limit: Decimal) -> bool:
        """Whether at most this share of hits is wrong: the log shows it, or the setting sees to it by itself and the
        log does not show the contrary. Nothing is wrong with no hit by likeness."""
        if not self.similar:
            return True
        if self.setting.kind == "max_wrong_hits" and self.setting.value is not None and self.setting.value <= limit:
            return not self.breaks(limit)
        return self.band is not None and self.band[1] <= limit

    def breaks(self, limit: Decimal) -> bool:
        """Whether the log shows that more than this share of hits is wrong."""
        return self.band is not None and self.band[0] > limit


@dataclass(frozen=True, slots=True)
class Suspect:
    """A hit by likeness that may be wrong, and how many `hits` there were between these two questions. Texts are `None`
    where they were to be left out, answers also where the log has none; `right` is `None` where nobody knows."""

    request: str
    similarity: float
    probability: float | None
    right: bool | None
    question: str | None
    kept_question: str | None
    answer: str | None
    kept_answer: str | None
    hits: int = 1


@dataclass(frozen=True, slots=True)
class Curve:
    """One intent. `written` is the policy's setting, `chosen` the one that saves most of those that keep the limit,
    `None` where no hit could be judged; `snippet` writes it as YAML. Suspects are those of the chosen setting."""

    intent: str
    requests: int
    written: Setting
    points: tuple[Point, ...]
    chosen: Setting | None
    snippet: str | None
    suspects: tuple[Suspect, ...]

    def point(self, setting: Setting) -> Point:
        """The point of a setting that was tried."""
        return next(point for point in self.points if point.setting == setting)


@dataclass(frozen=True, slots=True)
class Tuning:
    """A whole report. `judged_by` counts how hits were judged: by `answer_id`, by the answers' texts, or not."""

    policy: str
    prices: str
    embedder: str | None
    requests: int
    orders: int
    limit: Decimal
    curves: tuple[Curve, ...]
    judged_by: Mapping[str, int]
    skipped: int = 0
    skipped_first: tuple[str, ...] = ()
