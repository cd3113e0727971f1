"""The report for a terminal: the waterfall first, then where the requests went, then what was assumed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from costpol.reporting.findings.concise import headline as finding_line
from costpol.reporting.savings.assumptions import assumptions, counted
from costpol.reporting.savings.bars import LABELS, Bar, bars
from costpol.reporting.savings.document import route_changes
from costpol.reporting.savings.figures import Against, CacheFigures, Change, Group, Savings
from costpol.reporting.terminal import printed, visible
from costpol.units import format_usd, usd

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WIDTH = 100
_BAR = 34
_ROWS = 12
"""Rules and intents that are listed; the rest is one line."""


def render_text(savings: Savings, *, color: bool = False) -> str:
    """The whole report, at most `WIDTH` columns wide."""
    return printed(lambda console: _report(console, savings), WIDTH, color=color)


def _report(console: Console, savings: Savings) -> None:
    _header(console, savings)
    if savings.known:
        _waterfall(console, savings)
    if savings.against is not None:
        _against(console, savings, savings.against)
    _groups(console, "rule", savings.rules)
    _groups(console, "intent", savings.intents)
    _routes(console, savings)
    _cache(console, savings.cache)
    _cache_by_intent(console, savings.intents)
    _budgets(console, savings)
    if savings.findings:
        _notes(console, "What the log shows", [finding_line(finding) for finding in savings.findings])
    _notes(console, "What these figures rest on", assumptions(savings))
    if savings.skipped:
        title = f"Lines that are no records: {savings.skipped:,}"
        _notes(console, title, list(savings.skipped_first))


def money(picodollars: int, scale: int) -> str:
    """Dollars with as many places as the largest amount around it (`scale`) makes sensible; a gain or loss has a sign
    of its own only where it is a loss."""
    return format_usd(usd(picodollars), places(scale))


def places(picodollars: int) -> int:
    """Decimal places that show an amount with about four digits, at least cents."""
    dollars = abs(usd(picodollars))
    return 2 if dollars >= 100 else 4 if dollars >= 1 else 6


def percent(part: Decimal | None) -> str:
    """`57.8%`, or a dash where nothing was measured."""
    return "-" if part is None else f"{part * 100:.1f}%"


def period(savings: Savings) -> str:
    """`2026-01-12 08:00 to 2026-01-18 19:40 UTC`."""
    if savings.first is None or savings.last is None:
        return "-"
    first, last = (datetime.fromtimestamp(each, UTC) for each in (savings.first, savings.last))
    return f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"


def headline(savings: Savings) -> str:
    """The result in one sentence, and how much of the log it leaves out."""
    if not savings.known:
        paid = money(savings.paid, savings.paid)
        return f"what the policy saves is not known, for no request has a known baseline: it pays {paid}"
    verb = "saves" if savings.saved >= 0 else "loses"
    fraction = savings.saved_fraction
    whole = "" if fraction is None else f", {abs(fraction) * 100:.1f}%"
    scale = savings.baseline
    left_out = f" (without {counted(savings.unpriced)} of unknown baseline)" if savings.unpriced else ""
    return (
        f"the policy {verb} {money(abs(savings.saved), scale)} of {money(savings.baseline, scale)}{whole}: "
        f"{money(savings.cost, scale)} remain{left_out}"
    )


def _header(console: Console, savings: Savings) -> None:
    console.print(f"costpol dry-run   policy {savings.policy[:12]}", style="bold")
    console.print(f"{savings.requests:,} requests, {period(savings)}", style="dim")
    console.print()
    paint = ("green" if savings.saved >= 0 else "red") if savings.known else "yellow"
    console.print(headline(savings), style=f"bold {paint}")


def _waterfall(console: Console, savings: Savings) -> None:
    table = _table(("lever", "left"), ("", "left"), ("saved", "right"), ("own cost", "right"), ("bill", "right"))
    by_label = {LABELS.get(lever.name, lever.name): lever for lever in savings.levers}
    scale = savings.baseline
    highest = max([max(bar.start, bar.end) for bar in bars(savings)] + [1])
    for bar in bars(savings):
        drawn = _drawn(bar, highest)
        if bar.total:
            table.add_row(bar.label, drawn, "", "", money(bar.end, scale), style="bold")
            continue
        lever = by_label[bar.label]
        own = money(lever.own_cost, scale) if lever.own_cost else ""
        style = "red" if lever.net < 0 else "green"
        note = " (a loss)" if lever.net < 0 else ""
        table.add_row(bar.label + note, drawn, money(lever.saved, scale), own, money(-lever.net, scale), style=style)
    _print(console, table)


def _drawn(bar: Bar, highest: int) -> str:
    low, high = sorted((max(bar.start, 0), max(bar.end, 0)))
    left, right = (round(level * _BAR / highest) for level in (low, high))
    if right == left and low != high:
        return " " * min(left, _BAR - 1) + "▏"
    return " " * left + "█" * (right - left)


def _against(console: Console, new: Savings, against: Against) -> None:
    from rich.table import Table

    old = against.savings
    scale = max(new.baseline, old.baseline)
    difference = new.paid - old.paid
    word = "cheaper" if difference < 0 else "dearer" if difference > 0 else "as dear"
    console.print()
    console.print(f"Against policy {old.policy[:12]}: {money(abs(difference), scale)} {word}", style="bold")
    console.print(f"{against.changed:,} of {new.requests:,} requests are decided differently")
    nets = {lever.name: lever.net for lever in old.levers}
    table = _table(("lever", "left"), ("was", "right"), ("is", "right"), ("change", "right"))
    for lever in new.levers:
        before = nets.get(lever.name, 0)
        if before or lever.net:
            name = LABELS.get(lever.name, lever.name)
            table.add_row(name, *(money(each, scale) for each in (before, lever.net, lever.net - before)))
    _print(console, table)
    for model, more in route_changes(new.routes, old.routes).items():
        console.print(f"  {visible(model)}: {more:+,} requests")
    if not against.changes:
        return
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(justify="right")
    table.add_column(overflow="fold")
    table.add_column(justify="right")
    for change in against.changes:
        text = f"{visible(told(change))}, such as {visible(change.example)}"
        table.add_row(f"{change.requests:,} x", text, signed(change.cost, scale))
    _print(console, table)


def told(change: Change) -> str:
    """`model gpt-4.1 -> gpt-4.1-mini, cache miss -> hit; exact`."""
    return ", ".join(f"{name} {was} -> {now}" for name, (was, now) in change.fields.items()) or "another cost"


def signed(picodollars: int, scale: int) -> str:
    """A difference with its sign: `+$0.0123`, `-$0.0123`."""
    return f"{'' if picodollars < 0 else '+'}{money(picodollars, scale)}"


def _groups(console: Console, kind: str, groups: Mapping[str, Group]) -> None:
    if not groups:
        return
    table = _table(
        (kind, "left"), ("requests", "right"), ("hits", "right"), ("before", "right"), ("after", "right"),
        ("saved", "right"), ("", "right"),
    )  # fmt: skip
    scale = max(group.baseline for group in groups.values())
    listed = list(groups.items())
    for name, group in listed[:_ROWS]:
        saved = None if group.baseline == 0 else Decimal(group.saved) / Decimal(group.baseline)
        table.add_row(
            visible(name), f"{group.requests:,}", f"{group.cache.hits:,}", money(group.baseline, scale),
            money(group.policy, scale), money(group.saved, scale), percent(saved),
        )  # fmt: skip
    _print(console, table)
    if len(listed) > _ROWS:
        console.print(f"  and {len(listed) - _ROWS} more", style="dim")


def _routes(console: Console, savings: Savings) -> None:
    called = sum(savings.routes.values())
    table = _table(("model called", "left"), ("requests", "right"), ("", "right"), ("", "left"))
    for model, count in savings.routes.items():
        table.add_row(
            visible(model), f"{count:,}", percent(Decimal(count) / called), "█" * round(count * _BAR / called)
        )
    if called:
        _print(console, table)
    if savings.refused:
        refused = "1 request is refused" if savings.refused == 1 else f"{savings.refused:,} requests are refused"
        console.print(f"  {refused}", style="yellow")


def _cache(console: Console, cache: CacheFigures) -> None:
    if not cache.lookups:
        return
    console.print()
    console.print(
        f"cache: {cache.lookups:,} lookups, {cache.hits:,} hits ({percent(cache.hit_rate)}): {cache.exact:,} exact, "
        f"{cache.similar:,} similar"
    )
    if cache.judged:
        style = "red" if cache.wrong_hits else "green"
        judged = f"judged by answer_id: {cache.judged:,}"
        console.print(f"       {judged}, wrong: {cache.wrong_hits:,} ({percent(cache.wrong_hit_rate)})", style=style)
    elif cache.hits:
        console.print("       no hit can be judged: the log names no right answers (`answer_id`)", style="dim")
    if cache.refused_by_guard:
        named = ", ".join(f"{name} {count:,}" for name, count in sorted(cache.guards.items()))
        by = f" ({named})" if named else ""
        console.print(f"       guards refused a kept answer in {cache.refused_by_guard:,} lookups{by}", style="dim")


def _cache_by_intent(console: Console, intents: Mapping[str, Group]) -> None:
    rows = cache_rows(intents)
    if not rows:
        return
    table = _table(*((title, "right" if number else "left") for number, title in enumerate(CACHE_HEAD)))
    for name, *figures in rows[:_ROWS]:
        table.add_row(visible(name), *figures)
    _print(console, table)
    if len(rows) > _ROWS:
        console.print(f"  and {len(rows) - _ROWS} more", style="dim")


CACHE_HEAD = ("cache of intent", "lookups", "hits", "", "wrong", "saved", "own cost", "net")


def cache_rows(intents: Mapping[str, Group]) -> list[tuple[str, ...]]:
    """What the cache saved per intent, net of what it cost itself. The first cell is the intent's name, as it is."""
    asked = {name: group.cache for name, group in intents.items() if group.cache.lookups}
    scale = max((cache.saved for cache in asked.values()), default=0)
    return [
        (
            name, f"{cache.lookups:,}", f"{cache.hits:,}", percent(cache.hit_rate), percent(cache.wrong_hit_rate),
            *(money(each, scale) for each in (cache.saved, cache.own_cost, cache.net)),
        )
        for name, cache in asked.items()
    ]  # fmt: skip


def _budgets(console: Console, savings: Savings) -> None:
    if not savings.budgets:
        return
    table = _table(
        ("budget", "left"), ("per", "left"), ("peak", "right"), ("refused", "right"), ("rungs reached", "left")
    )
    for name, budget in savings.budgets.items():
        per = budget.per if budget.each is None else f"{budget.per}, each of {budget.subjects:,} {budget.each}s"
        rungs = ", ".join(f"{label}: {count:,}" for label, count in budget.rungs.items())
        style = "yellow" if budget.refused else None
        table.add_row(visible(name), per, percent(budget.peak), f"{budget.refused:,}", rungs, style=style)
    _print(console, table)


def _notes(console: Console, title: str, notes: list[str]) -> None:
    from rich.padding import Padding
    from rich.text import Text

    console.print()
    console.print(title, style="bold")
    for note in notes:
        text = Text("- ")
        text.append(visible(note))
        console.print(Padding(text, (0, 0, 0, 1)))


def _table(*columns: tuple[str, str]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name, side in columns:
        table.add_column(name, justify="right" if side == "right" else "left", no_wrap=True, overflow="ellipsis")
    return table


def _print(console: Console, table: Table) -> None:
    console.print()
    console.print(table)
