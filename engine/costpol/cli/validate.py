"""`costpol validate`: load each bundle, lint what loads, say what was found, and mend what can be mended."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import click

from costpol.cli.checking import Checked, check_files
from costpol.cli.settings import LEVELS, Settings, read_settings
from costpol.cli.terminal import use_color
from costpol.diagnostics import Diagnostic
from costpol.errors import UsageError
from costpol.policy.loader import read_bundle
from costpol.policy.source import MAX_BYTES
from costpol.reporting.findings import FORMATS, render, summary

STDIN = Path("-")


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line."""

    format: str
    fix: bool
    unsafe: bool
    diff: bool

    def mends(self, finding: Diagnostic) -> bool:
        """Whether a finding's fix is wanted."""
        return finding.fix is not None and (finding.fix.safe or self.unsafe)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one bundle."""

    findings: list[Diagnostic]
    files: Mapping[str, str]
    mended: int
    diff: str
    failed: bool


@click.command("validate", short_help="check policies and say what is wrong, and where")
@click.argument("bundles", nargs=-1, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--format", "format_", type=click.Choice(FORMATS), help="How to print findings (default: full).")
@click.option("--select", multiple=True, metavar="CODE|NAME|FAMILY", help="Report only these.")
@click.option("--ignore", multiple=True, metavar="CODE|NAME|FAMILY", help="Do not report these.")
@click.option("--fail-level", type=click.Choice(LEVELS), help="The mildest severity that fails (default: error).")
@click.option("--strict", is_flag=True, help="Fail on warnings, too.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 whatever was found.")
@click.option("--fix", is_flag=True, help="Mend what can be mended without changing what the policy means.")
@click.option("--unsafe-fixes", is_flag=True, help="Mend by guesses, too, and what changes the policy.")
@click.option("--diff", is_flag=True, help="Show what would be mended, and change nothing.")
@click.option("--stdin-filename", type=click.Path(path_type=Path), help="Which file `-` stands for, inside its bundle.")
@click.option("--config", type=click.Path(path_type=Path), help="Read the settings from this TOML file.")
@click.option("--show-settings", is_flag=True, help="Print the settings in force and where they come from.")
def command(
    *,
    bundles: tuple[Path, ...],
    format_: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    fail_level: str | None,
    strict: bool,
    exit_zero: bool,
    fix: bool,
    unsafe_fixes: bool,
    diff: bool,
    stdin_filename: Path | None,
    config: Path | None,
    show_settings: bool,
) -> int:
    """Check each BUNDLE, a folder of policy files (default: policies) or a file in one; `-` reads one file from stdin.

    Exits with 0 where nothing keeps the policies from being served, with 1 on errors, with 2 where they cannot be read.
    What keeps a policy from loading is always reported. Settings stand in costpol.toml or in [tool.costpol] of
    pyproject.toml: select, ignore, per-file-ignores, fail-level.
    """
    github = os.environ.get("GITHUB_ACTIONS") == "true"
    options = Options(format_ or ("github" if github and not diff else "full"), fix, unsafe_fixes, diff)
    if diff and format_ not in (None, "full"):
        raise UsageError("`--diff` prints a diff and takes no `--format`", "leave one of the two out")
    level = "warning" if strict and fail_level != "info" else fail_level

    outcomes: list[Outcome] = []
    for folder, stdin in _chosen(bundles, stdin_filename):
        settings = read_settings(folder, os.environ, config=config, select=select, ignore=ignore, fail_level=level)
        if show_settings:
            _show(folder, settings, options.format)
            continue
        if stdin is not None and fix and not diff:
            raise UsageError("what comes from stdin cannot be mended in place", "add `--diff` to see the changes")
        outcomes.append(_run(_read(folder, stdin), settings, options))
    if show_settings:
        return 0
    _report(outcomes, options)
    return 1 if any(outcome.failed for outcome in outcomes) and not exit_zero else 0


def _chosen(bundles: tuple[Path, ...], stdin_filename: Path | None) -> list[tuple[Path, Path | None]]:
    """The folders to check, each once and in order; with one, the file that stdin takes the place of."""
    if (STDIN in bundles) != (stdin_filename is not None):
        raise UsageError(
            "`-` and `--stdin-filename` belong together",
            "write `costpol validate - --stdin-filename policies/routing.yaml`",
        )
    chosen: dict[Path, Path | None] = {}
    for named in bundles or (Path("policies"),):
        if named == STDIN and stdin_filename is not None:
            chosen[stdin_filename.parent] = stdin_filename
        else:
            chosen.setdefault(named.parent if named.suffix in (".yaml", ".yml") and named.is_file() else named)
    return list(chosen.items())


def _read(folder: Path, stdin: Path | None) -> dict[str, bytes]:
    """The files of a bundle, one of them from stdin. Raises `UsageError` where they cannot be read."""
    if stdin is None:
        return read_bundle(folder)
    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    others = read_bundle(folder) if folder.is_dir() and any(folder.glob("*.y*ml")) else {}
    return {**others, stdin.as_posix(): data}


def _run(files: Mapping[str, bytes], settings: Settings, options: Options) -> Outcome:
    """Check one bundle and, where asked for, mend it."""
    if not (options.fix or options.diff):
        return _outcome(check_files(files), settings)
    from costpol.cli.mending import diff, mend, write

    mended = mend(files, check_files, lambda checked: [f for f in _reported(checked, settings) if options.mends(f)])
    outcome = _outcome(mended.checked, settings, len(mended.mended))
    if not options.diff:
        write(files, mended.files)
        return outcome
    changes = diff(files, mended.files)
    return replace(outcome, diff=changes, failed=outcome.failed or bool(changes))


def _outcome(checked: Checked, settings: Settings, mended: int = 0) -> Outcome:
    findings = _reported(checked, settings)
    return Outcome(findings, checked.files, mended, "", any(settings.fails(each) for each in findings))


def _reported(checked: Checked, settings: Settings) -> list[Diagnostic]:
    """What the settings want to hear, and whatever keeps the bundle from loading."""
    return [each for each in checked.diagnostics if settings.reports(each) or each in checked.blocking]


def _report(outcomes: list[Outcome], options: Options) -> None:
    """Findings, or the diff, on stdout; how many there are on stderr."""
    found = [finding for outcome in outcomes for finding in outcome.findings]
    files = {name: text for outcome in outcomes for name, text in outcome.files.items()}
    mended = sum(outcome.mended for outcome in outcomes)
    if options.diff:
        click.echo("".join(outcome.diff for outcome in outcomes), nl=False)
        said = [f"{mended} would be mended", f"{summary(found)} would be left"]
    else:
        text = render(found, files, options.format, color=use_color(sys.stdout))
        if text:
            click.echo(text)
        fixable = sum(1 for finding in found if finding.fix is not None and finding.fix.safe)
        said = [f"{summary(found)} in {len(files)} {'file' if len(files) == 1 else 'files'}"]
        said += [f"{mended} mended"] if options.fix else [f"{fixable} can be mended with `--fix`"] if fixable else []
    click.echo("; ".join(said), err=True)


def _show(folder: Path, settings: Settings, format: str) -> None:
    """The settings in force for a bundle."""
    shown = {
        "bundle": str(folder),
        "file": None if settings.file is None else str(settings.file),
        "select": [each.written for each in settings.select] or ["ALL"],
        "ignore": [each.written for each in settings.ignore],
        "per-file-ignores": {
            name: [each.written for each in listed] for name, listed in settings.per_file_ignores.items()
        },
        "fail-level": settings.fail_level.value,
    }
    if format in ("json", "jsonl"):
        click.echo(json.dumps(shown, indent=2 if format == "json" else None))
        return
    for key, value in shown.items():
        source = settings.sources.get(key)
        click.echo(f"{key}: {json.dumps(value)}{f'  # {source}' if source else ''}")
