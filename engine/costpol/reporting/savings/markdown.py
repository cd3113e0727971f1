"""The report for a pull request: GitHub-flavoured Markdown, short, with the details folded away."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from html import escape

from costpol.reporting.findings.concise import headline as finding_line
from costpol.reporting.savings.assumptions import assumptions
from costpol.reporting.savings.bars import LABELS
from costpol.reporting.savings.document import route_changes
from costpol.reporting.savings.figures import Against, Group, Savings
from costpol.reporting.savings.text import CACHE_HEAD, cache_rows, headline, money, percent, period, signed, told
from costpol.reporting.terminal import visible

_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~])")
_ROWS = 20


def render_markdown(savings: Savings) -> str:
    """A heading, the waterfall as a table, the comparison where there is one, and folded details."""
    mark = ("🟢" if savings.saved >= 0 else "🔴") if savings.known else "⚪"
    parts = [
        f"### {mark} costpol dry-run: {headline(savings)}",
        f"{savings.requests:,} requests, {period(savings)}, policy `{savings.policy[:12]}`",
        _waterfall(savings) if savings.known else "",
    ]
    if savings.against is not None:
        parts.append(_against(savings, savings.against))
    parts.append(_cache_and_budgets(savings))
    parts.append(_folded("Rules, intents and models", _details(savings)))
    shown = "\n".join(f"- {escaped(finding_line(finding))}" for finding in savings.findings)
    parts.append(_folded("What the log shows", shown))
    rests_on = "\n".join(f"- {escaped(each)}" for each in assumptions(savings))
    parts.append(_folded("What these figures rest on", rests_on))
    if savings.skipped:
        lines = "\n".join(f"- {escaped(line)}" for line in savings.skipped_first)
        parts.append(_folded(f"{savings.skipped:,} lines are no records", lines))
    return "\n\n".join(part for part in parts if part)


def escaped(text: str) -> str:
    """Text of a log or a policy that Markdown shows as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", escape(visible(text), quote=False))


def _waterfall(savings: Savings) -> str:
    scale = savings.baseline
    rows = [("before", "", "", f"**{money(savings.baseline, scale)}**")]
    for lever in savings.levers:
        if lever.saved or lever.own_cost:
            name = LABELS.get(lever.name, lever.name) + (" 🔴 a loss" if lever.net < 0 else "")
            own = money(lever.own_cost, scale) if lever.own_cost else ""
            rows.append((escaped(name), money(lever.saved, scale), own, money(-lever.net, scale)))
    rows.append(("after", "", "", f"**{money(savings.cost, scale)}**"))
    return _table(("lever", "saved", "own cost", "bill"), rows)


def _against(new: Savings, against: Against) -> str:
    old = against.savings
    scale = max(new.baseline, old.baseline)
    difference = new.paid - old.paid
    word = "cheaper 🟢" if difference < 0 else "dearer 🔴" if difference > 0 else "as dear"
    nets = {lever.name: lever.net for lever in old.levers}
    rows = [
        (LABELS.get(lever.name, lever.name), *(money(each, scale) for each in (was, lever.net, lever.net - was)))
        for lever in new.levers
        if (was := nets.get(lever.name, 0)) or lever.net
    ]
    lines = [
        f"**Against `{old.policy[:12]}`: {money(abs(difference), scale)} {word}**; "
        f"{against.changed:,} of {new.requests:,} requests are decided differently.",
        _table(("lever", "was", "is", "change"), rows),
    ]
    routes = ", ".join(
        f"{escaped(model)} {change:+,}" for model, change in route_changes(new.routes, old.routes).items()
    )
    if routes:
        lines.append(f"Requests per model: {routes}")
    if against.changes:
        changes = [
            (f"{change.requests:,}", escaped(told(change)), signed(change.cost, scale), escaped(change.example))
            for change in against.changes
        ]
        lines.append(_folded("What is decided differently", _table(("requests", "change", "cost", "such as"), changes)))
    return "\n\n".join(lines)


def _cache_and_budgets(savings: Savings) -> str:
    cache = savings.cache
    lines = []
    if cache.lookups:
        wrong = f", wrong {cache.wrong_hits:,} of {cache.judged:,} judged" if cache.judged else ""
        lines.append(f"- cache: {cache.hits:,} hits in {cache.lookups:,} lookups ({percent(cache.hit_rate)}){wrong}")
    for name, budget in savings.budgets.items():
        if budget.refused or budget.rungs:
            lines.append(f"- budget {escaped(name)}: peak {percent(budget.peak)}, {budget.refused:,} refused")
    return "\n".join(lines)


def _details(savings: Savings) -> str:
    tables = [_groups("rule", dict(savings.rules)), _groups("intent", dict(savings.intents))]
    cached = [(escaped(name), *figures) for name, *figures in cache_rows(savings.intents)[:_ROWS]]
    if cached:
        tables.append(_table(CACHE_HEAD, cached))
    routes = [(escaped(model), f"{count:,}") for model, count in savings.routes.items()]
    return "\n\n".join([*tables, _table(("model called", "requests"), routes)])


def _groups(kind: str, groups: dict[str, Group]) -> str:
    scale = max((group.baseline for group in groups.values()), default=0)
    rows = [
        (
            escaped(name), f"{group.requests:,}", f"{group.cache.hits:,}",
            *(money(each, scale) for each in (group.baseline, group.policy, group.saved)),
            percent(None if group.baseline == 0 else Decimal(group.saved) / Decimal(group.baseline)),
        )
        for name, group in list(groups.items())[:_ROWS]
    ]  # fmt: skip
    return _table((kind, "requests", "hits", "before", "after", "saved", ""), rows)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---", *("---:",) * (len(head) - 1)), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>" if body else ""
