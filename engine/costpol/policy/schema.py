"""JSON Schemas (2020-12) for editors, generated from the declarations: completion, hover texts, a first check.

Editors warn early; findings always come from the loader, which sees more than a schema can say.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, get_args, get_origin

from costpol.policy.declaration import Declared, declared
from costpol.policy.loader import KINDS
from costpol.policy.node import Node
from costpol.policy.scalars import Duration, Raw, Scalar
from costpol.units import format_duration

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]


def schema(kind: str) -> Schema:
    """The schema of one kind of policy file."""
    node = KINDS[kind]
    definitions: dict[str, Schema] = {}
    root = _members(node, definitions)
    head = {"$schema": DIALECT, "$id": f"{kind}.schema.json", "title": f"costpol {kind}"}
    return head | root | ({"$defs": dict(sorted(definitions.items()))} if definitions else {})


def _members(node: type[Node], definitions: dict[str, Schema]) -> Schema:
    """The schema of a mapping with the keys of a node."""
    keys = declared(node)
    required = [key.name for key in keys if key.required]
    return {
        "description": _first_sentence(node),
        "type": "object",
        "properties": {key.name: _property(key, definitions) for key in keys},
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }


def _property(key: Declared, definitions: dict[str, Schema]) -> Schema:
    described: Schema = {"description": key.key.doc}
    described |= _value(key.annotation, key.key.one_or_many, definitions)
    if key.key.minimum is not None and "minimum" not in described:
        described["minimum"] = key.key.minimum
    if key.key.non_empty:
        described["minProperties" if "$ref" in described or described.get("type") == "object" else "minItems"] = 1
    if key.key.examples:
        described["examples"] = list(key.key.examples)
    default = _default(key)
    if default not in (None, [], {}):
        described["default"] = default
    return described


def _value(annotation: Any, one_or_many: bool, definitions: dict[str, Schema]) -> Schema:
    origin = get_origin(annotation)
    if origin is typing.Union or origin is types.UnionType:
        parts = [part for part in get_args(annotation) if part is not type(None)]
        return _any_of([_value(part, one_or_many, definitions) for part in parts])
    if origin is typing.Annotated:
        scalar: Scalar = annotation.__metadata__[0]
        return {name: list(value) if isinstance(value, tuple) else value for name, value in scalar.schema}
    if origin is typing.Literal:
        return _words(get_args(annotation))
    if origin is tuple:
        item = _value(get_args(annotation)[0], False, definitions)
        items: Schema = {"type": "array", "items": item}
        return _any_of([item, items]) if one_or_many else items
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _value(get_args(annotation)[1], one_or_many, definitions)}
    if annotation is Raw:
        return {}
    if isinstance(annotation, type) and issubclass(annotation, Node):
        return _reference(annotation, definitions)
    return {"type": {str: "string", bool: "boolean", int: "integer"}[annotation]}


def _reference(node: type[Node], definitions: dict[str, Schema]) -> Schema:
    if node.__name__ not in definitions:
        definitions[node.__name__] = {}  # ends the recursion of a node that holds itself
        definitions[node.__name__] = _members(node, definitions)
    return {"$ref": f"#/$defs/{node.__name__}"}


def _words(words: tuple[str, ...]) -> Schema:
    """One of some words. A number among them may stand unquoted, so it is offered as a number, too."""
    if len(words) == 1:
        return {"const": words[0]}
    return {"enum": [*words, *(int(word) for word in words if word.isdigit())]}


def _any_of(parts: list[Schema]) -> Schema:
    return parts[0] if len(parts) == 1 else {"anyOf": parts}


def _default(key: Declared) -> Any:
    """The default of a key as it would be written; `None` where it says nothing."""
    value = key.default
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Mapping):
        return dict(value)
    if key.annotation == Duration and value is not None:
        return format_duration(value)
    return None if isinstance(value, Node) else value


def _first_sentence(node: type[Node]) -> str:
    return " ".join((node.__doc__ or "").split("\n\n")[0].split())
