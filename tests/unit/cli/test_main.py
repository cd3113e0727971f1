"""The command line: lazy subcommands, exit codes, errors that help, JSON wherever it was asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from costpol.cli import main as cli
from costpol.diagnostics import Diagnostic, Severity, Span
from costpol.errors import BundleError, UsageError

ENGINE = str(Path(cli.__file__).parents[2])


def _imported_by(*words: str) -> set[str]:
    script = (
        f"import sys; sys.path.insert(0, {ENGINE!r}); from costpol.cli.main import main; main({list(words)!r}); "
        "print('\\n'.join(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def _with_command(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    @click.command("fail")
    @click.option("--format", "format_")
    def command(format_: str | None) -> int:
        raise error

    class Module:
        pass

    module = Module()
    module.command = command  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fail_for_this_test", module)  # type: ignore[arg-type]
    monkeypatch.setattr(cli, "SUBCOMMANDS", {"fail": ("fail_for_this_test:command", "fails")})


def test_help_lists_every_subcommand_and_imports_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    shown = capsys.readouterr().out
    for name, (_, help) in cli.SUBCOMMANDS.items():
        assert name in shown
        assert help in shown
    modules = _imported_by("--help")
    assert not modules & {place.partition(":")[0] for place, _ in cli.SUBCOMMANDS.values()}
    assert not {name.partition(".")[0] for name in modules} & {"yaml", "rich", "numpy", "aiohttp", "openai", "asyncio"}


def test_validate_imports_no_server_and_no_provider() -> None:
    modules = _imported_by("validate", str(Path(cli.__file__).parents[3] / "policies"))
    assert not {name.partition(".")[0] for name in modules} & {"aiohttp", "uvicorn", "openai", "qdrant_edge", "rich"}


@pytest.mark.parametrize("name", cli.SUBCOMMANDS)
def test_every_subcommand_is_there_and_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([name, "--help"]) == 0
    assert name in capsys.readouterr().out
    place, help = cli.SUBCOMMANDS[name]
    module, _, attribute = place.partition(":")
    command = getattr(sys.modules[module], attribute)
    assert command.name == name
    assert help


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert "costpol" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["validte"], ["--bogus"], ["validate", "--format", "xml"], ["schema", "cash"]])
def test_bad_usage_exits_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == 2
    assert capsys.readouterr().out == ""


def test_a_misspelt_subcommand_gets_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["validte"])
    assert "did you mean `validate`?" in capsys.readouterr().err


def test_an_error_of_ours_is_told_with_its_cure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _with_command(monkeypatch, UsageError("the log cannot be read", "name a file"))
    assert cli.main(["fail"]) == 2
    assert capsys.readouterr() == ("", "error: the log cannot be read\n  = help: name a file\n")


@pytest.mark.parametrize(
    "words", [["fail", "--format", "json"], ["fail", "--format=json"], ["fail", "--bogus", "--format=json"]]
)
def test_who_asked_for_json_gets_json_on_exit_2(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _with_command(monkeypatch, UsageError("the log cannot be read"))
    assert cli.main(words) == 2
    assert json.loads(capsys.readouterr().out)["error"]


def test_a_bundle_that_does_not_load_exits_with_1_and_its_findings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "cache.yaml"
    file.write_text("kind: cash\n")
    finding = Diagnostic("CP112", "unknown-kind", Severity.ERROR, Span(str(file), 1, 7, 1, 11), "`cash` is no kind")
    _with_command(monkeypatch, BundleError([finding]))
    assert cli.main(["fail", "--format", "json"]) == 1
    shown = capsys.readouterr()
    assert json.loads(shown.out)[0]["code"] == "CP112"
    assert " 1 | kind: cash\n   |       ^^^^\n" in shown.err


def test_a_bug_is_one_line_and_more_on_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _with_command(monkeypatch, RuntimeError("the moon is full\nand bright"))
    monkeypatch.delenv("COSTPOL_DEBUG", raising=False)
    assert cli.main(["fail"]) == 2
    shown = capsys.readouterr().err
    assert "internal error: the moon is full" in shown
    assert "Traceback" not in shown
    monkeypatch.setenv("COSTPOL_DEBUG", "1")
    assert cli.main(["fail"]) == 2
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("format", ["text", "json"])
def test_a_full_disk_under_standard_output_is_one_line(format: str) -> None:
    with Path("/dev/full").open("w") as full:
        words = [sys.executable, "-m", "costpol.cli.main", "rule", "--all", "--format", format]
        environment = os.environ | {"PYTHONPATH": ENGINE}
        ran = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, env=environment, check=False)
    assert ran.returncode == 2
    assert ran.stderr.splitlines()[0] == "error: the output cannot be written: no space left on device"
    assert "Traceback" not in ran.stderr


def test_an_interrupt_is_no_error_message(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _with_command(monkeypatch, KeyboardInterrupt())
    assert cli.main(["fail"]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_the_command_runs_as_a_process(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": ENGINE}
    words = [sys.executable, "-m", "costpol.cli.main", "validate", str(tmp_path / "none"), "--format", "json"]
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 2
    assert "there is no folder" in json.loads(done.stdout)["error"]
