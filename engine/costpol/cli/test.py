"""`costpol test`: run the tests that a policy brings along, and say which of its rules they reach."""

from __future__ import annotations

import asyncio
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from costpol.cli.checking import count_errors, tell_errors
from costpol.cli.dry_run import write
from costpol.cli.terminal import use_color
from costpol.policy.loader import read_bundle
from costpol.reporting.terminal import visible

if TYPE_CHECKING:
    from costpol.diagnostics import Span
    from costpol.evaluate.cases import CaseResult, Results

_COUNTED = {
    "rules": "rules that decide a case", "passed over": "rules that are passed over in a case",
    "exclusions": "exclusions that take effect", "rungs": "rungs that are reached",
}  # fmt: skip


@click.command("test", short_help="run the tests that a policy brings along")
@click.argument("bundle", type=click.Path(path_type=Path), default=Path("policies"))
@click.option("--format", "format_", type=click.Choice(("text", "json")), default="text", help="Default: text.")
@click.option("--coverage", is_flag=True, help="Name the rules, exclusions and rungs that no case reaches.")
@click.option("--fail-under", type=click.FloatRange(0, 100), metavar="PERCENT", help="Fail below this coverage.")
@click.option("--junit", type=click.Path(path_type=Path), help="Write the results as JUnit XML to a file.")
def command(bundle: Path, format_: str, coverage: bool, fail_under: float | None, junit: Path | None) -> int:
    """Run every case of the `kind: tests` files of BUNDLE (default: policies). No model is called.

    Covered is a rule that decides one case and is passed over in another, an exclusion and a rung that takes effect.
    Exits with 1 if a case fails, or if there is no case at all.
    """
    from costpol.evaluate.coverage import counts, falls_short

    results = asyncio.run(_run(bundle))
    if junit is not None:
        from costpol.cli.junit import render_junit

        write(render_junit(results), junit)
    if format_ == "json":
        click.echo(render_json(results))
    else:
        click.echo(render_text(results, coverage=coverage, color=use_color(sys.stdout)))
    if not results.cases:
        click.echo(f"the policy in `{bundle}` has no tests: add a file of `kind: tests`", err=True)
        return 1
    if fail_under is not None and falls_short(results.coverage, Decimal(str(fail_under))):
        reached, total = counts(results.coverage)
        click.echo(f"the cases reach {reached} of {total}, less than {fail_under:g}%", err=True)
        return 1
    return 1 if results.failed else 0


def render_text(results: Results, *, coverage: bool = False, color: bool = False) -> str:
    """A line per case, what differs below it, and a summary."""
    lines: list[str] = []
    for case in results.cases:
        lines += _case(case, color)
    passed = len(results.cases) - results.failed
    reached = f"{_percent(results.covered)} of rules, exclusions and rungs reached"
    lines += ["", f"{passed} passed, {results.failed} failed; {reached}"]
    for kind, each in results.coverage.items():
        if coverage and each.total:
            lines.append(f"  {_COUNTED[kind]}: {len(each.reached)} of {each.total}")
            lines += [f"    not {name}" for name in each.missed]
    return "\n".join(lines)


def render_json(results: Results) -> str:
    """The results as a JSON document."""
    from msgspec import json

    document = {
        "passed": len(results.cases) - results.failed,
        "failed": results.failed,
        "cases": [
            {
                "name": case.name,
                **_place(case.span),
                "passed": case.passed,
                "problem": case.problem,
                "differences": [
                    {"field": each.field, "expected": each.expected, "actual": each.actual, **_place(each.span)}
                    for each in case.differences
                ],
            }
            for case in results.cases
        ],
        "coverage": {
            "share": results.covered,
            **{
                kind.replace(" ", "_"): {"reached": each.reached, "missed": each.missed}
                for kind, each in results.coverage.items()
            },
        },
    }
    return json.format(json.Encoder(decimal_format="number").encode(document), indent=2).decode()


def _case(case: CaseResult, color: bool) -> list[str]:
    def paint(text: str, paint: str) -> str:
        return f"\x1b[{paint}m{text}\x1b[0m" if color else text

    if case.passed:
        return [f"{paint('ok', '32')}    {visible(case.name)}"]
    lines = [f"{paint('FAIL', '31')}  {visible(case.name)}"]
    if case.problem is not None:
        lines.append(f"      {case.span.file}:{case.span.line}: {visible(case.problem)}")
    for each in case.differences:
        place = f"{each.span.file}:{each.span.line}"
        lines.append(f"      {place}: {each.field}")
        lines.append(paint(f"        - {_shown(each.expected)}", "31"))
        lines.append(paint(f"        + {_shown(each.actual)}", "32"))
    return lines


def _shown(value: Any) -> str:
    return "nothing" if value is None else str(value).lower() if isinstance(value, bool) else visible(str(value))


def _percent(part: Decimal | None) -> str:
    """Rounded down: 100% is all of it."""
    return "-" if part is None else f"{int(part * 100)}%"


def _place(span: Span) -> dict[str, Any]:
    return {"file": span.file, "line": span.line}


async def _run(bundle: Path) -> Results:
    from costpol.evaluate.cases import run_cases
    from costpol.evaluate.explain import Explainer
    from costpol.evaluate.rehearsal import rehearse

    async with rehearse(read_bundle(bundle), time.time, pays=False) as rehearsal:
        tell_errors(count_errors(rehearsal.snapshot.findings), bundle)
        return await run_cases(Explainer(rehearsal))
