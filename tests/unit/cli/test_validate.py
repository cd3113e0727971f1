"""`costpol validate`: findings on stdout, the summary on stderr, the exit code for scripts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from costpol.cli.main import main

MODELS = """# yaml-language-server: $schema=.schemas/models.schema.json
kind: models
providers: {local: {type: openai, base_url: 'http://127.0.0.1:1/v1', key: none}}
models:
  tiny: {provider: local, price: {input: 1 USD, output: 2 USD}, context: 8k}
...
"""
ROUTING = "kind: routing\ndefault: tiny\n...\n"


@pytest.fixture(autouse=True)
def _no_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)


def _bundle(folder: Path, **changes: str) -> Path:
    folder.mkdir(exist_ok=True)
    for kind, text in ({"models": MODELS, "routing": ROUTING} | changes).items():
        (folder / f"{kind}.yaml").write_text(text)
    return folder


def test_a_sound_policy_exits_with_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["init", str(tmp_path)])
    capsys.readouterr()
    assert main(["validate", str(tmp_path), "--format", "json"]) == 0
    assert "error" not in {found["severity"] for found in json.loads(capsys.readouterr().out)}


def test_what_loads_is_linted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rule = "  - {name: a, when: {turns: {min: 2}}, route: tiny}\n  - {name: b, when: {turns: {min: 3}}, route: tiny}\n"
    folder = _bundle(tmp_path / "p", routing=f"kind: routing\ndefault: tiny\nrules:\n{rule}...\n")
    assert main(["validate", str(folder), "--format", "json"]) == 1
    assert "CP201" in {found["code"] for found in json.loads(capsys.readouterr().out)}


def test_findings_exit_with_1_and_have_places(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = _bundle(tmp_path / "p", routing="kind: routing\ndefault: tinny\n...\n")
    assert main(["validate", str(folder), "--format", "json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["code"], found["name"], found["severity"]) == ("CP102", "undefined-reference", "error")
    assert (found["file"], found["line"], found["column"]) == (f"{folder}/routing.yaml", 2, 10)
    assert found["help"] == "did you mean `tiny`?"


def test_people_get_carets_and_a_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = _bundle(tmp_path / "p", routing="kind: routing\ndefault: tinny\n...\n")
    assert main(["validate", str(folder)]) == 1
    shown = capsys.readouterr()
    assert " 2 | default: tinny\n   |          ^^^^^\n" in shown.out
    assert "\x1b" not in shown.out
    assert "1 error in 2 files" in shown.err


def test_a_missing_end_marker_is_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["init", str(tmp_path)])
    file = tmp_path / "cache.yaml"
    file.write_text(file.read_text().removesuffix("...\n"))
    capsys.readouterr()
    assert main(["validate", str(tmp_path), "--format", "json"]) == 0
    found = {finding["code"]: finding for finding in json.loads(capsys.readouterr().out)}
    assert (found["CP005"]["severity"], found["CP005"]["file"]) == ("warning", str(file))
    assert main(["validate", str(tmp_path), "--strict"]) == 1


def test_the_default_bundle_is_the_folder_policies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _bundle(tmp_path / "policies", routing="kind: routing\n...\n")
    monkeypatch.chdir(tmp_path)
    assert main(["validate", "--format", "concise"]) == 1
    assert capsys.readouterr().out.startswith("policies/routing.yaml:1:1: error CP203 missing-default-rule: ")


def test_several_bundles_are_checked_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = [str(_bundle(tmp_path / name, routing="kind: routing\n...\n")) for name in ("a", "b")]
    assert main(["validate", *folders, "--format", "json"]) == 1
    files = {Path(found["file"]).parent.name for found in json.loads(capsys.readouterr().out)}
    assert files == {"a", "b"}


@pytest.mark.parametrize("format", ["json", "sarif"])
def test_machine_output_is_json_at_every_exit(format: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in (_bundle(tmp_path / "good"), _bundle(tmp_path / "bad", routing="{")):
        main(["validate", str(folder), "--format", format])
        json.loads(capsys.readouterr().out)


def test_what_cannot_be_read_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(tmp_path / "nowhere"), "--format", "json"]) == 2
    shown = capsys.readouterr()
    assert "there is no folder" in json.loads(shown.out)["error"]
    assert shown.err.startswith("error: there is no folder")


def test_github_gets_annotations_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert main(["validate", str(_bundle(tmp_path / "p", routing="kind: routing\n...\n"))]) == 1
    assert capsys.readouterr().out.startswith("::error file=")


def test_the_default_bundle_is_without_error(capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(__file__).parents[3] / "policies"
    assert main(["validate", str(folder)]) == 0, capsys.readouterr().out
