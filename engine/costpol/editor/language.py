"""What may stand at a path of a policy file, told by the declarations that also parse it."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args, get_origin

from costpol.editor.context import Path
from costpol.policy.declaration import Declared, declared
from costpol.policy.loader import KINDS
from costpol.policy.node import Node
from costpol.policy.tree import ListTree, MapTree, ScalarTree, Tree


@dataclass(frozen=True, slots=True)
class Slot:
    """A place where something can be written. `key` of `owner` is the innermost key that leads there."""

    annotation: Any
    one_or_many: bool = False
    owner: type[Node] | None = None
    key: Declared | None = None

    def known_keys(self) -> tuple[Declared, ...]:
        """The keys that a mapping here can have; none where its names are the author's, or no mapping can stand."""
        return tuple(key for part in self._parts() if _is_node(part) for key in keys_of(part))

    def nodes(self) -> tuple[type[Node], ...]:
        """The mappings with fixed keys that can stand here."""
        return tuple(part for part in self._parts() if _is_node(part))

    def words(self) -> tuple[str, ...]:
        """The words that can stand here as they are."""
        found = [word for part in self._parts() if get_origin(part) is typing.Literal for word in get_args(part)]
        return (*found, "true", "false") if bool in self._parts() else tuple(found)

    @property
    def takes_names(self) -> bool:
        """Whether a mapping here has names of the author's choice."""
        return any(_is_mapping(part) for part in self._parts())

    @property
    def takes_text(self) -> bool:
        """Whether a scalar can stand here that is more than one of some words."""
        return any(part in (str, int) or get_origin(part) is typing.Annotated for part in self._parts())

    @property
    def takes_list(self) -> bool:
        """Whether a list can stand here."""
        return any(get_origin(part) is tuple for part in self._parts())

    def step(self, step: str | None) -> Slot | None:
        """The slot of a key, or of an item (`None`); `None` where the language has none."""
        for part in self._parts():
            if step is None and get_origin(part) is tuple:
                return Slot(get_args(part)[0], False, self.owner, self.key)
            if step is not None and _is_node(part):
                found = next((key for key in keys_of(part) if key.name == step), None)
                if found is not None:
                    return Slot(found.annotation, found.key.one_or_many, part, found)
            if step is not None and _is_mapping(part):
                return Slot(get_args(part)[1], self.one_or_many, self.owner, self.key)
        return None

    def _parts(self) -> list[Any]:
        return list(_alternatives(self.annotation, self.one_or_many))


@cache
def keys_of(node: type[Node]) -> tuple[Declared, ...]:
    """The keys of a node class."""
    return declared(node)


def slot_at(kind: str | None, path: Path) -> Slot | None:
    """The slot at a path of a file of some kind; `None` where the language has none."""
    slot: Slot | None = Slot(KINDS[kind]) if kind is not None and kind in KINDS else None
    for step in path:
        slot = slot.step(step) if slot is not None else None
    return slot


def walk(tree: Tree, slot: Slot, path: Path = ()) -> Iterator[tuple[ScalarTree, Slot, Path, bool]]:
    """Every scalar of a tree that the language has a place for: with its slot and path, and whether it is a key.

    The slot and the path of a key are those of its mapping.
    """
    if isinstance(tree, ScalarTree):
        yield tree, slot, path, False
    elif isinstance(tree, MapTree):
        for key, value in tree.members:
            yield key, slot, path, True
            inner = slot.step(key.text)
            if inner is not None:
                yield from walk(value, inner, (*path, key.text))
    elif isinstance(tree, ListTree):
        inner = slot.step(None)
        for item in tree.items if inner is not None else ():
            yield from walk(item, inner, (*path, None))  # type: ignore[arg-type]


def _alternatives(annotation: Any, one_or_many: bool) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin is typing.Union or origin is types.UnionType:
        for part in get_args(annotation):
            yield from _alternatives(part, one_or_many)
    elif annotation is not type(None):
        yield annotation
        if origin is tuple and one_or_many:
            yield from _alternatives(get_args(annotation)[0], False)


def _is_node(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Node)


def _is_mapping(annotation: Any) -> bool:
    origin = get_origin(annotation)
    return isinstance(origin, type) and issubclass(origin, Mapping)
