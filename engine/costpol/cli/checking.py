"""Everything that is to be said about a bundle: by the loader and, where it loads, by the linter."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from costpol.cli.terminal import use_color
from costpol.diagnostics import Diagnostic, Severity


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in a bundle, in the order of files and lines, and the texts of its files."""

    diagnostics: list[Diagnostic]
    files: Mapping[str, str]
    loads: bool
    """Whether the loader takes it; if not, its errors may hide others."""
    blocking: frozenset[Diagnostic] = frozenset()
    """The errors of the loader."""

    def errors(self) -> list[Diagnostic]:
        """What keeps the bundle from being served."""
        return [finding for finding in self.diagnostics if finding.severity is Severity.ERROR]


def tell_errors(errors: int, folder: Path) -> None:
    """Say on standard error that a policy is taken here, although it would not be served."""
    if errors:
        counted = "1 error" if errors == 1 else f"{errors} errors"
        told = f"`{folder}` has {counted} and would not be served: `costpol validate {folder}` shows them"
        click.echo(f"{click.style('note', bold=True)}: {told}", err=True, color=use_color(sys.stderr))


def count_errors(diagnostics: Iterable[Diagnostic]) -> int:
    """How many of the findings keep a policy from being served."""
    return sum(finding.severity is Severity.ERROR for finding in diagnostics)


def check_files(files: Mapping[str, bytes]) -> Checked:
    """The findings about files, by their names and bytes."""
    with _uncollected():
        return _check(files)


def _check(files: Mapping[str, bytes]) -> Checked:
    from costpol.lint.reading import read_policy
    from costpol.runtime.facts import lint_facts

    reading = read_policy(files, lint_facts(time.time()))
    loaded = reading.loaded
    return Checked(reading.findings, loaded.files, loaded.bundle is not None, frozenset(loaded.errors()))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the collector of cycles: there are none here, and looking for some takes a third of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
