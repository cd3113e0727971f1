"""The reference of the language as Markdown, from the same declarations that parse it."""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, Union

from costpol.policy.declaration import Declared, declared
from costpol.policy.node import Node
from costpol.policy.scalars import Raw, Scalar


def reference(kinds: Mapping[str, type[Node]]) -> str:
    """One section per kind, and in it one table per mapping; a mapping that several kinds use stands once."""
    lines: list[str] = []
    shown: set[type[Node]] = set()
    for kind, node in kinds.items():
        lines += [f"## `kind: {kind}`", "", _summary(sys.modules[node.__module__]), ""]
        for part in _nodes(node):
            if part not in shown:
                shown.add(part)
                lines += _table(part, top=part is node)
    return "\n".join(lines).rstrip() + "\n"


def allowed(key: Declared) -> str:
    """In words, what may be written for a key."""
    return _kind_of(key.annotation, key)


def default_of(key: Declared) -> str:
    """The default of a key as it would be written, in backticks; empty where it says nothing."""
    return _default(key)


def kind_summary(node: type[Node]) -> str:
    """One sentence about a kind of file, by its node."""
    return _summary(sys.modules[node.__module__])


def _table(node: type[Node], *, top: bool) -> Iterator[str]:
    if not top:
        yield from (f"### {_title(node)}", "", _summary(node), "")
    yield from ("| key | what may be written | default | meaning |", "| --- | --- | --- | --- |")
    for key in declared(node):
        default = "**required**" if key.required else _default(key)
        yield f"| `{key.name}` | {_kind_of(key.annotation, key)} | {default} | {_cell(key.key.doc)} |"
    yield ""


def _nodes(node: type[Node]) -> list[type[Node]]:
    """A node class and all that stand below it, each once, in the order met."""
    found: list[type[Node]] = []

    def visit(part: type[Node]) -> None:
        if part not in found:
            found.append(part)
            for key in declared(part):
                for inner in _inner_nodes(key.annotation):
                    visit(inner)

    visit(node)
    return found


def _inner_nodes(annotation: Any) -> Iterator[type[Node]]:
    if isinstance(annotation, type) and issubclass(annotation, Node):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _inner_nodes(argument)


def _kind_of(annotation: Any, key: Declared | None = None) -> str:
    """In words, what an annotation allows."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return next(scalar.name for scalar in arguments[1:] if isinstance(scalar, Scalar))
    if origin is Literal:
        return ", ".join(f"`{word}`" for word in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(_kind_of(part, key) for part in arguments if part is not type(None))
    if origin is tuple:
        member = _kind_of(arguments[0])
        return f"{member}, or a list" if key is not None and key.key.one_or_many else f"a list of {member}"
    if origin is not None and issubclass(origin, Mapping):
        return f"a name each: {_kind_of(arguments[1], key)}"
    if annotation is Raw:
        return "anything"
    if issubclass(annotation, Node):
        return f"[{_title(annotation)}](#{_title(annotation).replace(' ', '-')})"
    return {str: "a text", bool: "`true`, `false`", int: "a whole number"}[annotation]


def _default(key: Declared) -> str:
    value = key.default
    if value is None or value in ((), {}) or isinstance(value, Node):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`[{', '.join(map(str, value))}]`"
    if isinstance(value, float):
        from costpol.units import format_duration

        return f"`{format_duration(value)}`"
    return f"`{value.normalize():f}`" if isinstance(value, Decimal) else f"`{value}`"


def _title(node: type[Node]) -> str:
    """`IntentCache` as `intent cache`."""
    return "".join(f" {c.lower()}" if c.isupper() else c for c in node.__name__).strip()


def _summary(documented: Any) -> str:
    text = (documented.__doc__ or "").strip().split("\n\n")[0]
    text = " ".join(text.split())
    if not text.startswith("`kind:"):
        return text
    said = text.partition("`: ")[2]
    return said[:1].upper() + said[1:]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
