"""One mistake does not hide the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from costpol.lint.facts import Facts
from costpol.lint.reading import read_policy

SOUND = {
    path.name: path.read_bytes() for path in (Path(__file__).parents[2] / "cases" / "sins" / "sound").glob("*.yaml")
}


def _found(facts: Facts, **changes: tuple[tuple[str, str], ...]) -> list[str]:
    files = dict(SOUND)
    for kind, pairs in changes.items():
        text = files[f"{kind}.yaml"].decode()
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new, 1)
        files[f"{kind}.yaml"] = text.encode()
    found = read_policy(files, facts).findings
    return [f"{each.code} {each.span.file}:{each.span.line}:{each.span.column}" for each in found]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"cache": (("ttl: 24h", "tll: 24h"), ("0.95", "0.82"))}, ["CP401 cache.yaml:3:20", "CP101 cache.yaml:3:26"]),
        (
            {"routing": (("route: strong", "rute: strong"), ("intent: complaint", "intent: complain"))},
            ["CP102 routing.yaml:5:20", "CP101 routing.yaml:6:5"],
        ),
        (
            {"models": (("small: tiny", "small: tny"),), "budgets": (("month, time_zone: Europe/Berlin", "month"),)},
            ["CP603 budgets.yaml:3:34", "CP102 models.yaml:8:10"],
        ),
        (
            {
                "routing": (("default: small", "default:\tsmall"),),
                "budgets": (("ladder:", "ledger_down: allow\nladder:"),),
            },
            ["CP605 budgets.yaml:5:14", "CP001 routing.yaml:2:9"],
        ),
        (
            {"cache": (("scope: tenant", "scope: tennant"), ("0.95", "95"))},
            ["CP104 cache.yaml:3:20", "CP109 cache.yaml:3:41"],
        ),
    ],
)  # fmt: skip
def test_mixtures_are_told_one_by_one(
    changes: dict[str, tuple[tuple[str, str], ...]], found: list[str], facts: Facts
) -> None:
    assert _found(facts, **changes) == found


def test_a_guess_brings_no_findings_of_its_own(facts: Facts) -> None:
    assert _found(facts, budgets=(("ladder:", "ledger-down: allow\nladder:"),)) == ["CP101 budgets.yaml:5:1"]
    assert _found(facts, intents=(("  faq:", "  frequent questions:"),))[:1] == ["CP107 intents.yaml:3:3"]
    assert _found(facts, routing=(("default: small", "defalt: strong"),)) == ["CP101 routing.yaml:2:1"]
