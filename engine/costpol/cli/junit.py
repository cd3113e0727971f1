"""The results of a policy's tests as JUnit XML, which every build server reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from costpol.evaluate.cases import CaseResult, Results


def render_junit(results: Results) -> str:
    """One test suite with a test case per case; what differs is its failure, what could not be run its error."""
    broken = sum(case.problem is not None for case in results.cases)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<testsuite name="costpol" tests="{len(results.cases)}" failures="{results.failed - broken}" '
        f'errors="{broken}">',
        *(line for case in results.cases for line in _case(case)),
        "</testsuite>",
    ]
    return "\n".join(lines)


def _case(case: CaseResult) -> Iterator[str]:
    place = f"classname={_quoted(case.span.file)} line={_quoted(str(case.span.line))}"
    if case.passed:
        yield f"  <testcase name={_quoted(case.name)} {place}/>"
        return
    yield f"  <testcase name={_quoted(case.name)} {place}>"
    if case.problem is not None:
        yield f"    <error message={_quoted(case.problem)}/>"
    elif case.differences:
        fields = ", ".join(each.field for each in case.differences)
        told = "\n".join(
            f"{each.span.file}:{each.span.line}: {each.field} is {each.actual}, not {each.expected}"
            for each in case.differences
        )
        yield f"    <failure message={_quoted(f'other than expected: {fields}')}>{escape(_printable(told))}</failure>"
    yield "  </testcase>"


def _quoted(text: str) -> str:
    return quoteattr(_printable(text))


def _printable(text: str) -> str:
    """Without the characters that no XML may hold."""
    return "".join(each if each in "\t\n\r" or (each >= " " and not _forbidden(each)) else "\ufffd" for each in text)


def _forbidden(character: str) -> bool:
    return "\ud800" <= character <= "\udfff" or character in "\ufffe\uffff"
