"""Diagnostics as strings: `full` and `concise` for people, the other formats for machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from costpol.diagnostics import Diagnostic

FORMATS = ("full", "concise", "json", "jsonl", "sarif", "github", "junit")


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
    if format == "jsonl":
        from costpol.reporting.findings.jsonl import render_jsonl

        return render_jsonl(diagnostics)
    if format == "junit":
        from costpol.reporting.findings.junit import render_junit

        return render_junit(diagnostics, files)
    if format == "sarif":
        from costpol.reporting.findings.sarif import render_sarif

        return render_sarif(diagnostics)
    if format == "github":
        from costpol.reporting.findings.github import render_github

        return render_github(diagnostics)
    raise ValueError(f"there is no format `{format}`")


def render_failure(message: str, help: str | None, format: str) -> str | None:
    """Why there are no findings to show, where a format is read by machines; `None` where it is read by people."""
    if format in ("json", "jsonl"):
        import json

        return json.dumps({"error": message, "help": help})
    if format == "sarif":
        from costpol.reporting.findings.sarif import render_sarif_failure

        return render_sarif_failure(message)
    if format == "junit":
        from costpol.reporting.findings.junit import render_junit_failure

        return render_junit_failure(message)
    if format == "github":
        from costpol.reporting.findings.github import render_github_failure

        return render_github_failure(message)
    return None


def summary(diagnostics: Sequence[Diagnostic]) -> str:
    """`2 errors, 1 warning`, or `no findings`."""
    counts: dict[str, int] = {}
    for diagnostic in sorted(diagnostics, key=lambda diagnostic: diagnostic.severity.rank):
        counts[diagnostic.severity.value] = counts.get(diagnostic.severity.value, 0) + 1
    plurals = {"error": "errors", "warning": "warnings", "info": "notes"}
    singular = {"error": "error", "warning": "warning", "info": "note"}
    parts = [f"{count} {singular[name] if count == 1 else plurals[name]}" for name, count in counts.items()]
    return ", ".join(parts) or "no findings"
