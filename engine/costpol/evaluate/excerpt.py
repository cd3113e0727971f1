"""A piece of a policy as its author spelled it, on one line."""

from __future__ import annotations

from collections.abc import Mapping

from costpol.diagnostics import Span


def shorten(text: str, limit: int) -> str:
    """Text on one line, at most so many characters."""
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def excerpt(span: Span, files: Mapping[str, str], limit: int) -> str | None:
    """What stands at a place; `None` where the place is in none of the files."""
    lines = files.get(span.file, "").splitlines()[span.line - 1 : span.end_line]
    if not lines:
        return None
    if span.line == span.end_line:
        return shorten(lines[0][span.column - 1 : span.end_column - 1], limit)
    last = lines[-1][: span.end_column - 1] if len(lines) == span.end_line - span.line + 1 else lines[-1]
    return shorten(" ".join([lines[0][span.column - 1 :], *lines[1:-1], last]), limit)
