"""The committed schemas are what the declarations generate, and agree with the loader on policies that load."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from costpol.policy.loader import KINDS, load_folder
from costpol.policy.schema import DIALECT, schema
from costpol.policy.source import read_source
from costpol.policy.tree import ListTree, MapTree, Tree, is_null, resolve, truth

ROOT = Path(__file__).parents[3]
POLICIES = sorted((ROOT / "policies").glob("*.yaml"))


def _as_an_editor_sees_it(tree: Tree) -> Any:
    if isinstance(tree, MapTree):
        return {key.text: _as_an_editor_sees_it(value) for key, value in tree.members}
    if isinstance(tree, ListTree):
        return [_as_an_editor_sees_it(item) for item in tree.items]
    if is_null(tree):
        return None
    meaning = resolve(tree.text) if tree.plain else "text"
    return {"boolean": truth, "integer": int, "number": float}.get(meaning, str)(tree.text)


@pytest.mark.parametrize("kind", KINDS)
def test_the_committed_schema_is_the_generated_one(kind: str) -> None:
    committed = (ROOT / "schemas" / f"{kind}.schema.json").read_text(encoding="utf-8")
    assert json.loads(committed) == schema(kind), "run `costpol schema --write schemas`"


@pytest.mark.parametrize("kind", KINDS)
def test_every_schema_is_one(kind: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(kind))
    assert schema(kind)["$schema"] == DIALECT


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.name)
def test_the_default_bundle_fits_its_schemas(path: Path) -> None:
    tree = read_source(path.read_bytes(), path.name).tree
    assert tree is not None
    document = _as_an_editor_sees_it(tree)
    jsonschema.Draft202012Validator(schema(document["kind"])).validate(document)
    assert path.read_text(encoding="utf-8").startswith(
        f"# yaml-language-server: $schema=../schemas/{document['kind']}.schema.json\n"
    )


def test_the_default_bundle_loads() -> None:
    loaded = load_folder(ROOT / "policies")
    assert loaded.diagnostics == []
    assert loaded.unmarked_ends() == []


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        ("routing", {"kind": "routing", "default": "a", "dfault": "b"}),
        ("routing", {"kind": "routing"}),
        ("routing", {"kind": "cache", "default": "a"}),
        ("routing", {"kind": "routing", "default": "a", "fallback": {"on": "404"}}),
        ("routing", {"kind": "routing", "default": "a", "rules": [{"name": "x", "when": {"turns": 3}, "route": "a"}]}),
        ("cache", {"kind": "cache", "intents": {"faq": {"ttl": 90}}}),
        ("cache", {"kind": "cache", "intents": {"faq": {"threshold": 1.5}}}),
        ("personalization", {"kind": "personalization"}),
        ("budgets", {"kind": "budgets", "budgets": {}}),
    ],
)
def test_what_the_loader_refuses_an_editor_underlines(kind: str, document: dict[str, Any]) -> None:
    assert not jsonschema.Draft202012Validator(schema(kind)).is_valid(document)


def test_every_key_is_described() -> None:
    for kind in KINDS:
        for mapping in [schema(kind), *schema(kind).get("$defs", {}).values()]:
            assert mapping["additionalProperties"] is False
            for name, described in mapping["properties"].items():
                assert described["description"], f"{kind}: {name}"


def test_a_duration_defaults_to_what_one_would_write() -> None:
    assert schema("models")["$defs"]["Provider"]["properties"]["timeout"]["default"] == "2m"
