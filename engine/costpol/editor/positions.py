"""Places in a text: editors count columns from 0, most of them in UTF-16 code units; spans in code points from 1."""

from __future__ import annotations

import re
from dataclasses import dataclass

from costpol.diagnostics import Span

UTF_16 = "utf-16"
"""How a client counts columns that does not say another way; the others are `utf-8` and `utf-32`."""
_LINE_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """A place between two characters: line and column from 0, columns in code points."""

    line: int
    column: int


def split_lines(text: str) -> list[str]:
    """The lines of a text, without their breaks; at least one."""
    return _LINE_BREAK.split(text)


def client_column(line: str, column: int, encoding: str = UTF_16) -> int:
    """A column as the client counts it, of a column in code points."""
    return sum(_width(character, encoding) for character in line[:column])


def code_point_column(line: str, units: int, encoding: str = UTF_16) -> int:
    """The column in code points of one as the client counts it; inside of a character, that of the character."""
    column = 0
    for character in line:
        units -= _width(character, encoding)
        if units < 0:
            break
        column += 1
    return column


def _width(character: str, encoding: str) -> int:
    if encoding == "utf-32":
        return 1
    if encoding == "utf-8":
        return len(character.encode(errors="surrogatepass"))
    return 2 if character > "\uffff" else 1


def span_of(file: str, line: int, start: int, end: int) -> Span:
    """The span of part of one line, all counted from 0."""
    return Span(file, line + 1, start + 1, line + 1, end + 1)


def holds(span: Span, point: Point) -> bool:
    """Whether a point lies in a span or at one of its ends."""
    at = (point.line + 1, point.column + 1)
    return (span.line, span.column) <= at <= (span.end_line, span.end_column)
