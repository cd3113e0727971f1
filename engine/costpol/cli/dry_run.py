"""`costpol dry-run`: what a policy would have made of a recorded log, in dollars, lever by lever."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from costpol.cli.checking import tell_errors
from costpol.cli.terminal import use_color
from costpol.errors import UsageError
from costpol.policy.loader import read_bundle
from costpol.reporting.savings import FORMATS, render
from costpol.reporting.savings.figures import Savings

if TYPE_CHECKING:
    from costpol.evaluate.corpus import Corpus
    from costpol.evaluate.gate import Gate


@click.command("dry-run", short_help="replay a log through a policy, and say what it would have cost")
@click.argument("logs", nargs=-1, required=True)
@click.option("--policies", type=click.Path(path_type=Path), default=Path("policies"), help="Default: policies.")
@click.option("--against", type=click.Path(path_type=Path), help="A second policy to compare it with, on the same log.")
@click.option("--baseline", default="requested", help="`requested` (default), or a model that all is compared with.")
@click.option("--format", "format_", type=click.Choice(FORMATS), default="text", help="Default: text.")
@click.option("--output", type=click.Path(path_type=Path), help="Write the report to a file.")
@click.option("--fail-if", "gate", help="Exit with 1 if this holds: `saved_fraction < 20% or cache.wrong_hits > 0`.")
@click.option("--limit", type=click.IntRange(min=1), help="Read at most so many requests.")
def command(
    *, logs: tuple[str, ...], policies: Path, against: Path | None, baseline: str, format_: str, output: Path | None,
    gate: str | None, limit: int | None,
) -> int:  # fmt: skip
    """Replay LOG... (JSONL, `.gz` too, `-` for standard input) through a policy.

    No model is called. Exits with 1 if the gate of `--fail-if` trips, if the policy does not load, or if the log
    holds no request at all. A policy that loads is replayed whatever `costpol validate` says of it.
    """
    from costpol.evaluate.gate import parse_gate

    parsed = None if gate is None else parse_gate(gate)
    savings = replay(logs, policies, against, baseline, limit)
    tell_errors(savings.errors, policies)
    if savings.against is not None and against is not None:
        tell_errors(savings.against.savings.errors, against)
    # Asked before anything is written: a gate on a figure that is not there is bad usage, and that is the whole answer.
    tripped = None if parsed is None or not savings.requests else trips(parsed, savings)
    write(render(savings, format_, color=output is None and use_color(sys.stdout)), output)
    if not savings.requests:
        first = f": {savings.skipped_first[0]}" if savings.skipped_first else ""
        click.echo(f"the log holds no request that can be read{first}", err=True)
        return 1
    return exit_code(tripped)


def replay(
    logs: tuple[str, ...], policies: Path, against: Path | None, baseline: str = "requested", limit: int | None = None
) -> Savings:
    """The report on logs, with a progress bar on a terminal."""
    from costpol.evaluate.corpus import Corpus
    from costpol.evaluate.dry_run import dry_run

    corpus = Corpus(logs, sys.stdin.buffer, limit)
    files = read_bundle(policies)
    others = None if against is None else read_bundle(against)
    with _progress_bar(corpus) as progress:
        return asyncio.run(
            dry_run(corpus, files, clock=time.time, against=others, baseline=baseline, progress=progress)
        )


def trips(gate: Gate, savings: Savings) -> str | None:
    """Why a gate trips on a report, `None` if it does not. Raises `UsageError` where the report has no such figure."""
    from costpol.reporting.savings.document import to_document

    document = to_document(savings)
    document["routes"] = dict.fromkeys(savings.models, 0) | document["routes"]  # a model that nobody calls is no typo
    return gate.trips(document)


def exit_code(tripped: str | None) -> int:
    """1 where a gate tripped, and standard error says why."""
    if tripped is None:
        return 0
    click.echo(f"the gate trips: {tripped}", err=True)
    return 1


def write(text: str, output: Path | None) -> None:
    """The text to a file, or to standard output. Raises `UsageError` where the file cannot be written."""
    if output is None:
        click.echo(text)
        return
    try:
        output.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"`{output}` cannot be written: {(error.strerror or 'unknown reason').lower()}") from error
    click.echo(f"wrote {output}", err=True)


@contextmanager
def _progress_bar(corpus: Corpus) -> Iterator[Callable[[int], None] | None]:
    """A bar on standard error while a log is read, on a terminal only."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("replaying"), BarColumn(), TextColumn("{task.fields[requests]:,} requests"), TimeRemainingColumn()
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=corpus.size or None, requests=0)
        yield lambda requests: bar.update(task, completed=corpus.position, requests=requests)
