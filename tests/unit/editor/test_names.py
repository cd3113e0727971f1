"""The names of a policy: every key that takes one says whose it is, and every name that is checked is found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

import pytest

from costpol.editor.language import keys_of
from costpol.editor.names import MEMBERS, VALUES, occurrences, placeholder_before
from costpol.editor.project import Project
from costpol.policy.loader import KINDS, load_bundle
from costpol.policy.node import Node
from costpol.policy.scalars import Name
from costpol.policy.source import read_source


def nodes(node: type[Node], seen: set[type[Node]]) -> set[type[Node]]:
    if node not in seen:
        seen.add(node)
        for key in keys_of(node):
            for part in parts(key.annotation):
                if isinstance(part, type) and issubclass(part, Node):
                    nodes(part, seen)
    return seen


def parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    if annotation != Name:
        for inner in get_args(annotation):
            yield from parts(inner)


ALL_NODES: set[type[Node]] = set().union(*(nodes(kind, set()) for kind in KINDS.values()))


def test_every_key_that_takes_a_name_says_whose() -> None:
    """A new key of the language that takes a `Name` goes into `MEMBERS` or `VALUES`."""
    forgotten = []
    for node in ALL_NODES:
        for key in keys_of(node):
            where = (node, key.attribute)
            mappings = [part for part in parts(key.annotation) if _is_mapping(part) and get_args(part)[0] == Name]
            if mappings and where not in MEMBERS:
                forgotten.append(f"MEMBERS: {node.__name__}.{key.name}")
            outside = _without_mapping_keys(key.annotation)
            if any(part == Name for part in outside) and where not in VALUES:
                forgotten.append(f"VALUES: {node.__name__}.{key.name}")
    assert not forgotten


def test_no_table_names_a_key_that_is_not_there() -> None:
    known = {(node, key.attribute) for node in ALL_NODES for key in keys_of(node)}
    assert {*MEMBERS, *VALUES} <= known


def _is_mapping(annotation: Any) -> bool:
    origin = get_origin(annotation)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _without_mapping_keys(annotation: Any) -> Iterator[Any]:
    if _is_mapping(annotation):
        yield from _without_mapping_keys(get_args(annotation)[1])
    elif annotation == Name:
        yield annotation
    elif isinstance(annotation, type) and issubclass(annotation, Node):
        return
    else:
        for inner in get_args(annotation):
            yield from _without_mapping_keys(inner)


def test_every_reference_that_the_loader_would_miss_is_found(texts: dict[str, str]) -> None:
    """What the loader calls undefined stands where this room sees a name."""
    broken = {name: text.encode() for name, text in texts.items()}
    broken["routing.yaml"] = b"kind: routing\ndefault: a\nrules:\n- {name: x, when: {intent: b}, route: c}\n...\n"
    broken["cache.yaml"] = b"kind: cache\nembedder: d\nintents: {e: 'off'}\n...\n"
    broken["prompts.yaml"] = b"kind: prompts\nintents: {faq: {template: f}}\n...\n"
    broken["budgets.yaml"] = (
        b"kind: budgets\nbudgets: {g: {limit: 1 USD, per: day}}\nladder: [{at: 50%, budgets: h, route: i}]\n...\n"
    )
    broken["batch.yaml"] = b"kind: batch\nintents: {j: {deadline: 1h, provider: k}}\n...\n"
    broken["personalization.yaml"] = b"kind: personalization\nexclusions: [{intents: l, variables: m}]\n...\n"
    broken["tests.yaml"] = (
        b"kind: tests\ntests: [{name: t, message: x, spent: {n: 5%}, "
        b"expect: {intent: o, rule: p, model: q, template: r}}]\n...\n"
    )
    missing = [found for found in load_bundle(broken).diagnostics if found.code == "CP102"]
    assert len(missing) >= 14
    seen = set()
    for name, data in broken.items():
        tree = read_source(data, name).tree
        assert tree is not None
        kind = data.decode().split("\n")[0].removeprefix("kind: ")
        seen |= {(each.span.file, each.span.line, each.span.column) for each in occurrences(tree, kind, data.decode())}
    for found in missing:
        assert (found.span.file, found.span.line, found.span.column) in seen, found


def test_placeholders_are_names_at_their_place(project: Project, texts: dict[str, str]) -> None:
    lines = texts["prompts.yaml"].split("\n")
    names = [each for each in project.files["prompts.yaml"].names if each.meaning.what == "variable"]
    used = [each for each in names if not each.meaning.declares]
    assert [(each.name, each.template) for each in used] == [("name", "hello"), ("topic", "hello"), ("name", "other")]
    for each in names:
        assert lines[each.span.line - 1][each.span.column - 1 : each.span.end_column - 1] == each.name


def test_a_quoted_name_stands_between_its_quotes(project: Project, texts: dict[str, str]) -> None:
    big = next(each for each in project.files["models.yaml"].names if each.name == "big" and each.meaning.declares)
    line = texts["models.yaml"].split("\n")[big.span.line - 1]
    assert line[big.span.column - 1 : big.span.end_column - 1] == "big"


@pytest.mark.parametrize(("line", "typed"), [("a {{ na", "na"), ("{{", ""), ("{{ a }} b", None), ("a", None)])
def test_an_open_placeholder_is_recognised(line: str, typed: str | None) -> None:
    assert placeholder_before(line, len(line)) == typed
