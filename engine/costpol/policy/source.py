"""Bytes of a policy file -> its tree with places, or findings. Total: no input raises anything else, none is slow.

Policies are a plain subset of YAML 1.2: one mapping, read by the core schema, without anchors, aliases, merge keys,
tags or directives, without tabs outside of text, and with every key once. All that is refused here with its place.
Size, depth and number of values are bounded while libyaml's events arrive, so no hostile file is ever built up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NoReturn

from costpol.diagnostics import Diagnostic, Edit, Fix, Related, Span
from costpol.policy import codes
from costpol.policy.syntax import LINE_BREAK, syntax_error
from costpol.policy.tree import ListTree, MapTree, ScalarTree, Tree, resolve

MAX_BYTES = 1 << 20
MAX_DEPTH = 64
MAX_EVENTS = 100_000
"""How many values, brackets and ends all files of a policy may have together."""
MAX_FINDINGS = 100

_REFUSED = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_REFUSED_IN_TEXT = re.compile("[\x00\x1b]")


@dataclass(frozen=True, slots=True)
class Source:
    """One file, read. `tree` is `None` exactly where `diagnostics` hold an error.

    `explicit_end` says that the file ends with `...`, which no torn file does.
    """

    file: str
    text: str
    tree: MapTree | None
    explicit_end: bool
    diagnostics: tuple[Diagnostic, ...]
    events: int = 0
    """How many of `MAX_EVENTS` the file has taken."""


def read_source(data: bytes, file: str, events: int = MAX_EVENTS) -> Source:
    """Read one policy file; `file` is its name in places, `events` is what other files have left of `MAX_EVENTS`."""
    if len(data) > MAX_BYTES:
        found = codes.YAML_SYNTAX.at(
            Span(file, 1, 1, 1, 1),
            f"this file is larger than {MAX_BYTES >> 20} MiB",
            "shorten it, or move tests into files of their own",
        )
        return Source(file, "", None, False, (found,))
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        text = data.decode(errors="replace")
        where = _place(file, data[: error.start].decode())
        found = codes.YAML_SYNTAX.at(where, "this byte is not UTF-8", "save the file as UTF-8")
        return Source(file, text, None, False, (found,))
    text = text.removeprefix("\ufeff")
    refused = _REFUSED.search(text)
    if refused is not None:
        where = _place(file, text[: refused.start()], width=1)
        name = f"U+{ord(refused[0]):04X}"
        found = codes.YAML_SYNTAX.at(
            where,
            f"the control character {name} cannot stand in a policy",
            "remove it, or write an escape in double quotes",
        )
        return Source(file, text, None, False, (found,))
    return _compose(text, file, events)


def _compose(text: str, file: str, events: int) -> Source:
    import yaml

    composer = _Composer(file, text, events)
    tree: MapTree | None = None
    try:
        tree = composer.document()
    except _EnoughFoundError:
        pass
    except yaml.YAMLError as error:
        composer.found.append(syntax_error(error, file, text))
    finally:
        composer.close()
    if not composer.found:
        composer.refuse_tabs()
    found = tuple(composer.found)
    return Source(file, text, None if found else tree, composer.explicit_end, found, events - composer.left)


class _EnoughFoundError(Exception):
    """Ends the reading of a file where its findings already say what is wrong."""


class _Composer:
    """Builds the tree of one document from libyaml's events, refusing what the language leaves out."""

    def __init__(self, file: str, text: str, events: int) -> None:
        import yaml

        self.file = file
        self.text = text
        self.found: list[Diagnostic] = []
        self.explicit_end = False
        self.quoted: list[tuple[int, int]] = []
        self._yaml = yaml
        self._loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
        self._event = self._loader.get_event
        self.left = events
        lines = LINE_BREAK.split(text)
        self._end = (len(lines), len(lines[-1]) + 1)

    def close(self) -> None:
        """Let go of the parser."""
        self._loader.dispose()

    def document(self) -> MapTree:
        """The one document of the stream, which is a mapping."""
        yaml = self._yaml
        self._next()  # the start of the stream
        start = self._next()
        if not isinstance(start, yaml.DocumentStartEvent):
            self._stop(
                Span(self.file, 1, 1, 1, 1),
                "this file is empty",
                "a policy file starts with its kind, such as `kind: routing`",
            )
        if start.version or start.tags:
            line = start.start_mark.line + 1
            where = Span(self.file, line, 1, line, 2)
            help = "remove the line that starts with `%`"
            self._add(codes.YAML_SYNTAX.at(where, "directives are not part of the language", help))
        tree = self._tree(self._next(), 1)
        end = self._next()
        self.explicit_end = bool(getattr(end, "explicit", False))
        after = self._next()
        if isinstance(after, yaml.DocumentStartEvent):
            self._stop(self._span(after), "a second document starts here", "write one document per file")
        if not isinstance(tree, MapTree):
            what = "a list" if isinstance(tree, ListTree) else "a single value"
            self._stop(
                tree.span, f"a policy file is a mapping, not {what}", "start with its kind, such as `kind: routing`"
            )
        return tree

    def refuse_tabs(self) -> None:
        """Tabs stand in quoted and block text only: elsewhere YAML readers disagree on them."""
        ranges = iter([*self.quoted, (len(self.text) + 1, len(self.text) + 1)])
        start, end = next(ranges)
        at = self.text.find("\t")
        while at >= 0:
            while end <= at:
                start, end = next(ranges)
            if at < start:
                where = _place(self.file, self.text[:at], width=1)
                self.found.append(codes.YAML_SYNTAX.at(where, "a tab outside of quoted text", "write spaces"))
                return
            at = self.text.find("\t", end)

    def _tree(self, event: Any, depth: int) -> Tree:
        span = self._span(event)
        shape = type(event)
        if shape is self._yaml.ScalarEvent and event.anchor is None and event.tag is None and depth <= MAX_DEPTH:
            return self._scalar(event, span)
        return self._other(event, span, depth)

    def _other(self, event: Any, span: Span, depth: int) -> Tree:
        yaml = self._yaml
        if depth > MAX_DEPTH:
            self._stop(span, f"more than {MAX_DEPTH} levels of nesting", "flatten this part of the policy")
        if isinstance(event, yaml.AliasEvent):
            what = f"`*{event.anchor[:80]}` is an alias, which is not part of the language"
            self._add(codes.ALIAS_OR_MERGE_KEY.at(span, what, "write the value out"))
            return ScalarTree("", False, span)
        if event.anchor is not None:
            what = f"`&{event.anchor[:80]}` is an anchor, which is not part of the language"
            self._add(
                codes.ALIAS_OR_MERGE_KEY.at(span, what, "remove it, and write the value out wherever it is meant")
            )
        if event.tag is not None:
            what = f"the tag `{event.tag[:80]}` is not part of the language"
            self._add(codes.YAML_SYNTAX.at(span, what, "remove the tag; quote the value to make it text"))
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, span)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(event, depth)
        return self._mapping(event, depth)

    def _scalar(self, event: Any, span: Span) -> ScalarTree:
        plain = not event.style
        if not plain:
            self.quoted.append((event.start_mark.index, event.end_mark.index))
            if _REFUSED_IN_TEXT.search(event.value):
                what = "this text contains a control character"
                self._add(codes.YAML_SYNTAX.at(span, what, "remove the escape that writes it"))
        return ScalarTree(event.value, plain, span)

    def _list(self, start: Any, depth: int) -> ListTree:
        items: list[Tree] = []
        event = self._next()
        while not isinstance(event, self._yaml.SequenceEndEvent):
            items.append(self._tree(event, depth + 1))
            event = self._next()
        return ListTree(tuple(items), self._extent(start, event, items[-1].span if items else None))

    def _mapping(self, start: Any, depth: int) -> MapTree:
        members: list[tuple[ScalarTree, Tree]] = []
        seen: dict[str, Span] = {}
        event = self._next()
        while not isinstance(event, self._yaml.MappingEndEvent):
            key = self._key(self._tree(event, depth + 1), seen)
            value = self._tree(self._next(), depth + 1)
            if key is not None:
                seen[key.text] = key.span
                members.append((key, value))
            event = self._next()
        return MapTree(tuple(members), self._extent(start, event, members[-1][1].span if members else None))

    def _key(self, key: Tree, seen: dict[str, Span]) -> ScalarTree | None:
        """A key that is text, and new in its mapping; `None` after a finding."""
        if not isinstance(key, ScalarTree):
            help = 'put a template in quotes: `"{{ name }}"`'
            self._add(codes.YAML_SYNTAX.at(key.span, "a key is text, not a mapping or a list", help))
            return None
        shown = f"`{key.text[:80]}`"
        if key.text in seen:
            first = Related(seen[key.text], "first written here")
            why = "a YAML reader would silently drop one of the two"
            what = f"{shown} is written twice"
            self._add(codes.DUPLICATE_KEY.at(key.span, what, "keep one of them", why=why, related=(first,)))
            return None
        if not key.plain:
            return key
        if key.text == "<<":
            what = "`<<` is a merge key, which is not part of the language"
            self._add(codes.ALIAS_OR_MERGE_KEY.at(key.span, what, "write the members out"))
            return None
        meaning = _NO_NAME.get(resolve(key.text))
        if meaning is None:
            return key
        what = f"{shown} is {meaning} to YAML, and a key is text" if key.text else "a key is missing here"
        help = f'write "{key.text[:80]}" in quotes' if key.text else "write one before the colon"
        fix = Fix(help, (Edit(key.span, f'"{key.text}"'),)) if key.text else None
        self._add(codes.AMBIGUOUS_SCALAR.at(key.span, what, help, fix=fix))
        return None

    def _next(self) -> Any:
        event = self._event()
        self.left -= 1
        if self.left < 0:
            self.left = 0
            self._stop(self._span(event), f"more than {MAX_EVENTS:,} values in one policy", "shorten it")
        return event

    def _span(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        if end.line >= self._end[0]:  # libyaml takes the end of the file for a line of its own
            first = min((start.line + 1, start.column + 1), self._end)
            return Span(self.file, *first, *min((end.line + 1, end.column + 1), self._end))
        return Span(self.file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)

    def _extent(self, start: Any, end: Any, last: Span | None) -> Span:
        """From the first character to the last: a block has no end of its own, so its last member's end is its end."""
        first, closing = self._span(start), self._span(end)
        if end.end_mark.index > end.start_mark.index or last is None:  # a bracket
            return Span(self.file, first.line, first.column, closing.end_line, closing.end_column)
        return Span(self.file, first.line, first.column, last.end_line, last.end_column)

    def _add(self, finding: Diagnostic) -> None:
        self.found.append(finding)
        if len(self.found) >= MAX_FINDINGS:
            raise _EnoughFoundError

    def _stop(self, span: Span, message: str, help: str) -> NoReturn:
        self.found.append(codes.YAML_SYNTAX.at(span, message, help))
        raise _EnoughFoundError


_NO_NAME = {"null": "no value at all", "boolean": "a boolean", "integer": "a number", "number": "a number"}


def _place(file: str, before: str, width: int = 0) -> Span:
    """The place right after a text."""
    lines = LINE_BREAK.split(before)
    line, column = len(lines), len(lines[-1]) + 1
    return Span(file, line, column, line, column + width)
