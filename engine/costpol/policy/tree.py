"""What a policy file says, before it means anything: mappings, lists and scalars, each with its place.

Scalars keep their text as written; what `no` or `10k` means is decided by the key that takes it. `resolve` gives the
meaning that YAML 1.2's core schema, and so an editor, sees in a scalar.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

from costpol.diagnostics import Span


class ScalarTree(NamedTuple):
    """A scalar: its text after unquoting and folding. `plain` says that it stands without quotes, on its own."""

    text: str
    plain: bool
    span: Span


class ListTree(NamedTuple):
    """A list."""

    items: tuple[Tree, ...]
    span: Span


class MapTree(NamedTuple):
    """A mapping with distinct keys, in the order written."""

    members: tuple[tuple[ScalarTree, Tree], ...]
    span: Span

    def get(self, name: str) -> Tree | None:
        """The value of a key."""
        return next((value for key, value in self.members if key.text == name), None)


Tree = ScalarTree | ListTree | MapTree

# The core schema of YAML 1.2.2, section 10.3.2.
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE = frozenset(("true", "True", "TRUE"))
_FALSE = frozenset(("false", "False", "FALSE"))
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NON_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

# What YAML 1.1 readers take for a boolean, a number in base 60, 8, 16 or with digit groups, or a date.
_WORD_BOOLEANS = frozenset(("yes", "no", "on", "off"))
_OTHER_NUMBERS = re.compile(
    r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"  # 1:30
    r"|[-+]?0[0-9_]+|0o[0-7_]+|[-+]?0[xX][0-9a-fA-F_]+|[-+]?0b[01_]+"  # 0755, 0x10
    r"|[-+]?[0-9][0-9_]*_[0-9_]*(?:\.[0-9_]*)?|[-+]?[0-9]*\.[0-9]*_[0-9_]*"  # 1_000
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"  # 2026-01-31
)
_LONGEST_NUMBER = 64


def resolve(text: str) -> str:
    """What the core schema takes a plain scalar for: `null`, `boolean`, `integer`, `number` or `text`."""
    if text in _NULL:
        return "null"
    head = text[0]
    if head in "tTfF" and (text in _TRUE or text in _FALSE):
        return "boolean"
    if head in "0123456789-+." and len(text) <= _LONGEST_NUMBER:
        if _INTEGER.fullmatch(text):
            return "integer"
        if _FLOAT.fullmatch(text) or _NON_FINITE.fullmatch(text):
            return "number"
    return "text"


def truth(text: str) -> bool | None:
    """A boolean of the core schema; `None` where the text is none."""
    return True if text in _TRUE else False if text in _FALSE else None


def is_null(tree: Tree) -> bool:
    """Whether nothing was written, or a bare `null`."""
    return isinstance(tree, ScalarTree) and tree.plain and tree.text in _NULL


def is_word_boolean(text: str) -> bool:
    """Whether older YAML readers take this word for a boolean: `yes`, `no`, `on`, `off`."""
    return len(text) <= 3 and text.lower() in _WORD_BOOLEANS


def is_number_elsewhere(text: str) -> bool:
    """Whether older YAML readers take this for another number, or a date, than it seems: `1:30`, `0755`, `1_000`."""
    return text[:1] in "0123456789-+." and len(text) <= _LONGEST_NUMBER and bool(_OTHER_NUMBERS.fullmatch(text))


def written(name: str) -> str:
    """A name as it must be written so that no YAML reader takes it for something else."""
    if resolve(name) != "text" or is_word_boolean(name) or is_number_elsewhere(name):
        return f'"{name}"'
    return name


def plain_data(tree: Tree) -> object:
    """A tree as `dict`, `list`, `str`, `int`, `Decimal`, `bool` and `None`, by the core schema."""
    if isinstance(tree, MapTree):
        return {key.text: plain_data(value) for key, value in tree.members}
    if isinstance(tree, ListTree):
        return [plain_data(item) for item in tree.items]
    if not tree.plain:
        return tree.text
    meaning = resolve(tree.text)
    if meaning == "null":
        return None
    if meaning == "boolean":
        return truth(tree.text)
    if meaning == "integer":
        return int(tree.text, {"0o": 8, "0x": 16}.get(tree.text[:2], 10))
    if meaning == "number" and not _NON_FINITE.fullmatch(tree.text):
        return Decimal(tree.text)
    return tree.text
