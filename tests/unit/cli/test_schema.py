"""`costpol schema` prints and writes the schemas."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from costpol.cli.main import main
from costpol.policy.loader import KINDS


def test_one_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "routing"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "costpol routing"


def test_all_schemas_are_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == set(KINDS)


def test_schemas_are_written_as_files(tmp_path: Path) -> None:
    assert main(["schema", "--write", str(tmp_path / "new")]) == 0
    committed = Path(__file__).parents[3] / "schemas"
    for kind in KINDS:
        name = f"{kind}.schema.json"
        assert (tmp_path / "new" / name).read_bytes() == (committed / name).read_bytes()


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("x")
    assert main(["schema", "--write", str(tmp_path / "file")]) == 2
    assert "cannot be written" in capsys.readouterr().err
