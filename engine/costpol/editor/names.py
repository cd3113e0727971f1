"""The names of a policy: where each is declared, and where it is meant.

The declarations know that a key takes a name, but not whose. These tables say so; a test finds the key they forget.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from costpol.diagnostics import Span
from costpol.editor.context import Path
from costpol.editor.language import Slot, walk
from costpol.editor.positions import split_lines
from costpol.policy.loader import KINDS
from costpol.policy.node import Node
from costpol.policy.nodes.batch import Batch, BatchIntent
from costpol.policy.nodes.budgets import Budgets, Rung
from costpol.policy.nodes.cache import Cache, IntentCache
from costpol.policy.nodes.intents import Intents
from costpol.policy.nodes.matcher import When
from costpol.policy.nodes.models import Model, Models
from costpol.policy.nodes.personalization import Exclusion
from costpol.policy.nodes.prompts import IntentPrompt, Prompts, Template
from costpol.policy.nodes.routing import Fallback, Routing, Rule
from costpol.policy.nodes.tests import Case, Expect, Fixture, Kept, Recorded, Tests
from costpol.policy.references import BUILT_IN_EMBEDDER, OTHERWISE, REQUESTED
from costpol.policy.templates import PLACEHOLDER
from costpol.policy.tree import MapTree, ScalarTree

TARGET = "tier or model"
BUILT_IN: Mapping[str, Mapping[str, str]] = {
    "tier": {REQUESTED: "the model that the caller asked for"},
    "embedder": {BUILT_IN_EMBEDDER: "the embedder that ships with costpol: no network, no key, no cost per call"},
    "intent": {OTHERWISE: "what no intent covers, unless `otherwise` of the `intents` file names it"},
    "rule": {"default": "what happens when no rule matches"},
}
"""The names that are always there."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a name stands for, and whether it is declared here rather than meant."""

    what: str
    declares: bool = False
    built_in: bool = True
    """Whether names that are always there can be meant, too."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """What it can have been declared as."""
        return ("tier", "model") if self.what == TARGET else (self.what,)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A name where it stands."""

    meaning: Meaning
    name: str
    span: Span
    path: Path
    """Of the value, or of the mapping whose key it is."""

    @property
    def template(self) -> str | None:
        """The template that a variable belongs to; `None` where any may be meant."""
        return self.path[1] if self.meaning.what == "variable" and self.path[:1] == ("templates",) else None


_Key = tuple[type[Node], str]

MEMBERS: Mapping[_Key, Meaning] = {
    (Models, "providers"): Meaning("provider", declares=True),
    (Models, "models"): Meaning("model", declares=True),
    (Models, "tiers"): Meaning("tier", declares=True),
    (Models, "embedders"): Meaning("embedder", declares=True),
    (Intents, "intents"): Meaning("intent", declares=True),
    (Prompts, "templates"): Meaning("template", declares=True),
    (Template, "variables"): Meaning("variable", declares=True),
    (Budgets, "budgets"): Meaning("budget", declares=True),
    (Cache, "intents"): Meaning("intent"),
    (Prompts, "intents"): Meaning("intent"),
    (Batch, "intents"): Meaning("intent"),
    (Tests, "fixtures"): Meaning("fixture", declares=True),
    (Case, "spent"): Meaning("budget"),
    (Fixture, "spent"): Meaning("budget"),
}
"""What the names in a mapping stand for."""

VALUES: Mapping[_Key, Meaning] = {
    (Intents, "otherwise"): Meaning("intent", declares=True),
    (Rule, "name"): Meaning("rule", declares=True),
    (Model, "provider"): Meaning("provider"),
    (Models, "tiers"): Meaning("model"),
    (Rule, "route"): Meaning(TARGET),
    (Routing, "default"): Meaning(TARGET),
    (Fallback, "to"): Meaning(TARGET, built_in=False),
    (Rung, "route"): Meaning(TARGET, built_in=False),
    (Rung, "budgets"): Meaning("budget"),
    (When, "intent"): Meaning("intent"),
    (Exclusion, "intents"): Meaning("intent"),
    (Exclusion, "variables"): Meaning("variable"),
    (Cache, "embedder"): Meaning("embedder"),
    (IntentCache, "tags"): Meaning("tag", declares=True),
    (IntentPrompt, "template"): Meaning("template"),
    (BatchIntent, "provider"): Meaning("provider"),
    (Case, "use"): Meaning("fixture"),
    (Recorded, "intent"): Meaning("intent"),
    (Kept, "intent"): Meaning("intent"),
    (Expect, "intent"): Meaning("intent"),
    (Expect, "rule"): Meaning("rule"),
    (Expect, "model"): Meaning("model"),
    (Expect, "template"): Meaning("template"),
}
"""What a scalar stands for, as the value of a key or as an item of its list."""


def meaning_of(slot: Slot, is_key: bool) -> Meaning | None:
    """What a name at a slot stands for; `is_key` asks for the names in a mapping there."""
    if slot.owner is None or slot.key is None:
        return None
    if is_key:
        return MEMBERS.get((slot.owner, slot.key.attribute)) if slot.takes_names else None
    return VALUES.get((slot.owner, slot.key.attribute)) if slot.takes_text else None


def occurrences(tree: MapTree, kind: str, text: str) -> tuple[Occurrence, ...]:
    """Every name in a file, in the order written."""
    lines = split_lines(text)
    found: list[Occurrence] = []
    for scalar, slot, path, is_key in walk(tree, Slot(KINDS[kind])):
        meaning = meaning_of(slot, is_key)
        if meaning is not None:
            found.append(Occurrence(meaning, scalar.text, _inner(scalar), path))
        elif slot.owner is Template and slot.key is not None and slot.key.attribute == "system" and not is_key:
            found += _placeholders(scalar, lines, path)
    return tuple(found)


def _inner(scalar: ScalarTree) -> Span:
    """The span without quotes."""
    span = scalar.span
    if scalar.plain or span.end_column - span.column < 2:
        return span
    return Span(span.file, span.line, span.column + 1, span.end_line, span.end_column - 1)


def _placeholders(scalar: ScalarTree, lines: list[str], path: Path) -> Iterator[Occurrence]:
    span = scalar.span
    for number in range(span.line, span.end_line + 1):
        line = lines[number - 1] if number <= len(lines) else ""
        last = span.end_column - 1 if number == span.end_line else len(line)
        for match in PLACEHOLDER.finditer(line, span.column - 1 if number == span.line else 0, last):
            place = Span(span.file, number, match.start(1) + 1, number, match.end(1) + 1)
            yield Occurrence(Meaning("variable"), match[1], place, path)


def placeholder_before(line: str, column: int) -> str | None:
    """What is typed of a placeholder that is still open at a column."""
    match = re.search(r"\{\{\s*([^{}\s]*)$", line[:column])
    return match[1] if match else None
