"""A policy as it probably was meant: the errors that keep it from loading are mended by their fixes, in memory only.

What is found then would be found as well once the author has mended them; its places are those of the files as written.
What stands on a guess itself is left out, and so is what only a guess brings about at its own place.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from costpol.diagnostics import Diagnostic, Edit, Span
from costpol.policy import codes
from costpol.policy.syntax import LINE_BREAK

_MARK = b"\xef\xbb\xbf"
_NEAR = 20
_COLON = re.compile(r"\s*:\s*")
_MISSPELT = frozenset((codes.UNKNOWN_KEY.code, codes.UNDEFINED_REFERENCE.code))
"""Of what stands before a colon, only this is mended: a new name for what is declared would break its uses."""


@dataclass(frozen=True, slots=True)
class _Text:
    """A text and where its lines start."""

    text: str
    starts: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> _Text:
        return cls(text, (0, *(found.end() for found in LINE_BREAK.finditer(text))))

    def offset(self, line: int, column: int) -> int:
        """The character at a place; the end of the text where it has no such line."""
        return min(self.starts[line - 1] + column - 1, len(self.text)) if line <= len(self.starts) else len(self.text)

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of a character."""
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1


@dataclass(frozen=True, slots=True)
class _Change:
    """One file before and after: what was put in place of what, as (start, end, start after, end after)."""

    before: _Text
    after: _Text
    changes: tuple[tuple[int, int, int, int], ...]

    def back(self, offset: int) -> int | None:
        """The character of the text before; `None` for one that was put in."""
        moved = 0
        for _, end, start_after, end_after in self.changes:
            if offset < start_after:
                break
            if offset < end_after or (start_after == end_after == offset) or self._value(end_after, offset):
                return None
            moved = end - end_after
        return offset + moved

    def _value(self, key: int, offset: int) -> bool:
        """Whether a character begins the value of a key that ends at another."""
        return offset - key < _NEAR and _COLON.fullmatch(self.after.text, key, offset) is not None

    def span(self, span: Span) -> Span | None:
        """A place in the text before; `None` where it begins with something that was put in, or with its value."""
        start = self.back(self.after.offset(span.line, span.column))
        last = self.after.offset(span.end_line, span.end_column)
        end = self.back(last) if start is not None else None
        if start is None:
            return None
        line, column = self.before.place(start)
        end_line, end_column = self.before.place(end) if end is not None and end >= start else (line, column + 1)
        return Span(span.file, line, column, end_line, end_column)


@dataclass(frozen=True, slots=True)
class Repair:
    """The files with the fixes of some findings, and the way back."""

    files: Mapping[str, bytes]
    changes: Mapping[str, _Change]

    def as_written(self, finding: Diagnostic) -> Diagnostic | None:
        """A finding about the mended files at its place in those that were written; `None` where it stands on a fix."""
        span = self._span(finding.span)
        if span is None:
            return None
        related = [(each, self._span(each.span)) for each in finding.related]
        fix = finding.fix
        if fix is not None:
            edits = [(edit, self._span(edit.span)) for edit in fix.edits]
            moved = tuple(replace(edit, span=place) for edit, place in edits if place is not None)
            fix = replace(fix, edits=moved) if len(moved) == len(edits) else None
        return replace(
            finding,
            span=span,
            related=tuple(replace(each, span=place) for each, place in related if place is not None),
            fix=fix,
        )

    def _span(self, span: Span) -> Span | None:
        change = self.changes.get(span.file)
        return span if change is None else change.span(span)


def repair(files: Mapping[str, bytes], findings: Iterable[Diagnostic]) -> Repair | None:
    """The files with the fixes of these findings, of two that touch the first; `None` where there is none."""
    edits: dict[str, list[tuple[Edit, bool]]] = {}
    for finding in findings:
        for edit in finding.fix.edits if finding.fix is not None else ():
            edits.setdefault(edit.span.file, []).append((edit, finding.code in _MISSPELT))
    changes = {name: _changed(files[name], listed) for name, listed in edits.items() if name in files}
    changes = {name: change for name, change in changes.items() if change.changes}
    if not changes:
        return None
    mended = {name: change.after.text.encode() for name, change in changes.items()}
    return Repair({**files, **mended}, changes)


def _changed(data: bytes, edits: Iterable[tuple[Edit, bool]]) -> _Change:
    before = _Text.of(data.removeprefix(_MARK).decode())
    places: list[tuple[int, int, Edit]] = []
    for edit, misspelt in edits:
        start, end = (
            before.offset(line, column) for line, column in (edit.span[1:3], edit.span[3:5])
        )  # fmt: skip
        if misspelt or start == end or _COLON.match(before.text, end) is None:
            places.append((start, end, edit))
    places.sort(key=lambda place: place[:2])
    parts: list[str] = []
    changes: list[tuple[int, int, int, int]] = []
    at = size = 0
    for start, end, edit in places:
        if start < at or (changes and start == changes[-1][0]):
            continue
        kept = before.text[at:start]
        parts += [kept, edit.text]
        changes.append((start, end, size + len(kept), size + len(kept) + len(edit.text)))
        size += len(kept) + len(edit.text)
        at = end
    parts.append(before.text[at:])
    return _Change(before, _Text.of("".join(parts)), tuple(changes))
