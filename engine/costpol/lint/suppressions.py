"""`# costpol: ignore[CP401] reason`: findings that a policy's author has looked at and accepts.

It stands at the end of the line that it is about, or on lines of its own directly above. `disable[CP701] reason` is
about every line up to `enable[CP701]` or the end of the file, `disable-file[CP701] reason` about the whole file, and
stands before its first line of content. Codes are listed, never left out. What leaks
(`CP3xx`) needs somebody who answers for it: `approved_by=NAME` among the words of the reason.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from costpol.diagnostics import Diagnostic, Span

MOST = 500
"""How many suppressions of a policy are looked at."""
_COMMENT = re.compile(r"(?:^|(?<=\s))#\s*costpol:\s*(?P<verb>ignore|disable-file|disable|enable)\b(?P<rest>.*)$")
_CODES = re.compile(r"\[(?P<codes>[^\]]*)\](?P<reason>.*)$")
_APPROVAL = re.compile(r"\bapproved_by=(?P<name>\S+)")


ONLY_IN_A_LOG = frozenset(
    {
        "CP208", "unfired-rule", "CP408", "unprofitable-cache", "CP409", "wrong-cache-hits", "CP610",
        "oversized-budget", "CP611", "exhausted-budget", "CP707", "dominant-template",
    }
)  # fmt: skip
"""Findings of `costpol dry-run`: without a log nobody can say that such a suppression has nothing to accept."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """One comment. `line` is the line whose findings it is about, or the first of them; per code, `ends` has the
    last."""

    span: Span
    line: int
    ends: tuple[int, ...]
    codes: tuple[str, ...]
    """Codes or names of rules, as written."""
    reason: str
    approved_by: str | None

    def accepts(self, finding: Diagnostic) -> bool:
        """Whether the comment is about this finding, and says enough to accept it."""
        return self.names(finding) and bool(self.reason) and (self.approved_by is not None or not leaks(finding.code))

    def names(self, finding: Diagnostic) -> bool:
        """Whether the comment is about this finding."""
        if finding.span.file != self.span.file:
            return False
        return any(
            code in (finding.code, finding.name) and self.line <= finding.span.line <= end
            for code, end in zip(self.codes, self.ends, strict=True)
        )


def leaks(code: str) -> bool:
    """Whether findings of this code are about answers that reach somebody else."""
    return code.startswith("CP3")


def suppressions(files: Mapping[str, str]) -> list[Suppression]:
    """The suppressions in the texts of a policy, up to `MOST`: those beyond accept nothing."""
    likely = ((file, text) for file, text in files.items() if "costpol" in text)
    written = (found for file, text in likely for found in _in_file(file, text.splitlines()))
    return list(islice(written, MOST))


def accepted(findings: Iterable[Diagnostic], comments: Iterable[Suppression]) -> set[int]:
    """The positions of the findings that some comment accepts."""
    written = list(comments)
    return {i for i, finding in enumerate(findings) if any(comment.accepts(finding) for comment in written)}


def _in_file(file: str, lines: list[str]) -> Iterable[Suppression]:
    likely = ((n, line) for n, line in enumerate(lines, start=1) if "costpol" in line)
    written = [(n, match) for n, line in likely if (match := _COMMENT.search(line)) is not None]
    if not written:
        return
    following = _next_content(lines)
    enabled: dict[str, list[int]] = {}
    for number, match in written:
        for code in _codes(match) if match["verb"] == "enable" else ():
            enabled.setdefault(code, []).append(number)
    for number, comment in written:
        verb, line = comment["verb"], lines[number - 1]
        if verb == "enable":
            continue
        listed = _CODES.match(comment["rest"].strip())
        codes = _codes(comment)
        reason = (listed["reason"] if listed else "").strip()
        approval = _APPROVAL.search(reason)
        first = number if line[: comment.start()].strip() else following[number]
        ends = tuple(first for _ in codes)
        if verb != "ignore":
            ends = tuple(_next(enabled.get(code, ()), number) or len(lines) for code in codes)
        if verb == "disable-file" and following[0] > number:
            first, ends = 1, tuple(len(lines) for _ in codes)
        span = Span(file, number, comment.start() + 1, number, len(line) + 1)
        words = _APPROVAL.sub("", reason).strip(" ,;:-")
        yield Suppression(span, first, ends, codes, words, approval["name"] if approval else None)


def _next(numbers: Sequence[int], after: int) -> int | None:
    """The first of some ascending numbers behind another."""
    position = bisect_right(numbers, after)
    return numbers[position] if position < len(numbers) else None


def _codes(comment: re.Match[str]) -> tuple[str, ...]:
    listed = _CODES.match(comment["rest"].strip())
    return tuple(code.strip() for code in listed["codes"].split(",") if code.strip()) if listed else ()


def _next_content(lines: list[str]) -> list[int]:
    """Per line, counted from 1, the first line after it that holds more than a comment; itself where none does. The
    entry at 0 is the first such line of all."""
    found = list(range(len(lines) + 1))
    for number in range(len(lines) - 1, -1, -1):
        content = lines[number].strip()
        if content and not content.startswith("#"):
            found[number] = number + 1
        elif found[number + 1] != number + 1:
            found[number] = found[number + 1]
    return found
