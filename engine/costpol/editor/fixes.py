"""What an editor offers to do about a finding: carry out its fix, or say why it is accepted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from costpol.diagnostics import Diagnostic, Edit, Span
from costpol.editor.positions import split_lines
from costpol.editor.project import PolicyFile
from costpol.lint.registry import RULES
from costpol.lint.suppressions import leaks

_ACCEPTED = {rule.CODE for rule in RULES if "findings" not in rule.NEEDS}


@dataclass(frozen=True, slots=True)
class Action:
    """One offer: edits of one file. `findings` are what it is about."""

    title: str
    findings: tuple[Diagnostic, ...]
    edits: tuple[Edit, ...]
    preferred: bool = False
    whole_file: bool = False


def actions(file: PolicyFile, findings: Iterable[Diagnostic], first: int, last: int) -> list[Action]:
    """The offers for the findings that touch the lines from `first` to `last`, counted from 0."""
    near = [each for each in findings if each.span.line - 1 <= last and each.span.end_line - 1 >= first]
    return [action for finding in near for action in _for_finding(file, finding)]


def fix_all(findings: Iterable[Diagnostic]) -> Action | None:
    """All safe fixes of a file at once, of two that touch the first; `None` where there is none."""
    chosen: list[Diagnostic] = []
    edits: list[Edit] = []
    for finding in findings:
        if finding.fix is None or not finding.fix.safe:
            continue
        if not any(_touch(mine.span, other.span) for mine in finding.fix.edits for other in edits):
            chosen.append(finding)
            edits += finding.fix.edits
    return Action("mend all that is safe to mend", tuple(chosen), tuple(edits), whole_file=True) if chosen else None


def _for_finding(file: PolicyFile, finding: Diagnostic) -> Iterator[Action]:
    fix = finding.fix
    if fix is not None and all(edit.span.file == file.name for edit in fix.edits):
        yield Action(fix.description, (finding,), fix.edits, preferred=True)
    if finding.code in _ACCEPTED:
        line = split_lines(file.text)[finding.span.line - 1]
        indent = line[: len(line) - len(line.lstrip(" "))]
        above = Span(file.name, finding.span.line, 1, finding.span.line, 1)
        who = " approved_by=" if leaks(finding.code) else " "
        comment = Edit(above, f"{indent}# costpol: ignore[{finding.code}]{who}\n")
        yield Action(f"accept {finding.code} here (say why)", (finding,), (comment,))


def _touch(left: Span, right: Span) -> bool:
    """Whether two places share a character, or begin at the same."""
    starts = (left.line, left.column), (right.line, right.column)
    ends = (left.end_line, left.end_column), (right.end_line, right.end_column)
    return starts[0] == starts[1] or (starts[0] < ends[1] and starts[1] < ends[0])
