"""Findings as a JSON list: `{code, name, severity, file, line, column, message, help}` each, and what else is known.

`fix` is `null`, or `{description, safe, edits}`: each edit writes `text` in place of what stands between two places.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from costpol.diagnostics import Diagnostic, Fix, Span


def render_json(diagnostics: Sequence[Diagnostic]) -> str:
    """A list, also where nothing was found."""
    return json.dumps([finding_data(diagnostic) for diagnostic in diagnostics], indent=2)


def finding_data(diagnostic: Diagnostic) -> dict[str, Any]:
    """A finding as plain data."""
    return {
        "code": diagnostic.code,
        "name": diagnostic.name,
        "severity": diagnostic.severity.value,
        **_place(diagnostic.span),
        "message": diagnostic.message,
        "help": diagnostic.help,
        "why": diagnostic.why,
        "fix": None if diagnostic.fix is None else _fix(diagnostic.fix),
        "related": [_place(related.span) | {"message": related.message} for related in diagnostic.related],
    }


def _fix(fix: Fix) -> dict[str, Any]:
    edits = [_place(edit.span) | {"text": edit.text} for edit in fix.edits]
    return {"description": fix.description, "safe": fix.safe, "edits": edits}


def _place(span: Span) -> dict[str, Any]:
    return {
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }
