"""Every key of every node is declared so that it can be read and described."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

from costpol.policy import nodes
from costpol.policy.binding import bind
from costpol.policy.declaration import declared
from costpol.policy.node import Node
from costpol.policy.nodes.matcher import When
from costpol.policy.source import read_source


def _nodes() -> list[type[Node]]:
    for module in pkgutil.iter_modules(nodes.__path__):
        importlib.import_module(f"{nodes.__name__}.{module.name}")
    return [node for node in Node.__subclasses__() if node.__module__.startswith(nodes.__name__)]


@pytest.mark.parametrize("node", _nodes(), ids=lambda node: node.__name__)
def test_every_annotation_has_a_reading_and_every_key_a_sentence(node: type[Node]) -> None:
    source = read_source(b"no-such-key: 1\n", "policy.yaml")
    assert source.tree is not None
    _, found = bind(source.tree, node)
    assert found[0].code == "CP101"
    for key in declared(node):
        assert key.key.doc
        assert not key.key.doc.endswith(".")
        assert key.key.doc[0] == key.key.doc[0].lower()


def test_a_key_is_known_by_its_names_and_its_default() -> None:
    keys = {key.name: key for key in declared(When)}
    assert keys["not"].attribute == "not_"
    assert keys["metadata"].default == {}
    assert not keys["tenant"].required
