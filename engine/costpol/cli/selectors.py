"""Findings by code (`CP303`), by name (`personal-intent-cached`), by family (`CP3`), or all (`ALL`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from costpol.diagnostics import Diagnostic
from costpol.errors import UsageError

_ALL = "CP"


@dataclass(frozen=True, slots=True)
class Selector:
    """A code, or the beginning of one; `written` is how it was said."""

    written: str
    prefix: str

    def weight(self, finding: Diagnostic) -> int:
        """How much of a finding's code this says; 0 where it means another."""
        return len(self.prefix) if finding.code.startswith(self.prefix) else 0


def read_selectors(words: Iterable[str], source: str) -> tuple[Selector, ...]:
    """Selectors, also several in one word with commas between. Raises `UsageError` for one that selects nothing."""
    parts = [part.strip() for word in words for part in word.split(",")]
    return tuple(_read(part, source) for part in parts if part)


def _read(word: str, source: str) -> Selector:
    known = _known()
    code = known.get(word.lower())
    prefix = code or (_ALL if word.upper() == "ALL" else word.upper())
    if prefix.startswith(_ALL) and any(each.startswith(prefix) for each in known.values()):
        return Selector(word, prefix)
    from costpol.policy.suggestion import did_you_mean

    guess = did_you_mean(word, [*known, *known.values()])
    help = guess or "write a code such as `CP303`, a family such as `CP3`, or a name; `costpol rule --all` lists them"
    raise UsageError(f"{source}: no finding is called `{word[:60]}`", help)


@cache
def _known() -> dict[str, str]:
    """The code of every finding, by its name."""
    from costpol.lint.registry import RULES
    from costpol.policy.codes import CATALOGUE

    return {each.name: each.code for each in CATALOGUE} | {rule.NAME: rule.CODE for rule in RULES}
