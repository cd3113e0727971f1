"""Findings as JSON Lines: one object per line, as `json` has them in its list."""

from __future__ import annotations

import json
from collections.abc import Sequence

from costpol.diagnostics import Diagnostic
from costpol.reporting.findings.json import finding_data


def render_jsonl(diagnostics: Sequence[Diagnostic]) -> str:
    """A line for each finding; nothing where nothing was found."""
    return "\n".join(json.dumps(finding_data(diagnostic)) for diagnostic in diagnostics)
