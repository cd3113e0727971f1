"""Lines of a policy file with carets under a place, as a terminal shows them.

Carets are placed by display width: wide characters take two cells, combining marks none. What could move a terminal's
cursor, or turn its writing direction around, is shown as a replacement character.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from costpol.diagnostics import Span
from costpol.reporting.terminal import visible, width

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_SECRET = re.compile(r"\b(?:sk|pk|rk|gsk|xai|ghp|AIza)[-_]?[A-Za-z0-9_-]{12,}")
_WIDEST = 160
_LONGEST_SECRET = 1000


@dataclass(frozen=True, slots=True)
class Mark:
    """A place to underline, and what to say there. The place itself has `^`, what explains it has `-`."""

    span: Span
    label: str
    sign: str


def snippet(marks: list[Mark], text: str, gutter: int) -> list[str]:
    """The marked lines of one file in order, each followed by its underline."""
    lines = _lines(text)
    shown: list[str] = []
    for line in sorted({mark.span.line for mark in marks if 1 <= mark.span.line <= len(lines)}):
        content = lines[line - 1]
        here = sorted((mark for mark in marks if mark.span.line == line), key=lambda mark: mark.span.column)
        first = _window(content, here[0].span.column)
        around = max(0, first - _LONGEST_SECRET)
        masked = _SECRET.sub(_masked, content[around : first + _WIDEST + _LONGEST_SECRET])
        clipped = masked[first - around : first - around + _WIDEST]
        shown.append(f"{line:>{gutter}} | {visible(clipped)}".rstrip())
        shown += [f"{'':>{gutter}} | {_underline(mark, content, first)}" for mark in here]
    return shown


@lru_cache(maxsize=8)
def _lines(text: str) -> list[str]:
    """The lines of a file: many findings may be about one."""
    return _LINE_BREAK.split(text)


def _underline(mark: Mark, content: str, first: int) -> str:
    span = mark.span
    start = min(span.column - 1, len(content), first + _WIDEST)
    end = min(span.end_column - 1, len(content)) if span.end_line == span.line else len(content.rstrip())
    end = min(end, first + _WIDEST)
    cells = max(1, width(content[start:end]))
    return f"{' ' * width(content[first:start])}{mark.sign * cells} {visible(mark.label)}".rstrip()


def _masked(found: re.Match[str]) -> str:
    """A key that stands in a file where none should: reports are read by more people than files are."""
    return found[0][:6] + "*" * (len(found[0]) - 6)


def _window(content: str, column: int) -> int:
    """Where to start showing a line that is too long to be shown whole."""
    return 0 if len(content) <= _WIDEST or column <= _WIDEST // 2 else column - 1 - _WIDEST // 4
