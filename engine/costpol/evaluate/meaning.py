"""What changes in meaning from one policy to another: values, not text.

Comments, order of keys, and files that were merged or split change nothing. The order of rules and intents does: the
first that matches decides. Policy tests decide nothing and are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from costpol.diagnostics import NOWHERE, Span
from costpol.evaluate.excerpt import excerpt, shorten
from costpol.policy.bundle import Bundle
from costpol.policy.declaration import Declared, declared
from costpol.policy.node import Node
from costpol.policy.reference import default_of

_KINDS = ("models", "intents", "personalization", "cache", "routing", "prompts", "budgets", "batch")
_ORDERED = frozenset({("intents", "intents")})
"""Mappings whose order decides; equality alone does not see it."""
_HOLD_ORDERED = frozenset({("intents",)}) | _ORDERED
_SHOWN = 100

_Steps = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MeaningChange:
    """One difference: `what` is `added`, `removed`, `changed` or `moved`; old and new are as their authors wrote them,
    `None` where there is nothing. `span` is in the new policy, or in the old one for what was removed. `before` and
    `after` are the values themselves."""

    what: str
    steps: tuple[str, ...]
    """The keys and names that lead there, from the kind of the file on."""
    old: str | None
    new: str | None
    span: Span
    before: Any = field(default=None, compare=False, repr=False)
    after: Any = field(default=None, compare=False, repr=False)

    @property
    def path(self) -> str:
        return ".".join(self.steps)


@dataclass(frozen=True, slots=True)
class _Place:
    """A value, where it stands, and in which files."""

    value: Any
    span: Span
    files: Mapping[str, str]
    written: bool = True
    default: str | None = None
    """How the value would be written, where it is a key's default."""

    @property
    def text(self) -> str | None:
        if self.value is None:
            return None
        found = excerpt(self.span, self.files, _SHOWN) if self.written and self.span is not NOWHERE else None
        if isinstance(self.value, Node) and found is not None and ":" not in found:  # only the name that introduces it
            return _members(self.value, self.files) or found
        if found is not None:
            return found
        return f"{self.default} (the default)" if self.default else _spelled(self.value)


def meaning_changes(old: Bundle, new: Bundle) -> list[MeaningChange]:
    """All differences, file kind by file kind. Empty for policies that decide the same by the same values."""
    found: list[MeaningChange] = []
    for kind in _KINDS:
        before, after = getattr(old, kind), getattr(new, kind)
        left = _Place(before, NOWHERE if before is None else before.span, old.files)
        right = _Place(after, NOWHERE if after is None else after.span, new.files)
        found += _compare((kind,), left, right)
    return found


def _compare(path: _Steps, old: _Place, new: _Place) -> Iterator[MeaningChange]:
    before, after = old.value, new.value
    if before is after or (before == after and path not in _HOLD_ORDERED):
        return
    if isinstance(before, Node) and isinstance(after, Node) and type(before) is type(after):
        for key in declared(type(before)):
            left, right = _member(before, key, old), _member(after, key, new)
            yield from _compare((*path, key.name), left, right)
    elif isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _compare_named(path, _entries(before, old), _entries(after, new))
        if path in _ORDERED:
            yield from _moved(path, list(before), list(after), new.span)
    elif _nodes(before) and _nodes(after) and (before or after):
        if all(hasattr(node, "name") for node in (*before, *after)):
            yield from _compare_named(path, _by_name(before, old), _by_name(after, new))
            yield from _moved(path, [node.name for node in before], [node.name for node in after], new.span)
        else:
            yield from _compare_listed(path, before, after, old, new)
    elif before is None or after is None:
        what = "added" if before is None else "removed"
        yield MeaningChange(what, path, old.text, new.text, new.span if before is None else old.span, before, after)
    else:
        yield MeaningChange("changed", path, old.text, new.text, new.span, before, after)


def _compare_named(path: _Steps, old: Mapping[str, _Place], new: Mapping[str, _Place]) -> Iterator[MeaningChange]:
    for name in dict.fromkeys((*old, *new)):
        if name not in new:
            yield MeaningChange("removed", (*path, name), old[name].text, None, old[name].span, old[name].value)
        elif name not in old:
            yield MeaningChange("added", (*path, name), None, new[name].text, new[name].span, None, new[name].value)
        else:
            yield from _compare((*path, name), old[name], new[name])


def _compare_listed(
    path: _Steps, before: Sequence[Node], after: Sequence[Node], old: _Place, new: _Place
) -> Iterator[MeaningChange]:
    """Nodes without names: an equal one is the same one, wherever it stands."""
    for node in before:
        if node not in after:
            yield MeaningChange("removed", path, _Place(node, node.span, old.files).text, None, node.span, node)
    for node in after:
        if node not in before:
            yield MeaningChange("added", path, None, _Place(node, node.span, new.files).text, node.span, None, node)


def _moved(path: _Steps, before: Sequence[str], after: Sequence[str], span: Span) -> Iterator[MeaningChange]:
    old = [name for name in before if name in after]
    new = [name for name in after if name in before]
    if old != new:
        yield MeaningChange("moved", path, " > ".join(old), " > ".join(new), span)


def _member(node: Node, key: Declared, place: _Place) -> _Place:
    value, written = getattr(node, key.attribute), node.written(key.name)
    default = default_of(key).strip("`") if not written and value == key.default else None
    return _Place(value, node.at(key.name), place.files, written, default)


def _entries(mapping: Mapping[str, Any], place: _Place) -> dict[str, _Place]:
    return {
        name: _Place(value, value.span if isinstance(value, Node) else place.span, place.files, isinstance(value, Node))
        for name, value in mapping.items()
    }


def _by_name(nodes: Sequence[Any], place: _Place) -> dict[str, _Place]:
    return {node.name: _Place(node, node.span, place.files) for node in nodes}


def _nodes(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(each, Node) for each in value)


def _members(node: Node, files: Mapping[str, str]) -> str | None:
    """The keys of a node that were written, and their values."""
    keys = [key.name for key in declared(type(node)) if node.written(key.name)]
    written = [(key, excerpt(node.at(key), files, _SHOWN)) for key in keys]
    return shorten(", ".join(f"{key}: {text}" for key, text in written), _SHOWN) if written else None


def _spelled(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{shorten(', '.join(map(_spelled, value)), _SHOWN)}]"
    if isinstance(value, Node):
        return "present"
    return shorten(str(value), _SHOWN)
