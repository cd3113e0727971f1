"""The report as Markdown, for a pull request."""

from __future__ import annotations

from costpol.reporting.terminal import visible
from costpol.reporting.tuning.figures import Curve, Tuning
from costpol.reporting.tuning.words import band, money, notes, share, verdict

_SUSPECTS = 10


def render_markdown(tuning: Tuning) -> str:
    """The whole report; what comes from a log is escaped."""
    parts = [f"**costpol tune**: {tuning.requests:,} requests, at most {share(float(tuning.limit))} wrong hits"]
    for curve in tuning.curves:
        parts += _curve(curve, tuning)
    listed = "\n".join(f"- {_escaped(note)}" for note in notes(tuning))
    parts.append(f"<details><summary>What these figures rest on</summary>\n\n{listed}\n\n</details>")
    return "\n\n".join(parts)


def _curve(curve: Curve, tuning: Tuning) -> list[str]:
    rows = ["| setting | hits | wrong | 90 % band | saves |", "| --- | ---: | ---: | ---: | ---: |"]
    for point in curve.points:
        mark = " **(recommended)**" if point.setting == curve.chosen else ""
        mark += " (as it is)" if point.setting == curve.written else ""
        figures = (share(point.hit_rate), share(point.wrong_share, 2), band(point), money(point.net, curve.points))
        rows.append(f"| `{point.setting.label}`{mark} | {' | '.join(figures)} |")
    parts = [f"### {_escaped(curve.intent)}", _sentence(verdict(curve, tuning)), "\n".join(rows)]
    if curve.snippet is not None and curve.chosen != curve.written:
        parts.append(f"```yaml\n{curve.snippet}\n```")
    if curve.suspects:
        rows = ["| right | hits | cosine | asked | answered from |", "| --- | ---: | ---: | --- | --- |"]
        for suspect in curve.suspects[:_SUSPECTS]:
            right = {True: "yes", False: "no", None: "?"}[suspect.right]
            asked, kept = _escaped(suspect.question or suspect.request), _escaped(suspect.kept_question or "")
            rows.append(f"| {right} | {suspect.hits:,} | {suspect.similarity:.3f} | {asked} | {kept} |")
        table = "\n".join(rows)
        parts.append(f"<details><summary>The most suspicious hits</summary>\n\n{table}\n\n</details>")
    return parts


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _escaped(text: str) -> str:
    shown = visible(text)
    for character in "\\`*_[]<>|#!":
        shown = shown.replace(character, f"\\{character}")
    return shown
