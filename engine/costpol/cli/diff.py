"""`costpol diff`: what changes in meaning from one policy to another, and on a log, per request and in dollars."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from costpol.cli.dry_run import exit_code, replay, trips, write
from costpol.cli.terminal import use_color
from costpol.errors import UsageError
from costpol.policy.loader import load_folder

if TYPE_CHECKING:
    from costpol.evaluate.meaning import MeaningChange
    from costpol.policy.bundle import Bundle
    from costpol.reporting.savings.figures import Savings

_SIGNS = {"added": ("+", "32"), "removed": ("-", "31"), "changed": ("~", "33"), "moved": ("~", "33")}


@click.command("diff", short_help="what changes from one policy to another")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--log", "logs", multiple=True, help="A recorded log to try both policies on (`-`: standard input).")
@click.option("--format", "format_", type=click.Choice(("text", "json")), default="text", help="Default: text.")
@click.option("--output", type=click.Path(path_type=Path), help="Write the report to a file.")
@click.option("--fail-if", "gate", help="Exit with 1 if this holds: `against.difference.policy_usd > 0`.")
def command(*, old: Path, new: Path, logs: tuple[str, ...], format_: str, output: Path | None, gate: str | None) -> int:
    """Compare the policy NEW with the policy OLD, value by value.

    Exits with 0 whatever the differences, with 1 if a policy does not load or the gate of `--fail-if` trips.
    """
    from costpol.evaluate.gate import parse_gate
    from costpol.evaluate.meaning import meaning_changes

    if gate is not None and not logs:
        raise UsageError("`--fail-if` compares figures of a log, and none is given", "name one with `--log`")
    parsed = None if gate is None else parse_gate(gate)
    before, after = load_folder(old).require(), load_folder(new).require()
    changes = meaning_changes(before, after)
    savings = replay(logs, new, old) if logs else None
    tripped = None if parsed is None or savings is None else trips(parsed, savings)
    if format_ == "json":
        text = render_json(before, after, changes, savings)
    else:
        text = render_text(changes, savings, color=output is None and use_color(sys.stdout))
    write(text, output)
    return exit_code(tripped)


def render_text(changes: list[MeaningChange], savings: Savings | None, *, color: bool = False) -> str:
    """A line per change, then the report of the log where there is one."""
    lines = [line for change in changes for line in _change(change, color)] or ["no change in meaning"]
    if savings is not None:
        from costpol.reporting.savings.text import render_text as render_savings

        lines += ["", render_savings(savings, color=color)]
    return "\n".join(lines)


def render_json(old: Bundle, new: Bundle, changes: list[MeaningChange], savings: Savings | None) -> str:
    """The changes and the replay as a JSON document."""
    from msgspec import json

    from costpol.reporting.savings.document import to_document

    document: dict[str, Any] = {
        "old": old.digest,
        "new": new.digest,
        "changes": [
            {
                "what": change.what, "path": change.path, "old": change.old, "new": change.new,
                "file": change.span.file, "line": change.span.line,
            }
            for change in changes
        ],
        "replay": None if savings is None else to_document(savings),
    }  # fmt: skip
    return json.format(json.Encoder(decimal_format="number").encode(document), indent=2).decode()


def _change(change: MeaningChange, color: bool) -> list[str]:
    sign, paint = _SIGNS[change.what]
    place = f"  ({change.span.file}:{change.span.line})" if change.span.file else ""
    head = f"{sign} {change.path}{' (order)' if change.what == 'moved' else ''}{place}"
    lines = [f"\x1b[{paint}m{head}\x1b[0m" if color else head]
    if change.old is not None:
        lines.append(f"    was {change.old}")
    if change.new is not None:
        lines.append(f"    {'is ' if change.what != 'added' else ''}{change.new}")
    return lines
