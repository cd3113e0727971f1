"""Settings: where they are found, what wins, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from costpol.cli.settings import read_settings
from costpol.diagnostics import Diagnostic, Severity, Span
from costpol.errors import UsageError


def _finding(code: str, severity: Severity = Severity.WARNING, file: str = "policies/cache.yaml") -> Diagnostic:
    return Diagnostic(code, "name", severity, Span(file, 1, 1, 1, 1), "m")


LOW, LEAK, NOTE = _finding("CP401"), _finding("CP303"), _finding("CP205", Severity.INFO)


def _written(folder: Path, text: str, name: str = "costpol.toml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder


def test_without_settings_everything_is_reported_and_errors_fail(tmp_path: Path) -> None:
    settings = read_settings(tmp_path, {})
    assert settings.reports(LOW)
    assert not settings.fails(LOW)
    assert settings.fails(_finding("CP401", Severity.ERROR))


@pytest.mark.parametrize("name", ["costpol.toml", ".costpol.toml", "pyproject.toml"])
def test_the_nearest_file_counts_whole(name: str, tmp_path: Path) -> None:
    _written(tmp_path, 'ignore = ["CP3"]\nfail-level = "info"\n')
    head = "[tool.costpol]\n" if name == "pyproject.toml" else ""
    near = _written(tmp_path / "app", f'{head}ignore = ["CP4"]\n', name)
    settings = read_settings(near / "deep" / "policies", {})
    assert settings.file == near / name
    assert settings.reports(LEAK)
    assert not settings.reports(LOW)
    assert not settings.fails(NOTE)


def test_a_pyproject_without_our_table_is_passed_by(tmp_path: Path) -> None:
    _written(tmp_path, 'ignore = ["CP4"]\n')
    near = _written(tmp_path / "app", "[tool.other]\ncostpol = 1\n[project]\nname = 'x'\n", "pyproject.toml")
    assert read_settings(near, {}).file == tmp_path / "costpol.toml"
    _written(near, "[tool.costpol.per-file-ignores]\n'a*.yaml' = ['CP3']\n", "pyproject.toml")
    assert read_settings(near, {}).file == near / "pyproject.toml"


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    _written(tmp_path, 'select = ["CP1"]\nfail-level = "info"\n')
    environment = {"COSTPOL_SELECT": "CP3,CP4", "COSTPOL_FAIL_LEVEL": "warning"}
    settings = read_settings(tmp_path, environment, select=("CP401",))
    assert settings.reports(LOW)
    assert not settings.reports(LEAK)
    assert settings.fail_level is Severity.WARNING
    assert dict(settings.sources) == {"select": "--select", "fail-level": "COSTPOL_FAIL_LEVEL"}
    assert read_settings(tmp_path, environment).reports(LEAK)


def test_who_says_more_decides_and_ignoring_wins_a_tie(tmp_path: Path) -> None:
    assert read_settings(tmp_path, {}, select=("CP303",), ignore=("CP3",)).reports(LEAK)
    assert not read_settings(tmp_path, {}, select=("CP3",), ignore=("CP303",)).reports(LEAK)
    assert not read_settings(tmp_path, {}, select=("CP3",), ignore=("CP3",)).reports(LEAK)
    assert not read_settings(tmp_path, {}, ignore=("ALL",)).reports(LEAK)


def test_files_may_ignore_more(tmp_path: Path) -> None:
    _written(tmp_path, '[per-file-ignores]\n"policies/ca*.yaml" = ["CP401"]\n')
    settings = read_settings(tmp_path / "policies", {})
    inside = str(tmp_path / "policies" / "cache.yaml")
    assert not settings.reports(_finding("CP401", file=inside))
    assert settings.reports(_finding("CP303", file=inside))
    assert settings.reports(_finding("CP401", file=str(tmp_path / "policies" / "routing.yaml")))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ignor = ['CP3']", "there is no setting `ignor`"),
        ("ignore = 'CP3'", "takes a list"),
        ("ignore = ['CP777']", "no finding is called `CP777`"),
        ("fail-level = 'fatal'", "`fail-level` takes"),
        ("per-file-ignores = ['CP3']", "takes a table"),
        ("per-file-ignores = {'a.yaml' = ['nothing']}", "no finding is called `nothing`"),
        ("ignore = [", "is not valid TOML"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, message: str, tmp_path: Path) -> None:
    _written(tmp_path, text)
    with pytest.raises(UsageError, match=message) as caught:
        read_settings(tmp_path, {})
    assert "costpol.toml" in caught.value.message


def test_a_named_file_is_taken_instead_of_the_nearest(tmp_path: Path) -> None:
    _written(tmp_path, 'ignore = ["CP3"]\n')
    named = _written(tmp_path / "other", 'ignore = ["CP4"]\n', "strict.toml") / "strict.toml"
    assert not read_settings(tmp_path, {}, config=named).reports(LOW)
    with pytest.raises(UsageError, match="cannot be read"):
        read_settings(tmp_path, {}, config=tmp_path / "none.toml")
