"""Findings as JUnit XML, which test reports of CI systems show: a case per file, with its findings as failures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

from costpol.diagnostics import Diagnostic, Severity

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_junit(diagnostics: Sequence[Diagnostic], files: Mapping[str, str]) -> str:
    """One suite with a case for every file that was read, failed or not."""
    by_file: dict[str, list[Diagnostic]] = {name: [] for name in files}
    for diagnostic in diagnostics:
        by_file.setdefault(diagnostic.span.file, []).append(diagnostic)
    cases = [_case(name or "the bundle", found) for name, found in by_file.items()]
    failed = sum(1 for found in by_file.values() if any(each.severity is not Severity.INFO for each in found))
    counts = f'tests="{len(by_file)}" failures="{failed}" errors="0"'
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<testsuites {counts}><testsuite name="costpol validate" {counts}>',
            *cases,
            "</testsuite></testsuites>",
        ]
    )


def render_junit_failure(message: str) -> str:
    """A suite whose one case could not be run."""
    counts = 'tests="1" failures="0" errors="1"'
    case = f'<testcase classname="costpol" name="validate"><error message={quoteattr(_clean(message))}/></testcase>'
    suite = f'<testsuite name="costpol validate" {counts}>{case}</testsuite>'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites {counts}>{suite}</testsuites>'


def _case(name: str, found: Sequence[Diagnostic]) -> str:
    """A file. JUnit has one failure per case, so all findings of a file share one."""
    head = f"<testcase classname={quoteattr('costpol')} name={quoteattr(_clean(name))}"
    if not found:
        return f"{head}/>"
    gravest = min(found, key=lambda diagnostic: diagnostic.severity.rank)
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    message = quoteattr(_clean(f"{gravest.code} {gravest.name}: {gravest.message}{more}"))
    body = escape(_clean("\n".join(_line(diagnostic) for diagnostic in found)))
    kind = "failure" if gravest.severity is not Severity.INFO else "system-out"
    attributes = f" message={message} type={quoteattr(gravest.severity.value)}" if kind == "failure" else ""
    return f"{head}><{kind}{attributes}>{body}</{kind}></testcase>"


def _line(diagnostic: Diagnostic) -> str:
    span = diagnostic.span
    help = f" ({diagnostic.help})" if diagnostic.help else ""
    what = f"{diagnostic.severity.value} {diagnostic.code} {diagnostic.name}: {diagnostic.message}{help}"
    return f"{span.file}:{span.line}:{span.column}: {what}"


def _clean(text: str) -> str:
    """Text without what XML cannot hold."""
    return _NOT_XML.sub("\ufffd", text)
