"""How the language is declared: a node class per YAML mapping, a typed field per key.

The declaration is the single source of the parser (`binding`), of the JSON Schemas for editors (`schema`) and of the
types that the linter and the compiler read. A key is written once, with its sentence of documentation.

A field's annotation says what may be written:

    str, bool               a YAML string or boolean
    Usd, Duration, ...      a scalar of `scalars`, with its unit
    Literal["a", "b"]       one of these words
    tuple[X, ...]           a list; with `one_or_many=True` a single X may stand without brackets
    Mapping[Name, X]        a mapping whose names the author chooses, in the order written
    SomeNode                a mapping with the keys of that node
    X | Y, X | None         told apart by the shape that was written: mapping, list or scalar
    Raw                     any YAML value, as plain data
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field
from types import MappingProxyType
from typing import Any

from costpol.diagnostics import NOWHERE, Span

NAME = "\0"
"""Ends a path in `Node.spans` that means the name of a member, not its value. Stands in no policy."""
_NO_SPANS: Mapping[str, Span] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Part of a policy, with its place. Places take no part in equality: a moved rule is the same rule."""

    span: Span = field(default=NOWHERE, compare=False, repr=False)
    """The whole mapping, or the name that introduces it."""
    spans: Mapping[str, Span] = field(default_factory=lambda: _NO_SPANS, compare=False, repr=False)
    """The value of each key that was written; for mappings and lists also `key.name` and `key.0` of their members."""

    def at(self, *path: str | int) -> Span:
        """The place of a value (`rule.at("when")`), or of the node where the key was not written."""
        return self.spans.get(".".join(map(str, path)), self.span)

    def name_at(self, *path: str | int) -> Span:
        """The place of a name that the author chose (`cache.name_at("intents", "faq")`), rather than of its value."""
        return self.spans.get(".".join(map(str, path)) + NAME, self.at(*path))

    def written(self, key: str) -> bool:
        """Whether the author wrote this key, which a default value cannot tell."""
        return key in self.spans

    def problems(self) -> list[tuple[str, str, str | None]]:
        """What the types cannot say about this node alone: `(key, message, help)` each. For nodes to override."""
        return []


@dataclass(frozen=True, slots=True)
class Key:
    """What a field's declaration says beyond its type."""

    doc: str
    yaml: str | None = None
    """The name in YAML where Python reserves the word (`not`, `global`)."""
    one_or_many: bool = False
    minimum: int | None = None
    non_empty: bool = False
    positive: bool = False
    """Zero, which would mean never or nothing, is refused."""
    examples: tuple[Any, ...] = ()


def key(
    doc: str,
    *,
    default: Any = MISSING,
    default_factory: Callable[[], Any] | None = None,
    yaml: str | None = None,
    one_or_many: bool = False,
    minimum: int | None = None,
    non_empty: bool = False,
    positive: bool = False,
    examples: tuple[Any, ...] = (),
) -> Any:
    """Declare one key of a node. Without a default the key is required."""
    metadata = {"key": Key(doc, yaml, one_or_many, minimum, non_empty, positive, examples)}
    if default_factory is not None:
        return field(default_factory=default_factory, metadata=metadata)
    return field(default=default, metadata=metadata)
