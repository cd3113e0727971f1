"""Findings as GitHub workflow commands, which annotate the changed lines of a pull request.

GitHub shows ten errors and ten warnings per step: the gravest come first, and a last line in the log has the total.
"""

from __future__ import annotations

from collections.abc import Sequence

from costpol.diagnostics import Diagnostic, Severity

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render_github(diagnostics: Sequence[Diagnostic]) -> str:
    """A workflow command per finding."""
    gravest_first = sorted(diagnostics, key=lambda diagnostic: (diagnostic.severity.rank, diagnostic.sort_key))
    lines = [_command(diagnostic) for diagnostic in gravest_first]
    return "\n".join([*lines, f"{len(lines)} finding{'s' * (len(lines) > 1)}"] if lines else [])


def render_github_failure(message: str) -> str:
    """The command that says why nothing was checked."""
    return f"::error title=costpol::{_data(message)}"


def _command(diagnostic: Diagnostic) -> str:
    span = diagnostic.span
    place = {"file": span.file, "line": span.line, "endLine": span.end_line, "col": span.column}
    if span.end_line == span.line:  # GitHub takes columns within one line only
        place["endColumn"] = span.end_column
    place["title"] = f"{diagnostic.code} {diagnostic.name}"
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in place.items() if value != "")
    text = diagnostic.message if diagnostic.help is None else f"{diagnostic.message}\nhelp: {diagnostic.help}"
    return f"::{_COMMANDS[diagnostic.severity]} {properties}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
