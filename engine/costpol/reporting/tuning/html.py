"""The report as one HTML file: the curves as inline SVG, nothing loaded from anywhere, everything escaped."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import floor, log10
from typing import Any

from markupsafe import Markup, escape

from costpol.reporting.page import fill
from costpol.reporting.tuning.figures import Curve, Point, Tuning
from costpol.reporting.tuning.text import reach
from costpol.reporting.tuning.words import band, money, notes, share, verdict

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM, _RIGHT = 760, 340, 52, 14, 40, 20
_STEPS = 5
_LABEL_WIDE, _LABEL_HIGH = 44, 14


@dataclass(frozen=True, slots=True)
class Dot:
    """One point in pixels, with its band from `low` to `high`."""

    x: float
    y: float
    low: float
    high: float
    kind: str
    """`threshold`, `max_wrong_hits` or `exact`."""
    chosen: bool
    written: bool
    label: str
    title: str


def render_html(tuning: Tuning) -> str:
    """A whole document."""
    return fill("costpol.reporting.tuning", {"coded": coded}, {
        "tuning": tuning, "limit": share(float(tuning.limit)), "notes": notes(tuning),
        "curves": [_page(curve, tuning) for curve in tuning.curves],
    })  # fmt: skip


def _page(curve: Curve, tuning: Tuning) -> dict[str, Any]:
    limit = float(tuning.limit)
    across, up = (
        _step(reach(curve.points, limit)),
        min(1 / _STEPS, _step(max([1.1 * p.hit_rate for p in curve.points] + [0.02]))),
    )
    wide, high = across * _STEPS, up * _STEPS
    dots = _named([_dot(point, curve, wide, high) for point in curve.points if point.wrong_share is not None])
    line = [dot for dot in dots if dot.kind == "threshold"]
    learned = [dot for dot in dots if dot.kind == "max_wrong_hits"]
    return {
        "curve": curve,
        "verdict": verdict(curve, tuning),
        "width": _WIDTH, "height": _HEIGHT, "left": _LEFT, "bottom": _HEIGHT - _BOTTOM, "top": _TOP,
        "right": _WIDTH - _RIGHT,
        "limit": round(_x(limit, wide), 1),
        "dots": dots,
        "lines": [_path(line), _path(learned)],
        "across": [(round(_x(across * step, wide), 1), f"{across * step:.1%}") for step in range(_STEPS + 1)],
        "up": [(round(_y(up * step, high), 1), f"{up * step:.1%}") for step in range(_STEPS + 1)],
        "rows": [_row(point, curve, tuning) for point in curve.points],
        "changed": curve.snippet is not None and curve.chosen != curve.written,
    }  # fmt: skip


def _dot(point: Point, curve: Curve, wide: float, high: float) -> Dot:
    low, most = point.band or (0.0, 0.0)
    value = point.setting.value
    short = "exact" if value is None else f"{value:f}"
    if point.setting.kind == "max_wrong_hits" and value is not None:
        short = f"\u2264{float(value):.1%}".replace(".0%", "%")
    title = f"{point.setting.label}: {share(point.hit_rate)} hits, {share(point.wrong_share, 2)} wrong ({band(point)})"
    return Dot(
        round(_x(point.wrong_share or 0.0, wide), 1), round(_y(point.hit_rate, high), 1), round(_x(low, wide), 1),
        round(_x(most, wide), 1), point.setting.kind, point.setting == curve.chosen, point.setting == curve.written,
        short, title,
    )  # fmt: skip


def _named(dots: list[Dot]) -> list[Dot]:
    """The dots, with labels only where they do not cover another; those that matter come first."""
    named: list[Dot] = []
    for dot in sorted(dots, key=lambda dot: (not dot.chosen, not dot.written, dot.y)):
        if all(abs(dot.y - other.y) > _LABEL_HIGH or abs(dot.x - other.x) > _LABEL_WIDE for other in named):
            named.append(dot)
    return [dot if dot in named else replace(dot, label="") for dot in dots]


def _x(wrong: float, wide: float) -> float:
    return _LEFT + min(wrong, wide) / wide * (_WIDTH - _LEFT - _RIGHT)


def _y(hits: float, high: float) -> float:
    return _HEIGHT - _BOTTOM - hits / high * (_HEIGHT - _BOTTOM - _TOP)


def _step(top: float) -> float:
    """The round number of which `_STEPS` reach the top."""
    size = 10.0 ** floor(log10(top / _STEPS))
    return next(size * step for step in (1, 2, 2.5, 5, 10) if size * step * _STEPS >= top - 1e-12)


def coded(text: str) -> Markup:
    """What stands in backticks as code; the rest escaped."""
    parts = text.split("`")
    made = [Markup("<code>{}</code>").format(part) if odd % 2 else escape(part) for odd, part in enumerate(parts)]
    return Markup("").join(made)


def _path(dots: list[Dot]) -> str:
    return " ".join(f"{dot.x},{dot.y}" for dot in sorted(dots, key=lambda dot: dot.y))


def _row(point: Point, curve: Curve, tuning: Tuning) -> dict[str, Any]:
    return {
        "label": point.setting.label,
        "chosen": point.setting == curve.chosen,
        "written": point.setting == curve.written,
        "keeps": point.keeps(tuning.limit),
        "hits": share(point.hit_rate),
        "wrong": share(point.wrong_share, 2),
        "band": band(point),
        "worst": share(point.worst, 2),
        "net": money(point.net, curve.points),
    }
