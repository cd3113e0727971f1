"""A minimal sound policy, and the linter over it with some of its files replaced."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from costpol.diagnostics import Diagnostic
from costpol.inference.prices import Price
from costpol.inference.rates import Rates
from costpol.lint.facts import Facts
from costpol.lint.runner import lint
from costpol.policy.bundle import Bundle
from costpol.policy.loader import load_bundle
from costpol.policy.nodes.models import Model, OwnPrice

CASES = Path(__file__).parents[2] / "cases" / "lint"
_LISTED = {
    "gpt-4.1-mini": Rates.per_million(input=Decimal("0.40"), output=Decimal("1.60"), cache_read=Decimal("0.10")),
}


def price_of(name: str, model: Model) -> Price | None:
    own = model.price
    if isinstance(own, OwnPrice) and own.input is not None and own.output is not None:
        return Price(Rates.per_million(input=own.input, output=own.output))
    if isinstance(own, OwnPrice) and own.gpu_hour is not None and own.tokens_per_second is not None:
        return Price.from_gpu_hour(own.gpu_hour, own.tokens_per_second)
    reference = own.partition("/")[2] if isinstance(own, str) else model.name or name
    return Price(_LISTED[reference]) if reference in _LISTED else None


FACTS = Facts(
    price_of=price_of,
    prices_as_of=date(2026, 1, 1),
    today=date(2026, 1, 15),
    cache_thresholds={"static-en": Decimal("0.90")},
)


def _bundle(files: Iterable[str]) -> Bundle:
    """The sound policy with some of its files replaced; a file of a kind alone takes that kind away."""
    chosen = {path.stem: path.read_text() for path in sorted((CASES / "sound").glob("*.yaml"))}
    for text in files:
        match = re.match(r"kind: (\w+)\n?", text)
        assert match is not None, text
        chosen[match[1]] = text if text.strip() != match.group().strip() else ""
    loaded = load_bundle({f"{kind}.yaml": text.encode() for kind, text in chosen.items() if text})
    assert loaded.bundle is not None, loaded.diagnostics
    return loaded.bundle


Linter = Callable[..., list[Diagnostic]]


@pytest.fixture
def bundle_of() -> Callable[..., Bundle]:
    return lambda *files: _bundle(files)


@pytest.fixture
def facts() -> Facts:
    return FACTS


@pytest.fixture
def linted() -> Linter:
    """The findings about the sound policy with the given files in place of its own. `options` change facts."""

    def run(*files: str, options: Mapping[str, str] | None = None) -> list[Diagnostic]:
        dated = (options or {}).get("prices_as_of")
        known = replace(FACTS, prices_as_of=date.fromisoformat(dated)) if dated else FACTS
        return lint(_bundle(files), known)

    return run


@pytest.fixture
def codes(linted: Linter) -> Callable[..., list[str]]:
    """The codes of those findings."""
    return lambda *files, **more: [finding.code for finding in linted(*files, **more)]
