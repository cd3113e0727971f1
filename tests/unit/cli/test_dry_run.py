from __future__ import annotations

import io
import json
import sys
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from costpol.cli.main import main

MODELS = """kind: models
providers:
  sim: {type: openai, base_url: "http://127.0.0.1:9/v1", key: $NOT_SET_ANYWHERE}
models:
  small: {provider: sim, price: {input: 1 USD, output: 4 USD}}
  large: {provider: sim, price: {input: 10 USD, output: 40 USD}}
tiers: {cheap: small, strong: large}
...
"""
ROUTING = "kind: routing\ndefault: cheap\n...\n"
PROMPTS = "kind: prompts\notherwise: {max_output_tokens: 1k}\n...\n"
RECORD = {
    "request": {"model": "large", "messages": [{"role": "user", "content": "hello"}]},
    "response": {"content": "hi", "usage": {"prompt_tokens": 1000, "completion_tokens": 100}},
}


def write_policy(folder: Path, routing: str = ROUTING) -> str:
    folder.mkdir()
    for name, text in (("models", MODELS), ("routing", routing), ("prompts", PROMPTS)):
        (folder / f"{name}.yaml").write_text(text)
    return str(folder)


@pytest.fixture
def policy(tmp_path: Path) -> str:
    return write_policy(tmp_path / "policy")


@pytest.fixture
def log(tmp_path: Path) -> str:
    path = tmp_path / "log.jsonl"
    path.write_text((json.dumps(RECORD) + "\n") * 3)
    return str(path)


def read(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out, parse_float=Decimal)


def test_json_is_exact(policy: str, log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dry-run", log, "--policies", policy, "--format", "json"]) == 0
    report = read(capsys)
    assert report["requests"] == 3
    assert report["baseline_usd"] == Decimal("0.042")
    assert report["policy_usd"] == Decimal("0.0042")
    assert sum(lever["saved_usd"] - lever["own_cost_usd"] for lever in report["levers"]) == report["saved_usd"]


def test_text_tells_the_result_first(policy: str, log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dry-run", log, "--policies", policy]) == 0
    assert "the policy saves $0.037800 of $0.042000, 90.0%" in capsys.readouterr().out


def test_a_log_may_come_from_standard_input(
    policy: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(json.dumps(RECORD).encode())))
    assert main(["dry-run", "-", "--policies", policy, "--format", "json"]) == 0
    assert read(capsys)["requests"] == 1


def test_a_report_may_go_to_a_file(policy: str, log: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "report.html"
    assert main(["dry-run", log, "--policies", policy, "--format", "html", "--output", str(page)]) == 0
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("gate", "code"),
    [
        ("saved_fraction < 20%", 0),
        ("saved_fraction < 95%", 1),
        ("cache.hit_rate < 1%", 1),
        ("refused > 0 or refused_usd > 0 or unpriced > 0", 0),
        ("routes.large > 0", 0),
        ("routes.small == 3", 1),
        ("routes.medium > 0", 2),
        ("rules.default.hits > 0", 0),
        ("rules.default.cache.hit_rate > 0", 1),
        ("intents.billing.refused > 0", 2),
    ],
)
def test_a_gate_decides_the_exit(policy: str, log: str, gate: str, code: int) -> None:
    assert main(["dry-run", log, "--policies", policy, "--fail-if", gate]) == code


def test_a_gate_that_cannot_be_read_is_refused_before_the_replay(policy: str, tmp_path: Path) -> None:
    assert main(["dry-run", str(tmp_path / "missing"), "--policies", policy, "--fail-if", "soon"]) == 2


def test_two_policies_are_compared(policy: str, log: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = write_policy(tmp_path / "old", ROUTING.replace("cheap", "strong"))
    assert main(["dry-run", log, "--policies", policy, "--against", old, "--format", "json"]) == 0
    against = read(capsys)["against"]
    assert against["changed"] == 3
    assert against["difference"]["policy_usd"] == Decimal("-0.0378")


def test_a_policy_with_errors_gives_its_findings(log: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = write_policy(tmp_path / "broken", "kind: routing\ndefault: nowhere\n...\n")
    assert main(["dry-run", log, "--policies", broken, "--format", "json"]) == 1
    assert read(capsys)[0]["code"] == "CP102"


@pytest.mark.parametrize("missing", ["log", "policy"])
def test_what_is_not_there_is_bad_usage(
    policy: str, log: str, tmp_path: Path, missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {"log": log, "policy": policy} | {missing: str(tmp_path / "nowhere")}
    assert main(["dry-run", names["log"], "--policies", names["policy"], "--format", "json"]) == 2
    assert "nowhere" in read(capsys)["error"]


def test_a_log_without_any_request_fails(policy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text("no JSON\n{}\n")
    assert main(["dry-run", str(log), "--policies", policy, "--format", "json"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["skipped_lines"]["count"] == 2
    assert f"{log}:1: not JSON" in captured.err


def test_a_limit_ends_the_replay(policy: str, log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dry-run", log, "--policies", policy, "--limit", "2", "--format", "json"]) == 0
    assert read(capsys)["requests"] == 2


def test_standard_output_holds_the_report_alone(policy: str, log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dry-run", log, "--policies", policy, "--format", "json", "--fail-if", "requests > 1"]) == 1
    captured = capsys.readouterr()
    json.loads(captured.out)
    assert "requests is 3" in captured.err


def test_a_gate_on_no_figure_leaves_one_answer_on_standard_output(
    policy: str, log: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dry-run", log, "--policies", policy, "--format", "json", "--fail-if", "nosuch > 1"]) == 2
    assert "nosuch" in read(capsys)["error"]


def test_one_request_is_spoken_of_as_one(policy: str, log: str, capsys: pytest.CaptureFixture[str]) -> None:
    old = {**RECORD, "time": "2020-01-01T00:00:00Z"}
    unpriced = {**RECORD, "request": {"model": "of-nobody", "messages": [{"role": "user", "content": "hello"}]}}
    Path(log).write_text("".join(json.dumps(record) + "\n" for record in (RECORD, unpriced, old)))
    assert main(["dry-run", log, "--policies", policy, "--format", "json"]) == 0
    assumptions = " ".join(read(capsys)["assumptions"])
    assert "1 request of of-nobody is in neither sum, for want of a price" in assumptions
    assert "1 request is older than the one before" in assumptions
