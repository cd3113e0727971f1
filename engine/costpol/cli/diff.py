"""`costpol diff`: what changes in meaning from one policy to another, and on a log, per request and in dollars."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from costpol.cli.checking import count_errors, tell_errors
from costpol.cli.dry_run import exit_code, replay, trips, write
from costpol.cli.terminal import use_color
from costpol.errors import UsageError
from costpol.policy.loader import load_folder
from costpol.reporting.terminal import visible

if TYPE_CHECKING:
    from costpol.evaluate.effects import Effect
    from costpol.evaluate.meaning import MeaningChange
    from costpol.evaluate.shifted import Reach
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
@click.option("--fail-on", type=click.Choice(("widening",)), help="Exit with 1 if anything widens.")
def command(
    *, old: Path, new: Path, logs: tuple[str, ...], format_: str, output: Path | None, gate: str | None,
    fail_on: str | None,
) -> int:  # fmt: skip
    """Compare the policy NEW with the policy OLD by what they mean: who gets an answer, what may be spent, where
    requests go.

    Exits with 0 whatever the differences, with 1 if a policy is refused, the gate of `--fail-if` trips, or something
    widens and `--fail-on widening` asks.
    """
    from costpol.evaluate.gate import parse_gate

    if gate is not None and not logs:
        raise UsageError("`--fail-if` compares figures of a log, and none is given", "name one with `--log`")
    parsed = None if gate is None else parse_gate(gate)
    difference = compare(_load(old), _load(new))
    savings = replay(logs, new, old) if logs else None
    tripped = None if parsed is None or savings is None else trips(parsed, savings)
    if format_ == "json":
        text = render_json(difference, savings)
    else:
        text = render_text(difference, savings, color=output is None and use_color(sys.stdout))
    write(text, output)
    widened = fail_on is not None and difference.widening
    if widened:
        click.echo("the new policy widens the old one", err=True)
    return 1 if widened else exit_code(tripped)


def _load(folder: Path) -> Bundle:
    """The policy of a folder, whatever the linter says of it."""
    from costpol.lint.runner import lint
    from costpol.runtime.facts import lint_facts

    bundle = load_folder(folder).require()
    tell_errors(count_errors(lint(bundle, lint_facts(time.time()))), folder)
    return bundle


@dataclass(frozen=True, slots=True)
class Compared:
    """Two policies, every change with its effect, and the requests that another rule decides."""

    old: Bundle
    new: Bundle
    changes: list[tuple[MeaningChange, Effect]]
    reach: Reach

    @property
    def widening(self) -> bool:
        effects = [effect for _, effect in self.changes] + [moved.effect for moved in self.reach.moved]
        return any(effect.widening for effect in effects)


def compare(old: Bundle, new: Bundle) -> Compared:
    """What a new policy means that the old one does not, at today's prices."""
    from costpol.evaluate.effects import Policies, effect_of
    from costpol.evaluate.meaning import meaning_changes
    from costpol.evaluate.shifted import moved_requests
    from costpol.runtime.facts import lint_facts

    policies = Policies(old, new, lint_facts(time.time()))
    changes = [(change, effect_of(change, policies)) for change in meaning_changes(old, new)]
    return Compared(old, new, changes, moved_requests(policies))


def render_text(difference: Compared, savings: Savings | None, *, color: bool = False) -> str:
    """What widens first, then every other change by its effect, the requests that move, and the report of the log."""
    from costpol.evaluate.effects import KINDS

    loud = [pair for pair in difference.changes if pair[1].widening]
    lines: list[str] = []
    if loud:
        lines += _section("WIDENS: look at these", loud, color)
    for kind in KINDS:
        quiet = [pair for pair in difference.changes if pair[1].kind == kind and not pair[1].widening]
        lines += _section(kind, quiet, color) if quiet else []
    lines += _moved(difference.reach, color)
    lines = lines[1:] or ["no change in meaning"]
    if savings is not None:
        from costpol.reporting.savings.text import render_text as render_savings

        lines += ["", render_savings(savings, color=color)]
    return "\n".join(lines)


def render_json(difference: Compared, savings: Savings | None) -> str:
    """The changes, the requests that move, and the replay as a JSON document."""
    from msgspec import json

    from costpol.reporting.savings.document import to_document

    document: dict[str, Any] = {
        "old": difference.old.digest,
        "new": difference.new.digest,
        "widening": difference.widening,
        "changes": [
            {
                "what": change.what, "path": change.path, "old": change.old, "new": change.new,
                "file": change.span.file, "line": change.span.line, **_effect(effect),
            }
            for change, effect in difference.changes
        ],
        "reach": {
            "complete": difference.reach.complete,
            "moved": [
                {
                    "from": moved.before, "to": moved.after, "request": moved.request, "confirmed": moved.confirmed,
                    **_effect(moved.effect),
                }
                for moved in difference.reach.moved
            ],
        },
        "replay": None if savings is None else to_document(savings),
    }  # fmt: skip
    return json.format(json.Encoder(decimal_format="number").encode(document), indent=2).decode()


def _effect(effect: Effect) -> dict[str, Any]:
    return {"effect": effect.kind, "widening": effect.widening, "why": effect.why}


def _section(title: str, changes: list[tuple[MeaningChange, Effect]], color: bool) -> list[str]:
    heading = f"\x1b[1m{title}\x1b[0m" if color else title
    lines = ["", heading]
    for change, effect in changes:
        lines += [f"  {line}" for line in _change(change, color)]
        if effect.why is not None:
            lines.append(f"      {effect.why}")
    return lines


def _moved(reach: Reach, color: bool) -> list[str]:
    """The requests that another rule decides."""
    lines: list[str] = []
    if reach.moved:
        title = "requests that another rule decides"
        lines += ["", f"\x1b[1m{title}\x1b[0m" if color else title]
    for moved in reach.moved:
        effect = "" if moved.effect.kind == "other" else f", {moved.effect.kind}"
        lines.append(f"  {moved.before} -> {moved.after}{effect}")
        lines.append(f"      {visible(moved.request)}{'' if moved.confirmed else '  (no request found that shows it)'}")
    if not reach.complete:
        lines += ["", "the rules have more cases than are looked at: other requests may move, too"]
    return lines


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
