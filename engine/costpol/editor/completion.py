"""What may be written at the cursor: keys, words, names, and references into the price book."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from costpol.editor.context import Context, context_at
from costpol.editor.hover import key_text
from costpol.editor.language import Slot, slot_at
from costpol.editor.names import BUILT_IN, Meaning, meaning_of, placeholder_before
from costpol.editor.positions import Point, split_lines
from costpol.editor.project import PolicyFile, Project
from costpol.policy.declaration import Declared
from costpol.policy.loader import KINDS
from costpol.policy.nodes.models import Model
from costpol.policy.nodes.prompts import Template
from costpol.policy.reference import kind_summary
from costpol.policy.tree import written

_TOP_KEY = re.compile(r"^([\w-]+):", re.MULTILINE)
MOST = 200
"""Of the references into the price book, as many are offered."""


@dataclass(frozen=True, slots=True)
class Completion:
    """One proposal: it replaces the columns from `start` to `end` of the cursor's line (code points from 0)."""

    label: str
    what: str
    """`key`, `word`, `price`, `kind`, or what a name stands for."""
    insert: str
    start: int
    end: int
    detail: str = ""
    doc: str = ""
    first: bool = False
    """Whether it stands before the others: a key that is required."""


def completions(project: Project, name: str, point: Point) -> list[Completion]:
    """The proposals for a point of a file, in a sensible order."""
    file = project.files[name]
    context = context_at(file.text, point)
    if context is None:
        return []
    lines = split_lines(file.text)
    line = lines[point.line] if point.line < len(lines) else ""
    if context.path == ("kind",) or file.kind is None:
        return list(_kinds(context)) if _may_become_policy(project, file) else []
    slot = slot_at(file.kind, context.path)
    if slot is None:
        return []
    if slot.owner is Template and slot.key is not None and slot.key.attribute == "system":
        return list(_variables(project, context, line, point))
    found: list[Completion] = []
    if context.is_key is not False:
        found += _keys(project, slot, context, line)
    if not context.is_key:
        found += _values(project, file, slot, context)
    return found


def _may_become_policy(project: Project, file: PolicyFile) -> bool:
    """Whether a file belongs to a bundle, or says nothing yet that only other files say."""
    in_bundle = any(each.kind is not None for each in project.files.values())
    return in_bundle or all(key == "kind" for key in _TOP_KEY.findall(file.text))


def _kinds(context: Context) -> Iterator[Completion]:
    if context.path == () and context.is_key and "kind" not in context.written:
        yield Completion("kind", "key", "kind: ", context.start, context.end, "what this file declares")
    elif context.path == ("kind",):
        for kind, node in KINDS.items():
            yield Completion(kind, "kind", kind, context.start, context.end, kind_summary(node))


def _keys(project: Project, slot: Slot, context: Context, line: str) -> Iterator[Completion]:
    """The keys, or names of a mapping, that are not written yet."""
    colon = line[context.end :].lstrip().startswith(":")
    for key in slot.known_keys():
        if key.name not in context.written:
            insert = key.name if colon else f"{key.name}:{_after_colon(slot, key, context)}"
            yield Completion(
                key.name, "key", insert, context.start, context.end, key.key.doc, key_text(key), key.required
            )
    meaning = meaning_of(slot, is_key=True)
    if meaning is not None and not meaning.declares:
        for known, what in project.known(meaning).items():
            if known not in context.written:
                insert = written(known) + ("" if colon else ": ")
                yield Completion(known, what, insert, context.start, context.end)


def _after_colon(slot: Slot, key: Declared, context: Context) -> str:
    """A space, unless the value is a block that starts on the next line."""
    inner = slot.step(key.name)
    nests = inner is not None and not inner.takes_text and not inner.words()
    return "" if nests and not context.flow else " "


def _values(project: Project, file: PolicyFile, slot: Slot, context: Context) -> Iterator[Completion]:
    listed = slot.takes_list and not slot.words() and not slot.takes_text
    inner = slot.step(None) if listed else None
    target = inner or slot
    meaning = meaning_of(target, is_key=False)
    if meaning is not None and not meaning.declares:
        for known, what in project.known(meaning).items():
            yield _value(known, what, context, listed, detail=BUILT_IN.get(what, {}).get(known, ""))
    for word in target.words():
        yield _value(word, "word", context, listed, quote=False)  # read by its text: `429`, `off`
    if target.key is None:
        return
    if target.owner is Model and target.key.name == "price":
        yield from _prices(context)
    elif meaning is None:
        for example in target.key.key.examples:
            yield _value(str(example), "example", context, listed, detail=target.key.key.doc, quote=False)


def _value(name: str, what: str, context: Context, listed: bool, *, detail: str = "", quote: bool = True) -> Completion:
    text = written(name) if quote and not context.typed.startswith(("'", '"')) else name
    insert = f"[{text}]" if listed else text
    return Completion(name, what, insert, context.start, context.end, detail)


def _prices(context: Context) -> Iterator[Completion]:
    """References that start with, or contain, what is typed."""
    from costpol.pricing.data import providers

    typed = context.typed.lower()
    found = 0
    for provider in providers():
        for model in provider.models:
            reference = f"{provider.id}/{model.id}"
            if typed in reference.lower():
                yield Completion(reference, "price", reference, context.start, context.end)
                found += 1
                if found == MOST:
                    return


def _variables(project: Project, context: Context, line: str, point: Point) -> Iterator[Completion]:
    """The variables of the template at hand, behind open braces."""
    typed = placeholder_before(line, point.column)
    if typed is None:
        return
    start = point.column - len(typed)
    end = point.column + len(line[point.column :]) - len(line[point.column :].lstrip("_-.abcdefghijklmnopqrstuvwxyz"))
    closed = line[end:].lstrip().startswith("}}")
    template = context.path[1] if len(context.path) > 1 else None
    names = {
        each.name
        for each in project.declarations(Meaning("variable"))
        if each.template == template
    }  # fmt: skip
    for name in sorted(names):
        yield Completion(name, "variable", name if closed else f"{name} }}}}", start, end)
