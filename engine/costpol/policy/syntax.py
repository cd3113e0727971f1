"""What libyaml complains about, in the words and at the place of whoever has to mend it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from costpol.diagnostics import Diagnostic, Related, Span
from costpol.policy import codes

LINE_BREAK = re.compile(r"\r\n|\r|\n")
"""What ends a line in a policy file."""


@dataclass(frozen=True, slots=True)
class _Complaint:
    """A part of libyaml's message; ours, with the character at the place for `{}`, and how to mend it. `start` says
    that the place is where the construct starts; else that is shown as a second place, if it has a name in `opened`."""

    problem: str
    context: str
    message: str
    help: str
    start: bool = False
    opened: str | None = None


_QUOTE = "put text that starts with this character in quotes"
_COMPLAINTS = (
    _Complaint("found unexpected", "quoted scalar", "this quote is never closed", "add the closing quote", start=True),
    _Complaint(
        "unknown escape", "", "this escape is unknown", "write `\\\\` for a backslash, or put the text in single quotes"
    ),
    _Complaint(
        "expected ','", "flow sequence", "expected `,` or `]` here", "close the list, or add the missing comma",
        opened="the list opens here",
    ),
    _Complaint(
        "expected ','", "flow mapping", "expected `,` or `}}` here", "close the mapping, or add the missing comma",
        opened="the mapping opens here",
    ),
    _Complaint(
        "could not find expected ':'", "", "a key without its colon",
        "write `key: value`, with a space after the colon", start=True,
    ),
    _Complaint(
        "mapping values are not allowed", "", "a mapping cannot start here",
        "put text that contains `: ` in quotes, write a space after each colon, and check the indentation",
    ),
    _Complaint("cannot start any token", "", "text cannot start with `{}`", _QUOTE),
    _Complaint("alphabetic or numeric", "", "text cannot start with `{}`", _QUOTE, start=True),
    _Complaint("sequence entries are not allowed", "", "a list cannot start here", "start it on a line of its own"),
    _Complaint(
        "expected '-'", "", "expected the next `- ` of the list here",
        "check the indentation: keys of one mapping start in one column, and so do the items of a list",
    ),
    _Complaint(
        "expected key", "", "expected a key, or the end, here",
        "keys of one mapping start in one column, and nothing follows a closed quote or bracket",
    ),
    _Complaint(
        "<document start>", "", "the mapping has ended before this", "write one mapping per file, nothing after `...`"
    ),
)  # fmt: skip


def syntax_error(error: Exception, file: str, text: str) -> Diagnostic:
    """The finding for a `YAMLError` that libyaml raised over a text."""
    problem, context = (str(getattr(error, name, None) or "") for name in ("problem", "context"))
    known = next((each for each in _COMPLAINTS if each.problem in problem and each.context in context), None)
    problem_at, context_at = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    lines = LINE_BREAK.split(text)
    place = _place((context_at if known and known.start else None) or problem_at or context_at, lines, file)
    character = lines[place.line - 1][place.column - 1 : place.column]
    if character == "\t" and not (known and known.start):
        return codes.YAML_SYNTAX.at(place, "a tab outside of quoted text", "indent with spaces")
    if known is None:
        return codes.YAML_SYNTAX.at(
            place, f"this is not valid YAML: {problem or 'it cannot be read'}", "check quotes, brackets and indentation"
        )
    related = (Related(_place(context_at, lines, file), known.opened),) if known.opened and context_at else ()
    return codes.YAML_SYNTAX.at(place, known.message.format(character), known.help, related=related)


def _place(mark: Any, lines: list[str], file: str) -> Span:
    """The character at a mark; the end of the file where libyaml points behind it."""
    line = min(mark.line, len(lines) - 1) if mark else 0
    column = min(mark.column, len(lines[line])) if mark else 0
    return Span(file, line + 1, column + 1, line + 1, min(column + 1, len(lines[line])) + 1)
