from __future__ import annotations

import json
from pathlib import Path

import pytest

from costpol.cli.main import main
from costpol.evaluate.log_registry import LOG_RULES
from costpol.lint.registry import RULES
from costpol.policy.codes import CATALOGUE


@pytest.mark.parametrize("name", ["CP303", "cp303", "personal-intent-cached"])
def test_a_rule_is_explained_by_code_or_name(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rule", name]) == 0
    out = capsys.readouterr().out
    assert out.startswith("# CP303 personal-intent-cached\n")
    assert "## Why" in out


def test_a_code_of_the_loader_is_explained_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rule", "CP002"]) == 0
    assert capsys.readouterr().out.startswith("# CP002 duplicate-key\n")


def test_all_lists_every_code_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rule", "--all", "--format", "json"]) == 0
    listed = [entry["code"] for entry in json.loads(capsys.readouterr().out)]
    assert listed == sorted({*(rule.CODE for rule in (*RULES, *LOG_RULES)), *(code.code for code in CATALOGUE)})
    assert main(["rule", "--all"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(listed)


def test_an_unknown_rule_is_bad_usage_with_a_guess(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rule", "low-treshold"]) == 2
    assert "did you mean `low-threshold`?" in capsys.readouterr().err


def test_no_rule_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rule"]) == 2
    assert "costpol rule --all" in capsys.readouterr().err


def test_pages_are_written_to_a_folder(tmp_path: Path) -> None:
    assert main(["rule", "--write", str(tmp_path / "rules")]) == 0
    assert (tmp_path / "rules" / "low-threshold.md").read_text().startswith("# CP401 low-threshold\n")
    assert len(list((tmp_path / "rules").iterdir())) == len(RULES) + len(LOG_RULES) + 1


@pytest.mark.parametrize("name", ["CP302", "cp302", "soft-cache-scope"])
def test_a_code_that_cannot_occur_says_why(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rule", name]) == 2
    assert "because it cannot happen here: the scope is a filter" in capsys.readouterr().err
