"""Findings as people read them: the line, a caret under the place, why it matters, how to mend it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from costpol.diagnostics import Diagnostic, Severity
from costpol.reporting.findings.concise import headline
from costpol.reporting.findings.snippet import Mark, snippet
from costpol.reporting.terminal import visible

_COLORS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "36"}


def render_full(diagnostics: Sequence[Diagnostic], files: Mapping[str, str], *, color: bool = False) -> str:
    """Every finding with its lines, separated by empty lines."""
    return "\n\n".join(_finding(diagnostic, files, color) for diagnostic in diagnostics)


def _finding(diagnostic: Diagnostic, files: Mapping[str, str], color: bool) -> str:
    span = diagnostic.span
    marks = [Mark(span, diagnostic.label or "", "^")]
    elsewhere = []
    for related in diagnostic.related:
        if related.span.file == span.file:
            marks.append(Mark(related.span, related.message, "-"))
        else:
            elsewhere.append(related)
    gutter = len(str(max(mark.span.line for mark in marks))) + 1
    body: list[str] = []
    if span.file in files:
        lines = snippet(marks, files[span.file], gutter)
        body = [f"{'':>{gutter}} |", *lines] if lines else []
    notes = [
        *(f"{visible(r.span.file)}:{r.span.line}:{r.span.column}: {visible(r.message)}" for r in elsewhere),
        *([f"why: {visible(diagnostic.why)}"] if diagnostic.why else []),
        *([f"help: {visible(diagnostic.help)}"] if diagnostic.help else []),
    ]
    head = headline(diagnostic)
    if color:
        paint = _COLORS[diagnostic.severity]
        title = head.removeprefix(f"{visible(span.file)}:{span.line}:{span.column}: ").partition(":")[0]
        head = head.replace(title, f"\x1b[1;{paint}m{title}\x1b[0m", 1)
        body = [_painted(line, paint) for line in body]
    return "\n".join([head, *body, *(f"{'':>{gutter}} = {note}" for note in notes)])


def _painted(line: str, paint: str) -> str:
    """An underline in colour; the lines of the file stay as they are."""
    gutter, bar, rest = line.partition(" | ")
    if gutter.strip() or not rest.lstrip().startswith(("^", "-")):
        return line
    return f"{gutter}{bar}\x1b[{paint}m{rest}\x1b[0m"
