"""Edits that take something out of a policy file and leave nothing of it behind."""

from __future__ import annotations

import re
from functools import lru_cache

from costpol.diagnostics import Edit, Span
from costpol.lint.suppressions import Suppression

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_ITEM = re.compile(r"\s*-\s+")
_NOTHING = re.compile(r"\s*(#.*)?")


@lru_cache(maxsize=8)
def _lines(text: str) -> list[str]:
    """The lines of a file: many findings may be about one."""
    return _LINE_BREAK.split(text)


def without_code(text: str, comment: Suppression, code: str) -> Edit:
    """A suppression without one of its codes; no comment where it has no other, no line where it had its own."""
    file, line = comment.span.file, comment.span.line
    written = _lines(text)[line - 1]
    before = written[: comment.span.column - 1]
    others = [each for each in comment.codes if each != code]
    if others:
        listed = re.sub(r"\[[^\]]*\]", lambda _: f"[{', '.join(others)}]", written[len(before) :], count=1)
        return Edit(comment.span, listed)
    if before.strip():
        return Edit(Span(file, line, len(before.rstrip()) + 1, line, len(written) + 1), "")
    return Edit(Span(file, line, 1, line + 1, 1), "")


def without_item(text: str, span: Span) -> Edit | None:
    """A list without the item that stands at a span; `None` where the item shares a line with something else."""
    lines = _lines(text)
    before = lines[span.line - 1][: span.column - 1]
    after = lines[span.end_line - 1][span.end_column - 1 :]
    if not _ITEM.fullmatch(before) or not _NOTHING.fullmatch(after):
        return None
    return Edit(Span(span.file, span.line, 1, span.end_line + 1, 1), "")
