"""`costpol tune`: how alike questions must be, by what a log shows."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import click

from costpol.cli.dry_run import write
from costpol.cli.terminal import use_color
from costpol.errors import UsageError
from costpol.policy.loader import read_bundle
from costpol.reporting.tuning import FORMATS, render
from costpol.reporting.tuning.figures import Tuning
from costpol.units import parse_share

_MOST = 10_000


@click.command("tune", short_help="how alike questions must be, by what a log shows")
@click.argument("logs", nargs=-1, required=True)
@click.option("--policies", type=click.Path(path_type=Path), default=Path("policies"), help="Default: policies.")
@click.option("--intent", help="Tune this intent only (`otherwise`: those that the cache does not name).")
@click.option("--max-wrong", default="1%", help="The share of wrong hits to keep. Default: 1%.")
@click.option("--format", "format_", type=click.Choice(FORMATS), default="text", help="Default: text.")
@click.option("--output", type=click.Path(path_type=Path), help="Write the report to a file.")
@click.option("--seeds", type=click.IntRange(1, 20), default=1, help="Orders of the log, its own first. Default: 1.")
@click.option("--limit", type=click.IntRange(min=1), default=_MOST, help=f"Read at most so many. Default: {_MOST:,}.")
@click.option("--no-text", is_flag=True, help="Leave questions and answers out of the report.")
def command(
    *, logs: tuple[str, ...], policies: Path, intent: str | None, max_wrong: str, format_: str, output: Path | None,
    seeds: int, limit: int, no_text: bool,
) -> int:  # fmt: skip
    """Replay LOG... under other thresholds and limits of wrong hits, and say which setting saves most within a limit.

    Where the log names right answers (`answer_id`) hits are judged by them, else by the recorded answers' texts. No
    model is called. Exits with 1 if the log shows that the policy's own setting of an intent breaks the limit, if
    the policy has errors, or if the log holds no request at all.
    """
    try:
        wrong = parse_share(max_wrong)
    except ValueError as error:
        raise UsageError(f"`--max-wrong {max_wrong}`: {error}") from None
    tuning = tune_logs(logs, policies, intent=intent, limit=wrong, seeds=seeds, most=limit, texts=not no_text)
    if tuning.requests or format_ != "text":  # what a machine reads is whole, whatever it says
        write(render(tuning, format_, color=output is None and use_color(sys.stdout)), output)
    if not tuning.requests:
        first = f": {tuning.skipped_first[0]}" if tuning.skipped_first else ""
        click.echo(f"the log holds no request that can be read{first}", err=True)
        return 1
    over = [curve.intent for curve in tuning.curves if curve.point(curve.written).breaks(wrong)]
    if over:
        click.echo(f"the policy's own setting has more than {max_wrong} wrong hits: {', '.join(over)}", err=True)
    return 1 if over else 0


def tune_logs(
    logs: tuple[str, ...], policies: Path, *, intent: str | None, limit: Decimal, seeds: int, most: int, texts: bool
) -> Tuning:
    """The report on logs, with a progress bar on a terminal."""
    from costpol.evaluate.corpus import Corpus
    from costpol.evaluate.tuning import tune

    corpus = Corpus(logs, sys.stdin.buffer, most)
    files = read_bundle(policies)
    records = list(corpus)
    with _progress_bar() as progress:
        made = tune(
            records, files, clock=time.time, limit=limit, intent=intent, orders=seeds, texts=texts, progress=progress
        )
        tuning = asyncio.run(made)
    return replace(tuning, skipped=corpus.skipped.count, skipped_first=tuple(corpus.skipped.first))


@contextmanager
def _progress_bar() -> Iterator[Callable[[int, int], None] | None]:
    """A bar on standard error, on a terminal only."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("replaying"), BarColumn(), TextColumn("{task.percentage:.0f}%"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
