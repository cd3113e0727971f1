"""Where a name is declared and where it is meant, what a file declares, and how a name is changed everywhere."""

from __future__ import annotations

from dataclasses import dataclass, field

from costpol.diagnostics import Span
from costpol.editor.context import context_at
from costpol.editor.language import Slot, slot_at
from costpol.editor.names import Meaning, Occurrence, meaning_of
from costpol.editor.positions import Point, holds, span_of
from costpol.editor.project import PolicyFile, Project
from costpol.policy.loader import KINDS
from costpol.policy.nodes.budgets import Rung
from costpol.policy.nodes.tests import Case
from costpol.policy.tree import ListTree, MapTree, ScalarTree, Tree


@dataclass(frozen=True, slots=True)
class Symbol:
    """Something that a file declares. `span` is all of it, `selection` its name."""

    name: str
    what: str
    span: Span
    selection: Span
    children: tuple[Symbol, ...] = field(default=())


def occurrence_at(project: Project, name: str, point: Point) -> Occurrence | None:
    """The name under the cursor, also in a text that cannot be read now."""
    file = project.files[name]
    if file.current:
        return next((each for each in file.names if holds(each.span, point)), None)
    context = context_at(file.text, point)
    slot = slot_at(file.kind, context.path) if context is not None else None
    if context is None or slot is None or not context.word:
        return None
    span = span_of(name, point.line, context.start, context.end)
    meaning = Meaning("variable") if context.text else meaning_of(slot, bool(context.is_key))
    return Occurrence(meaning, context.word, span, context.path) if meaning is not None else None


def definitions(project: Project, name: str, point: Point) -> list[Span]:
    """Where the name under the cursor is declared; none for what is built in or unknown."""
    occurrence = occurrence_at(project, name, point)
    if occurrence is None:
        return []
    return [each.span for each in project.declarations(occurrence.meaning) if _same(each, occurrence)]


def references(project: Project, name: str, point: Point, declarations: bool = True) -> list[Span]:
    """Every place where the name under the cursor stands."""
    occurrence = occurrence_at(project, name, point)
    if occurrence is None:
        return []
    kinds = _kinds(project, occurrence)
    return [
        each.span
        for each in project.names()
        if _same(each, occurrence)
        and kinds & _kinds(project, each)
        and (declarations or not each.meaning.declares)
    ]  # fmt: skip


def symbols(file: PolicyFile) -> list[Symbol]:
    """What a file declares, nested as it is written."""
    if file.tree is None or file.kind is None or not file.current:
        return []
    return _symbols(file.tree, Slot(KINDS[file.kind]))


def _same(one: Occurrence, other: Occurrence) -> bool:
    if one.name != other.name:
        return False
    return None in (one.template, other.template) or one.template == other.template


def _kinds(project: Project, occurrence: Occurrence) -> set[str]:
    """What an occurrence is declared as: where a tier or a model is meant, only the one that is there."""
    meant = set(occurrence.meaning.kinds)
    if occurrence.meaning.declares or len(meant) == 1:
        return meant
    declared = {each.meaning.what for each in project.declarations(occurrence.meaning) if each.name == occurrence.name}
    return declared or meant


def _symbols(tree: Tree, slot: Slot) -> list[Symbol]:
    found: list[Symbol] = []
    if isinstance(tree, MapTree):
        meaning = meaning_of(slot, is_key=True)
        for key, value in tree.members:
            inner = slot.step(key.text)
            children = tuple(_symbols(value, inner)) if inner is not None else ()
            if meaning is not None:
                found.append(Symbol(key.text, meaning.what, _around(key.span, value.span), key.span, children))
            elif inner is not None and inner.takes_names and children:
                found.append(Symbol(key.text, "section", _around(key.span, value.span), key.span, children))
            else:
                found += children
    elif isinstance(tree, ListTree):
        inner = slot.step(None)
        for item in tree.items if inner is not None else ():
            found += _item(item, inner)  # type: ignore[arg-type]
    return found


def _item(item: Tree, slot: Slot) -> list[Symbol]:
    """An item of a list by its name, where it has one."""
    if not isinstance(item, MapTree):
        return []
    title = item.get("name") or (item.get("at") if Rung in slot.nodes() else None)
    if not isinstance(title, ScalarTree) or not title.text:
        return _symbols(item, slot)
    what = "case" if Case in slot.nodes() else "rung" if Rung in slot.nodes() else "rule"
    return [Symbol(title.text, what, item.span, title.span, tuple(_symbols(item, slot)))]


def _around(first: Span, last: Span) -> Span:
    return Span(first.file, first.line, first.column, last.end_line, last.end_column)
