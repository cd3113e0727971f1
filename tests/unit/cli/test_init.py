"""`costpol init` writes a policy that validates, with schemas where its editor lines say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from costpol.cli.main import main


def test_the_starter_validates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "deep" / "policies"
    assert main(["init", str(folder)]) == 0
    assert main(["validate", str(folder)]) == 0, capsys.readouterr().out


def test_every_file_points_to_a_schema_that_is_there(tmp_path: Path) -> None:
    main(["init", str(tmp_path)])
    files = sorted(tmp_path.glob("*.yaml"))
    assert files
    for file in files:
        first = file.read_text(encoding="utf-8").split("\n")[0]
        schema = tmp_path / first.partition("$schema=")[2]
        assert json.loads(schema.read_text(encoding="utf-8"))["properties"]["kind"]["const"] == file.stem


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "routing.yaml").write_text("mine")
    assert main(["init", str(tmp_path)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert (tmp_path / "routing.yaml").read_text() == "mine"
    assert not (tmp_path / "models.yaml").exists()


def test_what_cannot_be_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("x")
    assert main(["init", str(tmp_path / "file")]) == 2
    assert "cannot be written" in capsys.readouterr().err
