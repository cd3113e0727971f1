"""The keys that a node class declares, resolved for the parser and for the schemas."""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass
from typing import Any

from costpol.policy.node import Key, Node


@dataclass(frozen=True, slots=True)
class Declared:
    """One key of a node: its name in YAML and in Python, its annotation, and what else was declared."""

    name: str
    attribute: str
    annotation: Any
    key: Key
    required: bool
    default: Any
    """The default value; `None` too where the key is required."""


def declared(node: type[Node]) -> tuple[Declared, ...]:
    """The keys of a node class, in the order declared."""
    hints = typing.get_type_hints(node, include_extras=True)
    return tuple(_declared(field, hints[field.name]) for field in dataclasses.fields(node) if "key" in field.metadata)


def _declared(field: dataclasses.Field[Any], annotation: Any) -> Declared:
    key: Key = field.metadata["key"]
    if field.default is not dataclasses.MISSING:
        required, default = False, field.default
    elif field.default_factory is not dataclasses.MISSING:
        required, default = False, field.default_factory()
    else:
        required, default = True, None
    return Declared(key.yaml or field.name, field.name, annotation, key, required, default)
