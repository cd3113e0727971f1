"""Findings as a JSON list: `{code, name, severity, file, line, column, message, help}` each, and what else is known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from costpol.diagnostics import Diagnostic, Span


def render_json(diagnostics: Sequence[Diagnostic]) -> str:
    """A list, also where nothing was found."""
    return json.dumps([_finding(diagnostic) for diagnostic in diagnostics], indent=2)


def _finding(diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        "code": diagnostic.code,
        "name": diagnostic.name,
        "severity": diagnostic.severity.value,
        **_place(diagnostic.span),
        "message": diagnostic.message,
        "help": diagnostic.help,
        "why": diagnostic.why,
        "related": [_place(related.span) | {"message": related.message} for related in diagnostic.related],
    }


def _place(span: Span) -> dict[str, Any]:
    return {
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }
