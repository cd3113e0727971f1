"""Diagnostics as strings: for people (`full`, `concise`) and for machines (`json`, `sarif`, `github`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from costpol.diagnostics import Diagnostic

FORMATS = ("full", "concise", "json", "sarif", "github")


def render(
    diagnostics: Sequence[Diagnostic], files: Mapping[str, str], format: str = "full", *, color: bool = False
) -> str:
    """All findings in one of `FORMATS`, without a last line break. `files` holds the text of each file, for carets."""
    if format == "full":
        from costpol.reporting.findings.full import render_full

        return render_full(diagnostics, files, color=color)
    if format == "concise":
        from costpol.reporting.findings.concise import render_concise

        return render_concise(diagnostics)
    if format == "json":
        from costpol.reporting.findings.json import render_json

        return render_json(diagnostics)
    if format == "sarif":
        from costpol.reporting.findings.sarif import render_sarif

        return render_sarif(diagnostics)
    if format == "github":
        from costpol.reporting.findings.github import render_github

        return render_github(diagnostics)
    raise ValueError(f"there is no format `{format}`")


def summary(diagnostics: Sequence[Diagnostic]) -> str:
    """`2 errors, 1 warning`, or `no findings`."""
    counts: dict[str, int] = {}
    for diagnostic in sorted(diagnostics, key=lambda diagnostic: diagnostic.severity.rank):
        counts[diagnostic.severity.value] = counts.get(diagnostic.severity.value, 0) + 1
    plurals = {"error": "errors", "warning": "warnings", "info": "notes"}
    singular = {"error": "error", "warning": "warning", "info": "note"}
    parts = [f"{count} {singular[name] if count == 1 else plurals[name]}" for name, count in counts.items()]
    return ", ".join(parts) or "no findings"
