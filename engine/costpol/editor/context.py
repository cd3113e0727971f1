"""Where in a policy the cursor stands, told from indentation and brackets alone, so that half-typed text has an answer.

The text before the cursor is read line by line into a stack of open mappings and lists. What is still open where the
cursor stands is its path. A line that is indented too little closes brackets and quotes that were left open.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from costpol.editor.positions import Point, split_lines

Path = tuple[str | None, ...]
"""From the top of a file inwards: the key of a mapping, or `None` for an item of a list."""

_KEY = re.compile(
    r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|(?:[^\s#{}\[\],"'&*!|>%@`-]|-(?=\S))[^#]*?)\s*:(?=\s|$)""",
)
_COLON = re.compile(r"\s*:(?=\s|$)")
_COMMENT = re.compile(r"(?:^|(?<=\s))#")
_PLAIN_END = re.compile(r"\s*(?:\s#|$)")
_NAME_END = re.compile(r"\s*(?::(?=\s|$)|\s#|$)")
_FLOW_END = re.compile(r"\s*(?:[,\[\]{}]|:(?=[\s,\[\]{}]|$)|\s#|$)")
_NO_PLAIN = frozenset("{}[],#&*!|>%@`\"'")


@dataclass(frozen=True, slots=True)
class Context:
    """What stands, or would stand, at the cursor.

    `path` leads to the value at the cursor, or to the mapping whose key it is. `is_key` is `None` where both are still
    possible: a word that a colon may follow.
    """

    path: Path
    is_key: bool | None
    word: str
    """The whole scalar around the cursor; of a text over many lines, what stands on this one."""
    typed: str
    """Its part before the cursor."""
    start: int
    """The column at which it starts, in code points from 0."""
    written: frozenset[str] = frozenset()
    """The keys that the mapping has already, as far as it is in blocks."""
    flow: bool = False
    """Whether it stands between brackets."""
    text: bool = False
    """Whether it stands in a block of text."""

    @property
    def end(self) -> int:
        return self.start + len(self.word)


@dataclass(slots=True)
class _Open:
    """A mapping or list that has not ended yet."""

    is_map: bool
    indent: int
    flow: bool = False
    key: str | None = None
    keys: list[str] = field(default_factory=list)
    filled: bool = False
    """Whether the current key has a value."""


def context_at(text: str, point: Point) -> Context | None:
    """The context of a point; `None` in comments, behind closed values and behind the end of the document."""
    lines = split_lines(text)
    if point.line >= len(lines):
        return None
    line = lines[point.line]
    column = min(point.column, len(line))
    reading = _Reading()
    for before in lines[: point.line]:
        reading.take(before)
    if reading.ended:
        return None
    reading.take(line[:column])
    return reading.context(line, column, lines[point.line + 1 :])


