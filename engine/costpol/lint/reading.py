"""Everything that is to be said about the files of a policy, whole or broken: what the loader finds, and the linter.

A broken policy is also read as it probably was meant (`policy.repair`), so that one mistake does not hide the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from costpol.diagnostics import Diagnostic
from costpol.lint.facts import Facts
from costpol.lint.runner import lint
from costpol.policy.loader import Loaded, load_bundle
from costpol.policy.repair import Repair, repair

ROUNDS = 2
"""A mended mistake may have hidden another."""
LARGEST = 1 << 18
"""How many bytes of a broken policy are read again."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found, in the order of files and lines."""

    loaded: Loaded
    findings: list[Diagnostic]


def read_policy(files: Mapping[str, bytes], facts: Facts) -> Reading:
    """The findings about files, by their names and bytes."""
    loaded = load_bundle(files)
    found = [*loaded.diagnostics, *loaded.unmarked_ends()]
    if loaded.bundle is not None:
        found += lint(loaded.bundle, facts)
    else:
        found += _behind(files, loaded, facts)
    return Reading(loaded, sorted(found, key=lambda finding: finding.sort_key))


def _behind(files: Mapping[str, bytes], loaded: Loaded, facts: Facts) -> list[Diagnostic]:
    """What the errors of the loader hide, as far as it does not hang on them."""
    known = {_key(finding) for finding in loaded.diagnostics}
    repairs: list[Repair] = []
    hidden: list[Diagnostic] = []
    for _ in range(ROUNDS if sum(map(len, files.values())) <= LARGEST else 0):
        mended = repair(files, loaded.errors())
        if mended is None:
            break
        repairs.append(mended)
        files = mended.files
        loaded = load_bundle(files)
        told = [finding for each in loaded.diagnostics if (finding := _as_written(each, repairs)) is not None]
        hidden += [finding for finding in told if _key(finding) not in known]
        known |= {_key(finding) for finding in told}
    readable = loaded.bundle or loaded.partial
    if readable is not None:
        linted = lint(readable, replace(facts, partial=True))
        hidden += [finding for each in linted if (finding := _as_written(each, repairs)) is not None]
    return hidden


def _as_written(finding: Diagnostic, repairs: list[Repair]) -> Diagnostic | None:
    """A finding at its place before any repair."""
    placed: Diagnostic | None = finding
    for each in reversed(repairs):
        placed = each.as_written(placed) if placed is not None else None
    return placed


def _key(finding: Diagnostic) -> tuple[str, str, int, int]:
    return (finding.code, finding.span.file, finding.span.line, finding.span.column)
