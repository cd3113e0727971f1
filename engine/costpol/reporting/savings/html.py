"""The report as one HTML file: the waterfall as inline SVG, nothing loaded from anywhere, everything escaped."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from costpol.reporting.findings.concise import headline as finding_line
from costpol.reporting.page import fill
from costpol.reporting.savings.assumptions import assumptions
from costpol.reporting.savings.bars import LABELS, bars
from costpol.reporting.savings.document import route_changes
from costpol.reporting.savings.figures import Group, Savings
from costpol.reporting.savings.text import CACHE_HEAD, cache_rows, headline, money, percent, period, signed, told
from costpol.reporting.terminal import visible

_WIDTH, _ROW, _LEFT, _RIGHT = 760, 34, 150, 110


@dataclass(frozen=True, slots=True)
class Drawn:
    """One bar in pixels."""

    label: str
    amount: str
    x: int
    width: int
    y: int
    kind: str
    """`total`, `saving` or `loss`."""


def render_html(savings: Savings) -> str:
    """A whole document."""
    return fill("costpol.reporting.savings", {"percent": percent}, _page(savings))


def _page(savings: Savings) -> dict[str, Any]:
    drawn = _draw(savings)
    return {
        "headline": headline(savings),
        "lost": savings.saved < 0,
        "period": period(savings),
        "savings": savings,
        "bars": drawn,
        "chart": {"width": _WIDTH, "height": _ROW * len(drawn) + 8, "left": _LEFT, "row": _ROW},
        "levers": [
            {
                "label": LABELS.get(lever.name, lever.name),
                "saved": money(lever.saved, savings.baseline),
                "own": money(lever.own_cost, savings.baseline),
                "net": money(lever.net, savings.baseline),
                "loss": lever.net < 0,
            }
            for lever in savings.levers
        ],
        "groups": [("rule", _rows(dict(savings.rules))), ("intent", _rows(dict(savings.intents)))],
        "cache_head": CACHE_HEAD,
        "cached": [(visible(name), *figures) for name, *figures in cache_rows(savings.intents)],
        "called": max(sum(savings.routes.values()), 1),
        "against": _against(savings),
        "findings": [finding_line(finding) for finding in savings.findings],
        "assumptions": assumptions(savings),
    }


def _draw(savings: Savings) -> list[Drawn]:
    shown = bars(savings)
    highest = max([max(bar.start, bar.end) for bar in shown] + [1])
    room = _WIDTH - _LEFT - _RIGHT
    drawn = []
    for row, bar in enumerate(shown):
        low, high = (max(level, 0) * room // highest for level in sorted((bar.start, bar.end)))
        kind = "total" if bar.total else "saving" if bar.end <= bar.start else "loss"
        amount = bar.end if bar.total else bar.end - bar.start
        drawn.append(
            Drawn(bar.label, money(amount, savings.baseline), _LEFT + low, max(high - low, 2), row * _ROW + 4, kind)
        )
    return drawn


def _rows(groups: dict[str, Group]) -> list[dict[str, str]]:
    scale = max((group.baseline for group in groups.values()), default=0)
    return [
        {
            "name": visible(name),
            "requests": f"{group.requests:,}",
            "hits": f"{group.cache.hits:,}",
            "wrong": f"{group.cache.wrong_hits:,}" if group.cache.judged else "-",
            "before": money(group.baseline, scale),
            "after": money(group.policy, scale),
            "saved": money(group.saved, scale),
            "fraction": percent(None if group.baseline == 0 else Decimal(group.saved) / Decimal(group.baseline)),
        }
        for name, group in groups.items()
    ]


def _against(savings: Savings) -> dict[str, Any] | None:
    if savings.against is None:
        return None
    old = savings.against.savings
    scale = max(savings.baseline, old.baseline)
    nets = {lever.name: lever.net for lever in old.levers}
    difference = savings.paid - old.paid
    return {
        "policy": old.policy[:12],
        "amount": money(abs(difference), scale),
        "word": "cheaper" if difference < 0 else "dearer" if difference > 0 else "as dear",
        "changed": savings.against.changed,
        "levers": [
            {
                "label": LABELS.get(lever.name, lever.name),
                "was": money(nets.get(lever.name, 0), scale),
                "is": money(lever.net, scale),
                "change": money(lever.net - nets.get(lever.name, 0), scale),
            }
            for lever in savings.levers
            if lever.net or nets.get(lever.name, 0)
        ],
        "routes": route_changes(savings.routes, old.routes),
        "changes": [
            {
                "requests": f"{change.requests:,}",
                "told": visible(told(change)),
                "cost": signed(change.cost, scale),
                "example": visible(change.example),
            }
            for change in savings.against.changes
        ],
    }
