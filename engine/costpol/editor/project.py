"""The files of one bundle as an editor sees them now, with what they said when they were last in order.

Half-typed text has no tree. What the rest of the bundle needs of such a file (names, prices, summaries) is then
answered from the last text of it that had one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from costpol.editor.names import BUILT_IN, Meaning, Occurrence, occurrences
from costpol.policy.binding import bind
from costpol.policy.loader import KINDS
from costpol.policy.node import Node
from costpol.policy.references import OTHERWISE
from costpol.policy.source import read_source
from costpol.policy.tree import MapTree, ScalarTree

N = TypeVar("N", bound=Node)
_KIND = re.compile(r"^kind:[ ]+[\"']?([a-z]+)[\"']?[ ]*(?:#.*)?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """One file: its text as it is, and its tree, node and names as they last were."""

    name: str
    text: str = field(repr=False)
    kind: str | None
    tree: MapTree | None = field(repr=False)
    node: Node | None = field(repr=False)
    names: tuple[Occurrence, ...] = field(repr=False)
    current: bool
    """Whether the tree and the names are those of this very text."""


@dataclass(frozen=True, slots=True)
class Project:
    """The files of a bundle by name."""

    files: Mapping[str, PolicyFile]

    def node(self, node: type[N]) -> N | None:
        """The node of a kind that stands in one file, as it last was."""
        return next((file.node for file in self.files.values() if isinstance(file.node, node)), None)

    def names(self) -> Iterator[Occurrence]:
        """Every name in every file."""
        for file in self.files.values():
            yield from file.names

    def declarations(self, meaning: Meaning) -> Iterator[Occurrence]:
        """Where the names of this meaning are declared, in the order written."""
        return (each for each in self.names() if each.meaning.declares and each.meaning.what in meaning.kinds)

    def known(self, meaning: Meaning) -> dict[str, str]:
        """The names that may stand for something, with what each is declared as."""
        found = {each.name: each.meaning.what for each in self.declarations(meaning)}
        for what in meaning.kinds if meaning.built_in else ():
            for name in BUILT_IN.get(what, ()):
                if name != OTHERWISE or not self._names_the_rest():
                    found.setdefault(name, what)
        return found

    def _names_the_rest(self) -> bool:
        """Whether an `intents` file has a name of its own for what no intent covers."""
        return any(each.meaning.what == "intent" and each.path == ("otherwise",) for each in self.names())


def read_project(texts: Mapping[str, str], previous: Project | None = None) -> Project:
    """The project of these texts; what did not change, or cannot be read now, is taken from the previous one."""
    before = previous.files if previous is not None else {}
    return Project({name: _read_file(name, texts[name], before.get(name)) for name in sorted(texts)})


def is_bundle(texts: Mapping[str, str]) -> bool:
    """Whether the files of a folder are a policy: one of them says a kind of ours."""
    return any(_kind(text) is not None for text in texts.values())


def _read_file(name: str, text: str, previous: PolicyFile | None) -> PolicyFile:
    if previous is not None and previous.text == text:
        return previous
    tree = read_source(text.encode(errors="surrogatepass"), name).tree
    written = tree.get("kind") if tree is not None else None
    kind = written.text if isinstance(written, ScalarTree) and written.text in KINDS else _kind(text)
    if tree is None or kind is None:
        kept = previous if previous is not None and kind in (None, previous.kind) else None
        return PolicyFile(
            name, text, kind or (kept.kind if kept else None),
            kept.tree if kept else None, kept.node if kept else None, kept.names if kept else (), current=False,
        )  # fmt: skip
    node, _ = bind(tree, KINDS[kind])
    if node is None and previous is not None and previous.kind == kind:
        node = previous.node
    return PolicyFile(name, text, kind, tree, node, occurrences(tree, kind, text), current=True)


def _kind(text: str) -> str | None:
    match = _KIND.search(text)
    return match[1] if match and match[1] in KINDS else None
