from __future__ import annotations

import json
from pathlib import Path

import pytest

from costpol.cli.main import main

CASES = """kind: tests
tests:
  - {name: the cheap one answers, message: hello, expect: {model: small}}
...
"""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    texts = {
        "models": """kind: models
providers: {sim: {type: openai, base_url: "http://127.0.0.1:9/v1", key: none}}
models:
  small: {provider: sim, price: {input: 1 USD, output: 4 USD}}
  large: {provider: sim, price: {input: 10 USD, output: 40 USD}}
...
""",
        "routing": """kind: routing
default: small
rules:
  - {name: deep-work, when: {message: {words: [analyze]}}, route: large}
...
""",
        "prompts": "kind: prompts\notherwise: {max_output_tokens: 1k}\n...\n",
        "tests": CASES,
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


def test_passing_cases_exit_with_0(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", str(policy)]) == 0
    assert "1 passed, 0 failed; 50% of rules, exclusions and rungs reached" in capsys.readouterr().out


def test_a_failing_case_shows_what_was_expected_and_where(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (policy / "tests.yaml").write_text(CASES.replace("{model: small}", "{model: large}"))
    assert main(["test", str(policy)]) == 1
    out = capsys.readouterr().out
    assert f"{policy}/tests.yaml:3: model\n        - large\n        + small" in out


def test_no_case_at_all_is_a_failure(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (policy / "tests.yaml").unlink()
    assert main(["test", str(policy), "--format", "json"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["cases"] == []
    assert "has no tests" in captured.err


def test_json_tells_every_case(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (policy / "tests.yaml").write_text(CASES.replace("{model: small}", "{model: large, rule: default}"))
    assert main(["test", str(policy), "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["passed"], document["failed"]) == (0, 1)
    (difference,) = document["cases"][0]["differences"]
    assert (difference["field"], difference["expected"], difference["actual"]) == ("model", "large", "small")
    assert document["coverage"]["rules"] == {"reached": ["default"], "missed": ["deep-work"]}


@pytest.mark.parametrize(("percent", "code"), [("50", 0), ("51", 1)])
def test_coverage_can_be_demanded(policy: Path, percent: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", str(policy), "--coverage", "--fail-under", percent]) == code
    assert "rules that no case reaches: deep-work" in capsys.readouterr().out
