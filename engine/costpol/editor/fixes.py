"""What an editor offers to do about a finding: write the name that was meant, or say why it is accepted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from costpol.diagnostics import Diagnostic, Span
from costpol.editor.completion import written
from costpol.editor.positions import split_lines
from costpol.editor.project import PolicyFile
from costpol.lint.registry import RULES
from costpol.lint.suppressions import leaks
from costpol.policy import codes

_GUESS = re.compile(r"did you mean `([^`]+)`\?")
_GUESSED = {codes.UNKNOWN_KEY.code, codes.UNDEFINED_REFERENCE.code, codes.UNKNOWN_WORD.code, codes.UNKNOWN_KIND.code}
_ACCEPTED = {rule.CODE for rule in RULES if "findings" not in rule.NEEDS}


@dataclass(frozen=True, slots=True)
class Action:
    """One offer: `text` takes the place of `span`."""

    title: str
    finding: Diagnostic
    span: Span
    text: str
    preferred: bool = False


def actions(file: PolicyFile, findings: Iterable[Diagnostic], first: int, last: int) -> list[Action]:
    """The offers for the findings that touch the lines from `first` to `last`, counted from 0."""
    near = [each for each in findings if each.span.line - 1 <= last and each.span.end_line - 1 >= first]
    return [action for finding in near for action in _for_finding(file, finding)]


def _for_finding(file: PolicyFile, finding: Diagnostic) -> Iterator[Action]:
    guess = _GUESS.fullmatch(finding.help or "")
    if guess is not None and finding.code in _GUESSED and finding.span.line == finding.span.end_line:
        yield Action(f"write `{guess[1]}`", finding, finding.span, written(guess[1]), preferred=True)
    if finding.code == codes.MISSING_END_MARKER.code:
        lines = split_lines(file.text)
        at = Span(file.name, len(lines), len(lines[-1]) + 1, len(lines), len(lines[-1]) + 1)
        yield Action("add a last line `...`", finding, at, "\n...\n" if lines[-1] else "...\n", preferred=True)
    if finding.code in _ACCEPTED:
        line = split_lines(file.text)[finding.span.line - 1]
        indent = line[: len(line) - len(line.lstrip(" "))]
        above = Span(file.name, finding.span.line, 1, finding.span.line, 1)
        who = " approved_by=" if leaks(finding.code) else " "
        title = f"accept {finding.code} here (say why)"
        yield Action(title, finding, above, f"{indent}# costpol: ignore[{finding.code}]{who}\n")
