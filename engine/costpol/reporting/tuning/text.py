"""The report for a terminal: per intent a row per setting, with its hits as a bar and its wrong hits as a band."""

from __future__ import annotations

from typing import TYPE_CHECKING

from costpol.reporting.terminal import printed, visible
from costpol.reporting.tuning.figures import Curve, Point, Suspect, Tuning
from costpol.reporting.tuning.words import band, money, notes, share, verdict

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 110
_BAR, _STRIP = 16, 28
_SUSPECTS = 8


def render_text(tuning: Tuning, *, color: bool = False) -> str:
    """The whole report, at most `WIDTH` columns wide."""
    return printed(lambda console: _report(console, tuning), WIDTH, color=color)


def _report(console: Console, tuning: Tuning) -> None:
    console.print(f"costpol tune   policy {tuning.policy[:12]}", style="bold")
    console.print(
        f"{tuning.requests:,} requests, embedder {tuning.embedder or 'none'}, at most "
        f"{share(float(tuning.limit))} wrong hits", style="dim",
    )  # fmt: skip
    for curve in tuning.curves:
        _curve(console, curve, tuning)
    console.print()
    for note in notes(tuning):
        console.print(f"- {visible(note)}", style="dim")


def _curve(console: Console, curve: Curve, tuning: Tuning) -> None:
    from rich.table import Table

    console.print()
    console.print(f"{visible(curve.intent)}   {curve.requests:,} requests", style="bold")
    top = reach(curve.points, float(tuning.limit))
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name in ("setting", "hits", "", "wrong", "90 % band", f"0 to {top:.0%}, | is the limit", "saves"):
        right = name in ("hits", "wrong", "90 % band", "saves")
        table.add_column(name, justify="right" if right else "left", no_wrap=True)
    most = max([point.hit_rate for point in curve.points] + [1e-9])
    for point in curve.points:
        mark = ">" if point.setting == curve.chosen else "*" if point.setting == curve.written else " "
        style = "bold green" if point.setting == curve.chosen else "" if point.keeps(tuning.limit) else "dim"
        table.add_row(
            f"{mark} {point.setting.label}", share(point.hit_rate), "█" * round(point.hit_rate / most * _BAR),
            share(point.wrong_share, 2), band(point), strip(point, top, float(tuning.limit)),
            money(point.net, curve.points), style=style,
        )  # fmt: skip
    console.print(table)
    console.print(f"  > recommended, * as the policy has it: {verdict(curve, tuning)}")
    if curve.snippet is not None and curve.chosen != curve.written:
        for line in curve.snippet.splitlines():
            console.print(f"      {visible(line)}", style="cyan")
    if curve.suspects:
        console.print("  the most suspicious hits:", style="dim")
    for suspect in curve.suspects[:_SUSPECTS]:
        _suspect(console, suspect)


def reach(points: tuple[Point, ...], limit: float) -> float:
    """The share of wrong hits up to which bands are drawn."""
    ends = [point.wrong_share for point in points if point.wrong_share is not None]
    return min(1.0, max([2 * limit, 0.02, *(1.2 * end for end in ends)]))


def strip(point: Point, top: float, limit: float) -> str:
    """A band on a line from 0 to `top`: `  |--o---   `."""
    cells = [" "] * _STRIP

    def place(share: float) -> int:
        return min(_STRIP - 1, int(min(share, top) / top * (_STRIP - 1) + 0.5))

    if point.band is not None and point.wrong_share is not None:
        for cell in range(place(point.band[0]), place(point.band[1]) + 1):
            cells[cell] = "─"
        cells[place(point.wrong_share)] = "●"
    if cells[place(limit)] != "●":
        cells[place(limit)] = "|" if cells[place(limit)] == " " else "┼"
    return "".join(cells)


def _suspect(console: Console, suspect: Suspect) -> None:
    known = {True: "right", False: "wrong", None: "unknown"}[suspect.right]
    sure = "" if suspect.probability is None else f", {share(suspect.probability)} sure"
    often = "" if suspect.hits == 1 else f", {suspect.hits:,} such hits"
    console.print(f"  {known:>8}  cosine {suspect.similarity:.3f}{sure}, request {visible(suspect.request)}{often}")
    for asked, answered in ((suspect.question, suspect.answer), (suspect.kept_question, suspect.kept_answer)):
        if asked is not None:
            tail = "" if answered is None else f"  ->  {visible(answered)}"
            console.print(f"            {visible(asked)}{tail}", style="dim", no_wrap=True, overflow="ellipsis")
