"""`costpol validate`: load each bundle, lint what loads, and say what was found."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from costpol.cli.terminal import use_color
from costpol.diagnostics import Diagnostic, Severity
from costpol.policy.loader import load_folder
from costpol.reporting.findings import FORMATS, render, summary


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in a bundle, and the texts of its files."""

    diagnostics: list[Diagnostic]
    files: Mapping[str, str]


@click.command("validate", short_help="check policies and say what is wrong, and where")
@click.argument("bundles", nargs=-1, type=click.Path(path_type=Path))
@click.option("--format", "format_", type=click.Choice(FORMATS), help="How to print findings (default: full).")
@click.option("--strict", is_flag=True, help="Fail on warnings, too.")
def command(bundles: tuple[Path, ...], format_: str | None, strict: bool) -> int:
    """Check each BUNDLE, a folder of policy files (default: policies).

    Exits with 0 where nothing keeps the policies from being served, with 1 on errors, with 2 where they cannot be read.
    """
    chosen = format_ or ("github" if os.environ.get("GITHUB_ACTIONS") == "true" else "full")
    checked = [check_folder(folder) for folder in bundles or (Path("policies"),)]
    found = [diagnostic for bundle in checked for diagnostic in bundle.diagnostics]
    files = {name: text for bundle in checked for name, text in bundle.files.items()}
    text = render(found, files, chosen, color=use_color(sys.stdout))
    if text:
        click.echo(text)
    click.echo(f"{summary(found)} in {len(files)} files", err=True)
    failing = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    return 1 if any(diagnostic.severity in failing for diagnostic in found) else 0


def check_folder(folder: Path) -> Checked:
    """Everything that the loader finds in a folder and, where it loads, the linter. Raises `UsageError`."""
    loaded = load_folder(folder)
    found = [*loaded.diagnostics, *loaded.unmarked_ends()]
    if loaded.bundle is not None:
        from costpol.lint.runner import lint
        from costpol.runtime.facts import lint_facts

        found += lint(loaded.bundle, lint_facts(time.time()))
    return Checked(sorted(found, key=lambda diagnostic: diagnostic.sort_key), loaded.files)
