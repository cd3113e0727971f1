"""Findings as SARIF 2.1.0, which code scanning services take."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from costpol import __version__
from costpol.diagnostics import Diagnostic, Fix, Severity, Span

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render_sarif(diagnostics: Sequence[Diagnostic]) -> str:
    """One run with one result per finding."""
    rules = {diagnostic.code: diagnostic for diagnostic in diagnostics}
    order = {code: i for i, code in enumerate(sorted(rules))}
    driver = {
        "name": "costpol",
        "version": __version__,
        "rules": [_rule(rules[code]) for code in order],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(diagnostic, order[diagnostic.code]) for diagnostic in diagnostics],
    }
    return _log(run)


def render_sarif_failure(message: str) -> str:
    """A run that came to nothing, and why."""
    notification = {"level": "error", "message": {"text": message}}
    invocation = {"executionSuccessful": False, "toolExecutionNotifications": [notification]}
    driver = {"name": "costpol", "version": __version__}
    return _log({"tool": {"driver": driver}, "invocations": [invocation], "results": []})


def _log(run: dict[str, Any]) -> str:
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        "id": diagnostic.code,
        "name": diagnostic.name,
        "shortDescription": {"text": diagnostic.name.replace("-", " ")},
        "help": {"text": f"`costpol rule {diagnostic.code}` says what it means and how to mend it"},
        "defaultConfiguration": {"level": _LEVELS[diagnostic.severity]},
    }


def _result(diagnostic: Diagnostic, rule: int) -> dict[str, Any]:
    parts = (diagnostic.message, diagnostic.why, diagnostic.help)
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": _LEVELS[diagnostic.severity],
        "message": {"text": "; ".join(part for part in parts if part)},
        "partialFingerprints": {"finding/v1": _fingerprint(diagnostic)},
    }
    if diagnostic.span.file:
        result["locations"] = [_location(diagnostic.span)]
    related = [
        _location(item.span) | {"message": {"text": item.message}} for item in diagnostic.related if item.span.file
    ]
    if related:
        result["relatedLocations"] = related
    if diagnostic.fix is not None:
        result["fixes"] = [_fix(diagnostic.fix)]
    return result


def _fix(fix: Fix) -> dict[str, Any]:
    changes = [
        {
            "artifactLocation": {"uri": quote(edit.span.file)},
            "replacements": [{"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}}],
        }
        for edit in fix.edits
    ]
    return {"description": {"text": fix.description}, "artifactChanges": changes}


def _location(span: Span) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": {"uri": quote(span.file)}, "region": _region(span)}}


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _fingerprint(diagnostic: Diagnostic) -> str:
    """The same finding after lines have moved."""
    return sha256(f"{diagnostic.code}\0{diagnostic.span.file}\0{diagnostic.message}".encode()).hexdigest()[:32]
