"""What is wrong with a policy, and where: the one type that the loader, the linter and every report speak.

Nothing here renders: `reporting` turns diagnostics into text, JSON, SARIF or GitHub annotations.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class Severity(Enum):
    """How much a finding matters. Only errors keep a policy from being served."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the gravest, for sorting."""
        return _RANKS[self]


_RANKS = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


class Span(NamedTuple):
    """A place in a policy file. Lines and columns count from 1, columns in code points, the end is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


NOWHERE = Span("", 1, 1, 1, 1)
"""The place of what was not written in any file (a default, a value made by a test)."""


@dataclass(frozen=True, slots=True)
class Related:
    """A second place that explains the first: the earlier rule, the other definition of a key."""

    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Write `text` in place of what stands at `span`; a span without width inserts."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """How to mend a finding by edits of its file. A safe fix says what the file meant all along; one that is not safe
    changes what the policy does, or rests on a guess."""

    description: str
    edits: tuple[Edit, ...]
    safe: bool = True


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: what (`message`), where (`span`), why it matters (`why`), how to mend it (`help`).

    `code` (`CP303`) and `name` (`personal-intent-cached`) are stable and interchangeable wherever a rule is named.
    `label` stands under the caret. Messages are one sentence, lower case, no full stop, user input in backticks.
    """

    code: str
    name: str
    severity: Severity
    span: Span
    message: str
    help: str | None = None
    why: str | None = None
    label: str | None = None
    related: tuple[Related, ...] = ()
    fix: Fix | None = None

    @property
    def sort_key(self) -> tuple[str, int, int, int, str]:
        """File, line, column; the gravest first where two findings share a place."""
        return (self.span.file, self.span.line, self.span.column, self.severity.rank, self.code)


def has_errors(diagnostics: list[Diagnostic]) -> bool:
    """Whether anything in the list keeps the policy from being served."""
    return any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)