class _Reading:
    """The state behind each line: what is open, and how the last line ended."""

    def __init__(self) -> None:
        self.stack: list[_Open] = []
        self.role = "start"
        """How the last line ended: at its `start` (a word that may become a key), in a `value`, a `key` between
        brackets, either of both (`item`), in `quoted` text, in a block of `text`, in a `comment`, or all is `done`."""
        self.word = 0
        self.quote = ""
        self.block: int | None = None
        self.ended = False

    @property
    def _flow(self) -> bool:
        return bool(self.stack) and self.stack[-1].flow

    @property
    def _base(self) -> int:
        """The indentation of the innermost block."""
        return next((each.indent for each in reversed(self.stack) if not each.flow), -1)

    def take(self, line: str) -> None:
        """Read one line, or the part of it before the cursor."""
        body = line.lstrip(" ")
        indent = len(line) - len(body)
        if self.block is not None:
            if indent > self.block or not body:
                self.role, self.word = ("text", indent) if indent > self.block else ("start", indent)
                return
            self.block = None
        if self._flow or self.quote:
            if not body or indent > self._base or body[0] in "]}":
                self._inside(line, indent)
                return
            self.quote = ""
            while self._flow:
                self.stack.pop()
        if line.rstrip() == "...":
            self.ended = True
        if line.startswith("---") or body.startswith("#"):
            self.role = "comment"
            return
        self._start(line, indent)

    def _inside(self, line: str, at: int) -> None:
        """A line that starts between brackets or quotes."""
        if self.quote:
            end = _closing(line, 0, self.quote)
            if end is None:
                self.role, self.word = "quoted", at
                return
            self.quote = ""
            if not self._flow:
                self.role = "done"
                return
            at = end
        self._between_brackets(line, at)

    def _start(self, line: str, at: int) -> None:
        """A line of block style: dashes, then a key, then a value."""
        while line[at : at + 1] == "-" and line[at + 1 : at + 2] in ("", " "):
            self._dash(at)
            at += 1
            at += len(line[at:]) - len(line[at:].lstrip(" "))
        match = _KEY.match(line, at)
        if match is not None:
            self._key(at, _unquoted(match[1]))
            self._value(line, match.end())
            return
        self.role, self.word = "start", at
        rest = line[at:]
        if not rest:
            return
        self._close(at)
        if rest[0] in "{[\"'|>":
            self._value(line, at)
        elif _COMMENT.search(rest):
            self.role = "comment"

    def _dash(self, indent: int) -> None:
        self._close(indent)
        top = self.stack[-1] if self.stack else None
        if top is None or top.is_map or top.indent < indent:
            self._fill()
            self.stack.append(_Open(False, indent))

    def _key(self, indent: int, key: str) -> None:
        self._close(indent)
        if self.stack and not self.stack[-1].is_map and self.stack[-1].indent == indent:
            self.stack.pop()
        if not (self.stack and self.stack[-1].is_map and self.stack[-1].indent == indent):
            self._fill()
            self.stack.append(_Open(True, indent))
        top = self.stack[-1]
        top.key, top.filled = key, False
        top.keys.append(key)

    def _close(self, indent: int) -> None:
        while self.stack and self.stack[-1].indent > indent:
            self.stack.pop()

    def _fill(self) -> None:
        if self.stack:
            self.stack[-1].filled = True

    def _value(self, line: str, at: int) -> None:
        """What follows a key or a dash on its line."""
        rest = line[at:].lstrip(" ")
        at = len(line) - len(rest)
        self.role, self.word = "value", at
        if not rest:
            return
        if rest[0] == "#":
            self.role = "comment"
            return
        self._fill()
        if rest[0] in "{[":
            self._between_brackets(line, at)
        elif rest[0] in "\"'":
            end = _closing(line, at + 1, rest[0])
            self.role, self.word = ("quoted", at + 1) if end is None else ("done", at)
            self.quote = rest[0] if end is None else ""
        elif rest[0] in "|>":
            self.block = self._base
            self.role = "done"
        elif _COMMENT.search(rest):
            self.role = "comment"

    def _between_brackets(self, line: str, at: int) -> None:
        word: int | None = None
        length = len(line)
        while at < length:
            character = line[at]
            if character in "\"'" and word is None:
                end = _closing(line, at + 1, character)
                if end is None:
                    self.quote = character
                    self.role, self.word = "quoted", at + 1
                    return
                word = at
                at = end
                continue
            if character in "{[":
                self._fill()
                self.stack.append(_Open(character == "{", at, flow=True))
                word = None
            elif character in "}]":
                self.stack.pop()
                word = None
                if not self._flow:
                    self.role = "done"
                    return
            elif character == ",":
                self.stack[-1].key = None
                word = None
            elif character == ":" and word is not None and self._ends_key(line, at):
                key = _unquoted(line[word:at].rstrip())
                self.stack[-1].key = key
                self.stack[-1].keys.append(key)
                word = None
            elif character == "#" and line[at - 1 : at] in ("", " "):
                self.role = "comment"
                return
            elif character != " " and word is None:
                word = at
            at += 1
        top = self.stack[-1]
        self.word = length if word is None else word
        self.role = "item" if not top.is_map else "key" if top.key is None else "value"

    def _ends_key(self, line: str, at: int) -> bool:
        """Whether a colon between brackets ends a key: one inside of a word does not."""
        top = self.stack[-1]
        alone = line[at + 1 : at + 2] in ("", *" ,[]{}") or line[at - 1] in "\"'"
        return top.is_map and top.key is None and alone

    def context(self, line: str, column: int, after: list[str]) -> Context | None:
        """The context at the end of what was taken, `column` in the whole line."""
        if self.role in ("comment", "done"):
            return None
        if self.role == "text":
            return self._in_text(line, column)
        start = min(self.word, column)
        flow = self._flow
        end = self._end(line, start, column)
        word, typed = line[start:end], line[start:column]
        behind = line[end + 1 :] if self.role == "quoted" else line[end:]
        colon = bool(_COLON.match(behind))
        if self.role == "start":
            return self._at_start(word, typed, start, colon, after)
        top = self.stack[-1] if self.stack else None
        is_key: bool | None = False
        if self.role == "key" or (self.role == "quoted" and flow and top and top.is_map and top.key is None):
            is_key = True
        elif not flow and colon:  # a quoted key: its line is that of a new member
            return self._at_start(word, typed, start - 1, colon, after, shift=1)
        written = frozenset(top.keys) if is_key and top else frozenset()
        return Context(self._path(drop=bool(is_key)), is_key, word, typed, start, written, flow)

    def _end(self, line: str, start: int, column: int) -> int:
        """Where the scalar ends that starts before the cursor."""
        if self.role == "quoted":
            end = _closing(line, start, self.quote or '"')
            return len(line) if end is None else max(end - 1, column)
        if start == column and line[start : start + 1] in _NO_PLAIN:
            return column
        if start == column and (line[start : start + 1] in ("", " ") or line[start : start + 2] in ("- ", "-")):
            return column
        pattern = _FLOW_END if self._flow else _NAME_END if self.role == "start" else _PLAIN_END
        match = pattern.search(line, column)
        return column if match is None else max(match.start(), column)

    def _at_start(self, word: str, typed: str, start: int, colon: bool, after: list[str], *, shift: int = 0) -> Context:
        """A word that starts a line, or follows a dash."""
        self._close(start)
        top = self.stack[-1] if self.stack else None
        if top is not None and not top.is_map and top.indent == start and len(self.stack) > 1:
            self.stack.pop()  # a list may start in the column of its own key
            top = self.stack[-1]
        if top is None or (top.is_map and top.indent == start):
            keys = frozenset([*(top.keys if top else ()), *_keys_after(after, start)])
            return Context(self._path(drop=True), True, word, typed, start + shift, keys)
        is_key = True if colon else False if top.is_map and top.filled else None
        keys = frozenset(_keys_after(after, start)) if is_key is not False else frozenset()
        return Context(self._path(), is_key, word, typed, start + shift, keys)

    def _in_text(self, line: str, column: int) -> Context:
        left, right = re.search(r"[\w-]*$", line[:column]), re.match(r"[\w-]*", line[column:])
        start = left.start() if left else column
        end = column + (right.end() if right else 0)
        return Context(self._path(), False, line[start:end], line[start:column], start, text=True)

    def _path(self, drop: bool = False) -> Path:
        path = tuple(each.key if each.is_map else None for each in self.stack)
        return path[:-1] if drop and path and self.stack[-1].is_map else path


def _closing(line: str, at: int, quote: str) -> int | None:
    """Behind the quote that closes the text which starts here; `None` where none does."""
    while at < len(line):
        if line[at] == "\\" and quote == '"':
            at += 1
        elif line[at] == quote:
            if quote == "'" and line[at + 1 : at + 2] == "'":
                at += 1
            else:
                return at + 1
        at += 1
    return None


def _unquoted(key: str) -> str:
    """A key without its quotes. Escapes stay as they are: no key of the language has one."""
    return key[1:-1] if len(key) > 1 and key[0] in "\"'" and key[-1] == key[0] else key


def _keys_after(lines: list[str], indent: int) -> list[str]:
    """The keys of a mapping in block style on the lines that follow."""
    found = []
    for line in lines:
        body = line.lstrip(" ")
        if not body or body[0] == "#" or len(line) - len(body) > indent:
            continue
        match = _KEY.match(line, indent)
        if len(line) - len(body) < indent or match is None:
            break
        found.append(_unquoted(match[1]))
    return found
