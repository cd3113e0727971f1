"""Every policy that ships loads, has no finding, fits its schemas and passes its own tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from costpol.cli.main import command
from costpol.policy.source import read_source
from costpol.policy.tree import plain_data

ROOT = Path(__file__).parents[2]
BUNDLES = [ROOT / "policies", *(path.parent for path in sorted(ROOT.glob("examples/*/routing.yaml")))]
FILES = [file for bundle in BUNDLES for file in sorted(bundle.glob("*.yaml"))]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def plain(file: Path) -> Any:
    """As an editor reads it: by YAML 1.2, with numbers as JSON has them."""
    tree = read_source(file.read_bytes(), str(file)).tree
    assert tree is not None
    return json.loads(json.dumps(plain_data(tree), default=float))


@pytest.mark.parametrize("bundle", BUNDLES, ids=name)
def test_a_shipped_policy_has_no_finding(bundle: Path) -> None:
    result = CliRunner().invoke(command, ["validate", str(bundle), "--format", "json"], standalone_mode=False)
    assert json.loads(result.stdout) == []
    assert result.return_value == 0


@pytest.mark.parametrize("bundle", BUNDLES, ids=name)
def test_a_shipped_policy_passes_its_tests_and_they_reach_all_of_it(bundle: Path) -> None:
    words = ["test", str(bundle), "--format", "json", "--fail-under", "100"]
    result = CliRunner().invoke(command, words, standalone_mode=False)
    assert result.return_value == 0, result.output


@pytest.mark.parametrize("file", FILES, ids=name)
def test_a_shipped_file_fits_the_schema_that_its_first_line_names(file: Path) -> None:
    text = file.read_text()
    head = text.splitlines()[0]
    assert head.startswith("# yaml-language-server: $schema=")
    schema = (file.parent / head.partition("=")[2]).resolve()
    assert schema.parent == ROOT / "schemas"
    jsonschema.Draft202012Validator(json.loads(schema.read_text())).validate(plain(file))


def test_there_are_policies_to_test() -> None:
    assert len(BUNDLES) >= 3
