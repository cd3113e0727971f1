"""A tree -> typed nodes, driven by the declarations alone; every departure from them becomes a finding with its place.

An annotation is compiled once into a `_Shape`: what to do with a scalar, with a list and with a mapping, each `None`
where that shape is not taken. That is how unions are told apart. One cause makes one finding: what does not read is
left out of its node, and a node of which a part is missing is left out too.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, get_args, get_origin

from costpol.diagnostics import Diagnostic, Edit, Fix, Span
from costpol.policy import codes
from costpol.policy.declaration import Declared, declared
from costpol.policy.node import NAME, Node
from costpol.policy.scalar_reading import (
    ScalarReader,
    no_value,
    one_of,
    read_boolean,
    read_integer,
    read_text,
    scalar_reader,
    shorten,
    word_reader,
)
from costpol.policy.scalars import PATTERN, Raw, Scalar, pattern_size
from costpol.policy.source import MAX_FINDINGS
from costpol.policy.suggestion import nearest, surely_meant
from costpol.policy.tree import ListTree, MapTree, ScalarTree, Tree, is_null, plain_data

_LAST_POSITION = re.compile(r"(?:\.[0-9]+)+$")

N = TypeVar("N", bound=Node)


class _Missing:
    """What could not be read; a finding says why."""


_MISSING = _Missing()

# Required keys whose absence has a code of its own.
_MISSING_KEY_CODES = {
    ("Personalization", "exclusions"): codes.MISSING_EXCLUSIONS,
    ("Routing", "default"): codes.MISSING_DEFAULT_RULE,
}


@dataclass(slots=True)
class _Binding:
    """The findings of one file, and the places inside the node at hand."""

    patterns: int
    """How many instructions RE2 may still make of patterns."""
    found: list[Diagnostic] = field(default_factory=list)
    spans: dict[str, Span] = field(default_factory=dict)

    def add(self, finding: Diagnostic) -> None:
        self.found.append(finding)
        if len(self.found) >= MAX_FINDINGS:
            raise _EnoughFoundError


class _EnoughFoundError(Exception):
    """Ends the binding of a file that has more wrong with it than anybody would read."""


_Reader = Callable[[Any, str, Span | None, _Binding], Any]
"""Takes a tree, its path in the node (`examples.2`), the place of the name that introduces it, and the findings."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """What an annotation takes, by the shape that was written; `expected` says it in words."""

    expected: str
    scalar: _Reader | None = None
    items: _Reader | None = None
    members: _Reader | None = None


MAX_PATTERNS = 100_000
"""How many instructions RE2 may make of all patterns of a file: a tenth of a second or two."""


def bind(tree: MapTree, node: type[N]) -> tuple[N | None, list[Diagnostic]]:
    """The node that a mapping spells, or `None` and the findings that say why not."""
    binding = _Binding(MAX_PATTERNS)
    try:
        bound = _bind_node(node, tree, tree.span, binding)
    except _EnoughFoundError:
        return None, binding.found
    return (None if isinstance(bound, _Missing) or binding.found else bound), binding.found


def _bind_node(node: type[N], tree: MapTree, span: Span, binding: _Binding) -> N | _Missing:
    plan = _plan(node)
    outer, binding.spans = binding.spans, {}
    values: dict[str, Any] = {}
    unread: set[str] = set()
    unwritten: list[str] | None = None
    for key, value in tree.members:
        entry = plan.get(key.text)
        if entry is None:
            unwritten = _unwritten(tree, plan) if unwritten is None else unwritten
            unread.add(_add_unknown_key(key, tree, plan, unwritten, binding))
            continue
        declaration, shape = entry
        torn = _MISSING_KEY_CODES.get((node.__name__, key.text))
        if torn is not None and is_null(value):
            message = f"`{key.text}` has no value"
            binding.add(torn.at(key.span, message, f"write a value: {declaration.key.doc}"))
            unread.add(declaration.attribute)
            continue
        bound = _read(shape, value, key.text, key.span, binding)
        if not isinstance(bound, _Missing):
            bound = _bounded(bound, declaration, value, binding)
        if isinstance(bound, _Missing):
            unread.add(declaration.attribute)
        else:
            values[declaration.attribute] = bound
            if declaration.attribute != declaration.name:
                binding.spans[declaration.attribute] = binding.spans[declaration.name]
    spans, binding.spans = binding.spans, outer
    whole = not unread
    for declaration in _REQUIRED[node]:
        if declaration.attribute not in values and declaration.attribute not in unread:
            binding.add(_missing_key(node, declaration, span))
            whole = False
    if not whole:
        return _MISSING
    bound_node = node(**values, span=span, spans=spans)
    for name, message, help in bound_node.problems():
        binding.add(codes.INCONSISTENT_KEYS.at(spans.get(name, span), message, help))
    return bound_node


def _read(shape: _Shape, tree: Tree, path: str, name: Span | None, binding: _Binding) -> Any:
    """The value of a tree by its shape; its place is kept under its path."""
    binding.spans[path] = tree.span
    if isinstance(tree, ScalarTree):
        reader = shape.scalar
    elif isinstance(tree, ListTree):
        reader = shape.items
    else:
        reader = shape.members
    if reader is not None:
        return reader(tree, path, name, binding)
    key = path.rpartition(".")[0] or path if path.rpartition(".")[2].isdigit() else path
    if isinstance(tree, ScalarTree) and is_null(tree):
        empty = "[]" if shape.items and not shape.members else "{}"
        found = no_value(tree, key)
        required = shape.items or shape.members
        binding.add(replace(found, help=f"write a value, `{empty}` where none is meant") if required else found)
        return _MISSING
    written = (
        "a mapping" if isinstance(tree, MapTree) else "a list" if isinstance(tree, ListTree) else shorten(tree.text)
    )
    binding.add(codes.WRONG_TYPE.at(tree.span, f"`{key}` takes {shape.expected}, not {written}", _cure(shape)))
    return _MISSING


def _cure(shape: _Shape) -> str:
    if shape.members and not shape.scalar:
        return "write a mapping: `key: value` lines, or `{key: value}`"
    if shape.items and not shape.scalar:
        return "write a list: `[a, b]`, or one `- ` line per item"
    return "write a single value"


_Plan = Mapping[str, tuple[Declared, "_Shape"]]
_PLANS: dict[type[Node], _Plan] = {}
"""The keys of each node class with what they take: worked out on first use, then kept."""
_REQUIRED: dict[type[Node], tuple[Declared, ...]] = {}
"""The keys that each must have."""


def _plan(node: type[Node]) -> _Plan:
    plan = _PLANS.get(node)
    if plan is None:
        plan = _PLANS[node] = _make_plan(node)
        _REQUIRED[node] = tuple(declaration for declaration, _ in plan.values() if declaration.required)
    return plan


def _make_plan(node: type[Node]) -> _Plan:
    return {entry.name: (entry, _shape(entry.annotation, entry.key.one_or_many)) for entry in declared(node)}


# Annotations to shapes


def _shape(annotation: Any, one_or_many: bool = False) -> _Shape:
    origin = get_origin(annotation)
    if origin is typing.Union or origin is types.UnionType:
        return _union([_shape(part, one_or_many) for part in get_args(annotation) if part is not type(None)])
    if origin is typing.Annotated:
        scalar: Scalar = annotation.__metadata__[0]
        return (_pattern if scalar is PATTERN else _scalar)(scalar.name, scalar_reader(scalar))
    if origin is typing.Literal:
        return _scalar(one_of(get_args(annotation)), word_reader(get_args(annotation)))
    if origin is tuple:
        return _list(_shape(get_args(annotation)[0]), one_or_many)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        name, value = get_args(annotation)
        return _mapping(_shape(name), _shape(value, one_or_many))
    if annotation is str:
        return _scalar("text", read_text)
    if annotation is bool:
        return _scalar("`true` or `false`", read_boolean)
    if annotation is int:
        return _scalar("a whole number", read_integer)
    if annotation is Raw:
        return _Shape("any value", _raw, _raw, _raw)
    if isinstance(annotation, type) and issubclass(annotation, Node):
        return _node(annotation)
    raise TypeError(f"the language has no reading for {annotation!r}")


def _union(shapes: list[_Shape]) -> _Shape:
    return _Shape(
        " or ".join(shape.expected for shape in shapes),
        next((shape.scalar for shape in shapes if shape.scalar), None),
        next((shape.items for shape in shapes if shape.items), None),
        next((shape.members for shape in shapes if shape.members), None),
    )


def _scalar(expected: str, reader: ScalarReader) -> _Shape:
    def read(tree: ScalarTree, path: str, name: Span | None, binding: _Binding) -> Any:
        value = reader(tree, _LAST_POSITION.sub("", path))
        if isinstance(value, Diagnostic):
            binding.add(value)
            return _MISSING
        return value

    return _Shape(expected, scalar=read)


def _pattern(expected: str, reader: ScalarReader) -> _Shape:
    """A pattern, as long as all patterns together are not too costly."""
    shape = _scalar(expected, reader)

    def read(tree: ScalarTree, path: str, name: Span | None, binding: _Binding) -> Any:
        value = shape.scalar(tree, path, name, binding) if shape.scalar else _MISSING
        if not isinstance(value, _Missing):
            binding.patterns -= pattern_size(value)
            if binding.patterns < 0:
                binding.found.append(codes.INVALID_VALUE.at(
                    tree.span, "up to here the patterns of this file are too large together",
                    "write fewer, and fewer repetitions of classes such as `\\pL{1,99}`",
                ))  # fmt: skip
                raise _EnoughFoundError
        return value

    return _Shape(expected, scalar=read)


def _raw(tree: Tree, path: str, name: Span | None, binding: _Binding) -> Any:
    return plain_data(tree)


def _list(item: _Shape, one_or_many: bool) -> _Shape:
    def read(tree: ListTree, path: str, name: Span | None, binding: _Binding) -> Any:
        values = [_read(item, entry, f"{path}.{i}", None, binding) for i, entry in enumerate(tree.items)]
        return _MISSING if any(value is _MISSING for value in values) else tuple(values)

    def read_one(tree: Tree, path: str, name: Span | None, binding: _Binding) -> Any:
        value = _read(item, tree, path, name, binding)
        binding.spans[f"{path}.0"] = tree.span
        return value if value is _MISSING else (value,)

    if not one_or_many:
        return _Shape(f"a list of {_plural(item.expected)}", items=read)
    expected = f"{item.expected} or a list"
    return _Shape(expected, read_one if item.scalar else None, read, read_one if item.members else None)


def _mapping(key: _Shape, value: _Shape) -> _Shape:
    def read(tree: MapTree, path: str, name: Span | None, binding: _Binding) -> Any:
        values: dict[str, Any] = {}
        for written, member in tree.members:
            bound_name = _member_name(key, written, path, binding)
            binding.spans[f"{path}.{written.text}{NAME}"] = written.span
            bound = _read(value, member, f"{path}.{written.text}", written.span, binding)
            if bound is _MISSING or bound_name is _MISSING:
                values[written.text] = _MISSING
            else:
                values[bound_name] = bound
        return _MISSING if any(bound is _MISSING for bound in values.values()) else values

    return _Shape("a mapping", members=read)


def _member_name(key: _Shape, written: ScalarTree, path: str, binding: _Binding) -> Any:
    if key.scalar is None:
        raise TypeError("a mapping's names are scalars")
    return key.scalar(written, path, None, binding)


def _node(node: type[Node]) -> _Shape:
    def read(tree: MapTree, path: str, name: Span | None, binding: _Binding) -> Any:
        return _bind_node(node, tree, name or tree.span, binding)

    return _Shape("a mapping", members=read)


def _plural(expected: str) -> str:
    if expected.startswith("`"):
        return expected
    return {"a mapping": "mappings", "text": "texts", "a name": "names"}.get(expected, expected)


# Findings about keys


def _bounded(value: Any, declaration: Declared, tree: Tree, binding: _Binding) -> Any:
    """A value that keeps the bounds declared with its key."""
    key = declaration.key
    if key.minimum is not None and isinstance(value, int) and value < key.minimum:
        message = f"`{declaration.name}` is at least {key.minimum}, not {value}"
        binding.add(codes.INVALID_VALUE.at(tree.span, message, f"write {key.minimum} or more"))
        return _MISSING
    if key.positive and value == 0:
        message = f"`{declaration.name}` cannot be zero"
        binding.add(codes.NON_FINITE_NUMBER.at(tree.span, message, f"write more than that: {key.doc}"))
        return _MISSING
    if key.non_empty and not (value.spans if isinstance(value, Node) else value):
        message = f"`{declaration.name}` cannot be empty"
        binding.add(codes.INVALID_VALUE.at(tree.span, message, f"write at least one: {key.doc}"))
        return _MISSING
    return value


def _unwritten(tree: MapTree, plan: _Plan) -> list[str]:
    """The keys of a node that a mapping leaves out."""
    written = {key.text for key, _ in tree.members}
    return [name for name in plan if name not in written]


def _add_unknown_key(key: ScalarTree, tree: MapTree, plan: _Plan, unwritten: list[str], binding: _Binding) -> str:
    """Report a key that the node does not have; the attribute that was probably meant, else nothing."""
    missing = [name for name in unwritten if plan[name][0].required]
    alone = len(missing) == 1 == len(tree.members) - len(plan) + len(unwritten)  # one too many, one too few
    guess = nearest(key.text, unwritten) or (missing[0] if alone else None)
    binding.add(_unknown_key(key, plan, guess, surely_meant(key.text, unwritten)))
    return plan[guess][0].attribute if guess else ""


def _unknown_key(key: ScalarTree, plan: Mapping[str, Any], guess: str | None, sure: bool) -> Diagnostic:
    listed = ", ".join(f"`{name}`" for name in plan)
    help = f"did you mean `{guess}`?" if guess else f"the keys here are {listed}"
    fix = Fix(f"write `{guess}`", (Edit(key.span, guess),), sure) if guess else None
    return codes.UNKNOWN_KEY.at(key.span, f"unknown key {shorten(key.text)}", help, fix=fix)


def _missing_key(node: type[Node], declaration: Declared, span: Span) -> Diagnostic:
    code = _MISSING_KEY_CODES.get((node.__name__, declaration.name), codes.MISSING_KEY)
    help = f"add `{declaration.name}:` ({declaration.key.doc})"
    return code.at(span, f"`{declaration.name}` is missing", help)
