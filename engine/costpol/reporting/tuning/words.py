"""What every form of the report says in the same words."""

from __future__ import annotations

from collections.abc import Iterable

from costpol.reporting.tuning.band import CONFIDENCE
from costpol.reporting.tuning.figures import Curve, Point, Tuning
from costpol.units import format_usd, usd


def money(picodollars: int, points: Iterable[Point]) -> str:
    """Dollars with as many places as the largest of these points makes sensible."""
    most = usd(max((abs(point.net) for point in points), default=0))
    return format_usd(usd(picodollars), 2 if most >= 100 else 4 if most >= 1 else 6)


def share(part: float | None, places: int = 1) -> str:
    """`1.2%`, or a dash where nothing was measured."""
    return "-" if part is None else f"{part:.{places}%}"


def band(point: Point) -> str:
    """`0.4%-1.2%`."""
    return "-" if point.band is None else f"{point.band[0]:.1%}-{point.band[1]:.1%}"


def verdict(curve: Curve, tuning: Tuning) -> str:
    """The recommendation in one sentence."""
    limit = share(float(tuning.limit))
    if not any(point.similar for point in curve.points):
        return "no setting gives a hit by likeness on this log"
    if not any(point.judged for point in curve.points):
        return "no hit can be judged: the log names no right answers (`answer_id`) and records none"
    if curve.chosen is None:
        return f"no setting keeps at most {limit} wrong hits on this log"
    chosen, written = curve.point(curve.chosen), curve.point(curve.written)
    gain = f"{share(chosen.hit_rate)} hits"
    if chosen.judged:
        gain += f", {share(chosen.wrong_share, 2)} of them wrong ({band(chosen)})"
    if chosen.setting == written.setting:
        return f"keep `{chosen.setting.label}`: {gain}"
    why = "which saves less"
    if written.breaks(tuning.limit):
        why = f"of whose hits {share(written.wrong_share, 2)} ({band(written)}) are wrong"
    elif not written.keeps(tuning.limit):
        why = f"of whose {written.judged:,} judged hits up to {share((written.band or (0, 1))[1])} may be wrong"
    return f"`{chosen.setting.label}` instead of `{written.setting.label}`, {why}: {gain}"


def notes(tuning: Tuning) -> list[str]:
    """What the figures rest on."""
    by = tuning.judged_by
    found = [
        f"bands are Clopper-Pearson, {CONFIDENCE:.0%}: the true share of wrong hits lies above one in 1 log of 20",
        "chosen is what saves most of the settings whose band lies within the limit, and of those that see to it by "
        "themselves (`max_wrong_hits`)",
        "a threshold is chosen with hindsight, on this log; a limit of wrong hits learns while it serves",
        f"hits of the policy as it is were judged by answer_id: {by['answer_id']:,}, by their texts: {by['text']:,}, "
        f"not at all: {by['nothing']:,}",
        "saved is what hits would have cost as calls, net of embeddings and verification, at today's prices: "
        f"{tuning.prices}",
    ]
    if tuning.orders > 1:
        found.append(f"means over {tuning.orders} orders of the log: its own, and seeded shuffles over its instants")
    if tuning.skipped:
        found.append(f"{tuning.skipped:,} lines were no records: {'; '.join(tuning.skipped_first[:3])}")
    return found
