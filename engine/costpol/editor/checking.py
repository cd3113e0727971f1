"""The findings about a bundle as it is being typed: the loader's, and the linter's as far as it can be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from costpol.diagnostics import Diagnostic
from costpol.lint.reading import read_policy
from costpol.runtime.facts import lint_facts

Wanted = Callable[[Diagnostic], bool]
"""Whether a finding is to be reported. What keeps a bundle from loading is reported without being asked about."""


def everything(finding: Diagnostic) -> bool:
    """Wants all findings."""
    return True


def check(files: Mapping[str, bytes], now: float, wanted: Wanted = everything) -> dict[str, list[Diagnostic]]:
    """What is found in each file, also in those that are clean; `now` is the instant of the prices."""
    reading = read_policy(files, lint_facts(now))
    blocking = frozenset(reading.loaded.errors())
    by_file: dict[str, list[Diagnostic]] = {name: [] for name in sorted(files)}
    for finding in reading.findings:
        if finding.span.file in by_file and (finding in blocking or wanted(finding)):
            by_file[finding.span.file].append(finding)
    return by_file
