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
    assert "rules that decide a case: 1 of 2\n    not deep-work" in capsys.readouterr().out


def test_less_than_all_is_not_rounded_up(policy: Path) -> None:
    rules = "".join(f"  - {{name: r{n}, when: {{tenant: t{n}}}, route: large}}\n" for n in range(250))
    (policy / "routing.yaml").write_text(f"kind: routing\ndefault: small\nrules:\n{rules}...\n")
    cases = "".join(
        f"  - {{name: c{n}, message: hello, caller: {{tenant: t{n}}}, expect: {{refused: false}}}}\n"
        for n in range(250)
    )
    (policy / "tests.yaml").write_text(f"kind: tests\ntests:\n{cases}...\n")
    assert main(["test", str(policy), "--fail-under", "99.9"]) == 1
    assert main(["test", str(policy), "--fail-under", "99.5"]) == 0


def test_build_servers_get_junit(policy: Path, tmp_path: Path) -> None:
    import xml.etree.ElementTree as ET

    (policy / "tests.yaml").write_text(
        CASES.replace("{model: small}", "{model: large}")
        .replace("the cheap one answers", '"a < b & \\u0001"')
        .replace("...", "  - {name: b, request: [1], expect: {refused: false}}\n...")
    )
    report = tmp_path / "junit.xml"
    assert main(["test", str(policy), "--junit", str(report)]) == 1
    suite = ET.parse(report).getroot()  # noqa: S314 (our own)
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "1", "1")
    assert suite[0].get("name") == "a < b & \ufffd"
    failure = suite[0].find("failure")
    assert failure is not None
    assert "model is small, not large" in (failure.text or "")
