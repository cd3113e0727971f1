from __future__ import annotations

import json
from pathlib import Path

import pytest

from costpol.cli.main import main


@pytest.fixture
def policy(tmp_path: Path) -> str:
    texts = {
        "models": """kind: models
providers: {sim: {type: openai, base_url: "http://127.0.0.1:9/v1", key: $NOT_SET_ANYWHERE}}
models:
  small: {provider: sim, price: {input: 1 USD, output: 4 USD}}
  large: {provider: sim, price: {input: 10 USD, output: 40 USD}}
tiers: {cheap: small, strong: large}
...
""",
        "routing": """kind: routing
default: cheap
rules:
  - {name: long-talks, when: {turns: {min: 3}}, route: strong}
  - {name: partners, when: {metadata: {plan: partner}}, route: strong}
...
""",
        "prompts": "kind: prompts\notherwise: {max_output_tokens: 1k}\n...\n",
        "budgets": """kind: budgets
budgets: {daily: {limit: 10 USD, per: day, time_zone: UTC}}
ladder: [{at: 90%, refuse: enough}]
...
""",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    return str(tmp_path)


def test_text_tells_the_decision_the_reasons_and_the_price(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--policies", policy, "--message", "hello"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("would call small, at most 1,000 output tokens\n")
    assert "- long-talks: `turns: {min: 3}` does not hold, the conversation has 1 user turns" in out
    assert "+ default" in out
    assert "1000 output x 4 USD per million = 0.004 USD" in out
    assert "x-costpol-model: small" in out


def test_json_holds_trace_and_decision(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--message", "hello", "--metadata", "plan=partner", "--format", "json"]
    assert main(["explain", "--policies", policy, *arguments]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["outcome"] == "call"
    assert document["decision"]["rule"] == "partners"
    assert document["decision"]["model"] == "large"
    assert {"stage", "what"} <= set(document["trace"][0])
    assert [rule["matched"] for rule in document["rules"]] == [False, True]


def test_a_spent_budget_refuses(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--policies", policy, "--message", "hello", "--spent", "daily=95%"]) == 0
    assert capsys.readouterr().out.startswith("would be refused: enough")


def test_a_whole_request_may_come_from_a_file(policy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
    body = {"model": "large", "messages": [*turns, *turns, {"role": "user", "content": "and?"}]}
    (tmp_path / "request.json").write_text(json.dumps(body))
    arguments = ["--request", str(tmp_path / "request.json"), "--format", "json"]
    assert main(["explain", "--policies", policy, *arguments]) == 0
    assert json.loads(capsys.readouterr().out)["decision"]["rule"] == "long-talks"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--message", "a", "--request", "b"],
        ["--message", "a", "--spent", "daily"],
        ["--message", "a", "--spent", "daily=much"],
        ["--message", "a", "--spent", "weekly=1%"],
        ["--message", "a", "--deadline", "soon"],
        ["--request", "/nowhere/request.json"],
    ],
)
def test_bad_usage_is_told(policy: str, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--policies", policy, *arguments, "--format", "json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]
