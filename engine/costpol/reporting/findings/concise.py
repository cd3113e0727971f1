"""One line per finding: `file:line:column: severity CODE name: message`."""

from __future__ import annotations

from collections.abc import Sequence

from costpol.diagnostics import Diagnostic
from costpol.reporting.terminal import visible


def headline(diagnostic: Diagnostic) -> str:
    """Where and what, in one line; `[*]` says that `--fix` mends it."""
    span = diagnostic.span
    place = f"{visible(span.file)}:{span.line}:{span.column}: " if span.file else ""
    fixable = "[*]" if diagnostic.fix is not None and diagnostic.fix.safe else ""
    what = f"{diagnostic.severity.value} {diagnostic.code}{fixable} {diagnostic.name}"
    return f"{place}{what}: {visible(diagnostic.message)}"


def render_concise(diagnostics: Sequence[Diagnostic]) -> str:
    """A line for each finding."""
    return "\n".join(headline(diagnostic) for diagnostic in diagnostics)
