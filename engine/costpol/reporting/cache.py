"""What an answer cache holds, and what became of answers put into it, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from costpol.reporting.terminal import printed, visible
from costpol.units import format_usd

_WIDTH = 100


def render_stats(caches: Sequence[Mapping[str, Any]]) -> str:
    """One table per cache, a row per intent; without a cache a sentence."""
    return "\n\n".join(map(_stats, caches)) if caches else "there is no answer cache in this folder"


def _stats(cache: Mapping[str, Any]) -> str:
    from rich.table import Table

    most = f" of {cache['max_entries']:,}" if "max_entries" in cache else ""
    place = f"{cache['folder']}, " if "folder" in cache else ""
    title = f"{place}embedder {cache['embedder']}: {cache['entries']:,}{most} answers, {_size(cache['bytes'])}"
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("intent", "answers", "expired", "size", "cost", "hits", "saved"):
        table.add_column(name, justify="left" if name == "intent" else "right")
    for name, row in [*cache["intents"].items(), ("in all", cache)]:
        table.add_row(
            visible(name), f"{row['entries']:,}", f"{row['expired']:,}", _size(row["bytes"]),
            _money(row["cost_usd"]), f"{row['hits']:,}", _money(row["saved_usd"]),
        )  # fmt: skip
    shown = printed(lambda console: console.print(table), _WIDTH)
    learned = [_learned(row) for row in cache.get("learned", ())]
    return "\n".join([title, "", shown, *(["", *learned] if learned else [])])


def _learned(row: Mapping[str, Any]) -> str:
    return (
        f"{visible(row['intent'])}: at most {float(row['max_wrong_hits']):.1%} wrong is the limit; {row['hits']:,} "
        f"hits given by it, {float(row['wrong_at_most']):.1f} of them wrong at most, from {row['verdicts']:,} verdicts"
    )


def render_warmed(found: Mapping[str, Any]) -> str:
    """What became of the lines."""
    answers = "1 known answer" if found["lines"] == 1 else f"{found['lines']:,} known answers"
    skipped = sum(found["skipped"].values())
    lines = [
        f"{answers}: {found['stored']:,} stored, {found['replaced']:,} replaced, {found['renewed']:,} renewed, "
        f"{found['known']:,} there already, {skipped:,} skipped"
    ]
    lines += [f"  kept for {visible(name)}: {count:,}" for name, count in found["intents"].items()]
    lines += [f"  skipped {count:,}: {visible(reason)}" for reason, count in found["skipped"].items()]
    return "\n".join(lines)


def _money(amount: Decimal) -> str:
    return format_usd(amount, 6 if amount < 1 else 2)


def _size(count: int) -> str:
    return f"{count / 2**20:.1f} MiB" if count >= 2**20 else f"{count / 1024:.1f} KiB"
