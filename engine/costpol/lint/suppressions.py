"""`# costpol: ignore[CP401] reason`: findings that a policy's author has looked at and accepts.

It stands at the end of the line that it is about, or on lines of its own directly above. Codes are listed, never left
out. What leaks (`CP3xx`) needs somebody who answers for it: `approved_by=NAME` among the words of the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from costpol.diagnostics import Diagnostic, Span

_COMMENT = re.compile(r"(?:^|(?<=\s))#\s*costpol:\s*ignore\b(?P<rest>.*)$")
_CODES = re.compile(r"\[(?P<codes>[^\]]*)\](?P<reason>.*)$")
_APPROVAL = re.compile(r"\bapproved_by=(?P<name>\S+)")


@dataclass(frozen=True, slots=True)
class Suppression:
    """One comment. `line` is the line whose findings it is about."""

    span: Span
    line: int
    codes: tuple[str, ...]
    """Codes or names of rules, as written."""
    reason: str
    approved_by: str | None

    def accepts(self, finding: Diagnostic) -> bool:
        """Whether the comment is about this finding, and says enough to accept it."""
        return self.names(finding) and bool(self.reason) and (self.approved_by is not None or not leaks(finding.code))

    def names(self, finding: Diagnostic) -> bool:
        """Whether the comment is about this finding."""
        here = (finding.span.file, finding.span.line) == (self.span.file, self.line)
        return here and (finding.code in self.codes or finding.name in self.codes)


def leaks(code: str) -> bool:
    """Whether findings of this code are about answers that reach somebody else."""
    return code.startswith("CP3")


def suppressions(files: Mapping[str, str]) -> list[Suppression]:
    """Every suppression in the texts of a policy."""
    return [found for file, text in files.items() for found in _in_file(file, text.splitlines())]


def accepted(findings: Iterable[Diagnostic], comments: Iterable[Suppression]) -> set[int]:
    """The positions of the findings that some comment accepts."""
    written = list(comments)
    return {i for i, finding in enumerate(findings) if any(comment.accepts(finding) for comment in written)}


def _in_file(file: str, lines: list[str]) -> Iterable[Suppression]:
    for number, line in enumerate(lines, start=1):
        comment = _COMMENT.search(line)
        if comment is None:
            continue
        listed = _CODES.match(comment["rest"].strip())
        codes = tuple(code.strip() for code in listed["codes"].split(",") if code.strip()) if listed else ()
        reason = (listed["reason"] if listed else "").strip()
        approval = _APPROVAL.search(reason)
        about = number if line[: comment.start()].strip() else _next_content(lines, number)
        span = Span(file, number, comment.start() + 1, number, len(line) + 1)
        words = _APPROVAL.sub("", reason).strip(" ,;:-")
        yield Suppression(span, about, codes, words, approval["name"] if approval else None)


def _next_content(lines: list[str], number: int) -> int:
    """The first line after a line of comment that holds more than a comment."""
    for following in range(number, len(lines)):
        content = lines[following].strip()
        if content and not content.startswith("#"):
            return following + 1
    return number
