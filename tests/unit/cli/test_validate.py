"""`costpol validate`: findings on stdout, the summary on stderr, the exit code for scripts."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from xml.etree import ElementTree

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
PROMPTS = "kind: prompts\notherwise: {max_output_tokens: 500}\n...\n"
BUDGETS = "kind: budgets\nbudgets: {all: {limit: 9 USD, per: month, time_zone: UTC}}\n...\n"
SOUND = {"models": MODELS, "routing": ROUTING, "prompts": PROMPTS, "budgets": BUDGETS}


@pytest.fixture(autouse=True)
def _no_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)


def _bundle(folder: Path, **changes: str) -> Path:
    folder.mkdir(exist_ok=True)
    for kind, text in (SOUND | changes).items():
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
    assert "1 error in 4 files" in shown.err


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


@pytest.mark.parametrize("format", ["json", "jsonl", "sarif", "junit"])
def test_machine_output_is_whole_at_every_exit(format: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = _bundle(tmp_path / "good"), _bundle(tmp_path / "bad", routing="{")
    asked = [([str(good)], 0), ([str(bad)], 1), ([str(tmp_path / "none")], 2), ([str(good), "--select", "CP999"], 2)]
    for words, code in asked:
        assert main(["validate", *words, "--format", format]) == code
        out = capsys.readouterr().out
        if format == "junit":
            ElementTree.fromstring(out)  # noqa: S314 - our own
        elif format == "jsonl":
            assert [json.loads(line) for line in out.splitlines()] or code == 0
        else:
            json.loads(out)


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


LOW = "kind: cache\notherwise: {ttl: 1h, scope: tenant, threshold: 0.85}\n...\n"


def _codes(shown: str) -> set[str]:
    return {found["code"] for found in json.loads(shown)}


def test_findings_are_selected_and_ignored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(_bundle(tmp_path / "p", cache=LOW))
    main(["validate", folder, "--format", "json"])
    everything = _codes(capsys.readouterr().out)
    assert {"CP401", "CP307"} <= everything
    main(["validate", folder, "--format", "json", "--select", "CP4"])
    assert _codes(capsys.readouterr().out) == {code for code in everything if code.startswith("CP4")}
    main(["validate", folder, "--format", "json", "--ignore", "low-threshold", "--ignore", "CP6,CP3"])
    assert _codes(capsys.readouterr().out) == {
        code for code in everything if code[:3] not in ("CP6", "CP3") and code != "CP401"
    }


def test_what_keeps_a_bundle_from_loading_is_always_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(_bundle(tmp_path / "p", routing="kind: routing\ndefault: tinny\n...\n"))
    for words in (["--ignore", "CP1"], ["--select", "CP3"]):
        assert main(["validate", folder, "--format", "json", *words]) == 1
        assert _codes(capsys.readouterr().out) == {"CP102"}


def test_the_level_decides_what_fails(tmp_path: Path) -> None:
    folder = str(_bundle(tmp_path / "p", cache=LOW))
    assert main(["validate", folder, "--select", "CP401"]) == 0
    assert main(["validate", folder, "--select", "CP401", "--strict"]) == 1
    assert main(["validate", folder, "--select", "CP401", "--fail-level", "warning"]) == 1
    assert main(["validate", folder, "--select", "CP401", "--fail-level", "info", "--strict"]) == 1
    assert main(["validate", folder, "--select", "CP401", "--strict", "--exit-zero"]) == 0
    broken = str(_bundle(tmp_path / "q", routing="{"))
    assert main(["validate", broken, "--exit-zero"]) == 0
    assert main(["validate", str(tmp_path / "none"), "--exit-zero"]) == 2


def test_settings_are_found_above_the_bundle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(_bundle(tmp_path / "p", cache=LOW))
    (tmp_path / "costpol.toml").write_text('select = ["CP401"]\nfail-level = "warning"\n')
    assert main(["validate", folder, "--format", "json"]) == 1
    assert _codes(capsys.readouterr().out) == {"CP401"}
    assert main(["validate", folder, "--show-settings", "--format", "json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["file"], shown["select"], shown["fail-level"]) == (
        str(tmp_path / "costpol.toml"), ["CP401"], "warning",
    )  # fmt: skip
    assert main(["validate", folder, "--show-settings"]) == 0
    assert 'select: ["CP401"]  # ' in capsys.readouterr().out
    (tmp_path / "costpol.toml").write_text("selct = []\n")
    assert main(["validate", folder, "--format", "json"]) == 2
    assert json.loads(capsys.readouterr().out)["help"] == "did you mean `select`?"


def test_fixes_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = _bundle(tmp_path / "p", routing="kind: routing\ndefalt: tiny # small\n")
    assert main(["validate", str(folder), "--format", "json", "--select", "CP0"]) == 1
    assert main(["validate", str(folder), "--select", "CP0"]) == 1
    assert "2 can be mended with `--fix`" in capsys.readouterr().err
    assert main(["validate", str(folder), "--fix", "--select", "CP0,CP1"]) == 0
    assert (folder / "routing.yaml").read_text() == "kind: routing\ndefault: tiny # small\n...\n"
    assert "2 mended" in capsys.readouterr().err


def test_a_diff_changes_nothing_and_fails_where_there_is_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = _bundle(tmp_path / "p", routing="kind: routing\ndefault: tiny\n")
    assert main(["validate", str(folder), "--diff"]) == 1
    shown = capsys.readouterr()
    assert shown.out == (
        f"--- {folder}/routing.yaml\n+++ {folder}/routing.yaml\n@@ -1,2 +1,3 @@\n kind: routing\n default: tiny\n+...\n"
    )
    assert "1 would be mended" in shown.err
    assert (folder / "routing.yaml").read_text() == "kind: routing\ndefault: tiny\n"
    main(["validate", str(folder), "--fix"])
    assert main(["validate", str(folder), "--diff"]) == 0
    assert main(["validate", str(folder), "--diff", "--format", "json"]) == 2


def test_unsafe_fixes_are_asked_for(tmp_path: Path) -> None:
    folder = _bundle(tmp_path / "p", cache="kind: cache\notherwise: {ttl: 1h, scope: usr}\n...\n")
    assert main(["validate", str(folder), "--fix"]) == 1
    assert main(["validate", str(folder), "--fix", "--unsafe-fixes"]) == 0
    assert "scope: user}" in (folder / "cache.yaml").read_text()


def test_stdin_takes_the_place_of_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = _bundle(tmp_path / "p")
    file = folder / "routing.yaml"
    words = ["validate", "-", "--stdin-filename", str(file), "--format", "json"]
    for text, codes in (("kind: routing\ndefault: tinny\n...\n", {"CP102"}), ("kind: routing\n", {"CP203"})):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        assert main(words) == 1
        found = json.loads(capsys.readouterr().out)
        assert {each["code"] for each in found if each["severity"] == "error"} == codes
        assert {each["file"] for each in found} == {file.as_posix()}
    assert file.read_text() == ROUTING


def test_stdin_may_be_a_file_that_is_not_there_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LOW.encode())))
    file = _bundle(tmp_path / "p") / "cache.yaml"
    main(["validate", "-", "--stdin-filename", str(file), "--format", "json", "--select", "CP401"])
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["code"], found["file"]) == ("CP401", file.as_posix())


@pytest.mark.parametrize(
    "words", [["-"], ["--stdin-filename", "a.yaml"], ["-", "--stdin-filename", "p/routing.yaml", "--fix"]]
)
def test_stdin_is_named_and_not_mended(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", *words]) == 2
    assert "stdin" in capsys.readouterr().err


def test_a_file_stands_for_its_bundle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = _bundle(tmp_path / "p", routing="kind: routing\n...\n")
    assert main(["validate", *map(str, sorted(folder.iterdir())), "--format", "json"]) == 1
    assert len([each for each in json.loads(capsys.readouterr().out) if each["code"] == "CP203"]) == 1


def test_the_default_bundle_is_without_error(capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(__file__).parents[3] / "policies"
    assert main(["validate", str(folder)]) == 0, capsys.readouterr().out
