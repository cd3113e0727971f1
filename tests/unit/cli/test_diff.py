from __future__ import annotations

import json
from pathlib import Path

import pytest

from costpol.cli.main import main

MODELS = """kind: models
providers: {sim: {type: openai, base_url: "http://127.0.0.1:9/v1", key: none}}
models:
  small: {provider: sim, price: {input: 1 USD, output: 4 USD}}
  large: {provider: sim, price: {input: 10 USD, output: 40 USD}}
tiers: {cheap: small, strong: large}
...
"""
PROMPTS = "kind: prompts\notherwise: {max_output_tokens: 1k}\n...\n"


@pytest.fixture
def policies(tmp_path: Path) -> tuple[str, str]:
    made = []
    for tier in ("strong", "cheap"):
        folder = tmp_path / tier
        folder.mkdir()
        texts = {"models": MODELS, "prompts": PROMPTS, "routing": f"kind: routing\ndefault: {tier}\n...\n"}
        for name, text in texts.items():
            (folder / f"{name}.yaml").write_text(text)
        made.append(str(folder))
    return made[0], made[1]


@pytest.fixture
def log(tmp_path: Path) -> str:
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps({"request": {"model": "large", "messages": [{"role": "user", "content": "hello"}]}}))
    return str(path)


def test_changes_are_named_with_their_place(policies: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", *policies]) == 0
    out = capsys.readouterr().out
    assert f"~ routing.default  ({policies[1]}/routing.yaml:2)" in out
    assert "was strong" in out
    assert "is cheap" in out


def test_equal_policies_do_not_differ(policies: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", policies[0], policies[0]]) == 0
    assert capsys.readouterr().out == "no change in meaning\n"


def test_a_log_shows_the_dollars(policies: tuple[str, str], log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", *policies, "--log", log, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [change["path"] for change in document["changes"]] == ["routing.default"]
    assert document["replay"]["against"]["changed"] == 1
    assert document["replay"]["against"]["difference"]["policy_usd"] < 0


def test_a_dearer_policy_can_be_stopped(policies: tuple[str, str], log: str) -> None:
    gate = "against.difference.policy_usd > 0"
    assert main(["diff", policies[0], policies[1], "--log", log, "--fail-if", gate]) == 0
    assert main(["diff", policies[1], policies[0], "--log", log, "--fail-if", gate]) == 1


def test_a_policy_that_is_not_there_is_bad_usage(policies: tuple[str, str]) -> None:
    assert main(["diff", policies[0], policies[0] + "-missing"]) == 2


def test_a_gate_without_a_log_is_bad_usage(policies: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", *policies, "--fail-if", "against.difference.policy_usd > 0"]) == 2
    assert "`--log`" in capsys.readouterr().err


def test_what_widens_stands_on_top_and_can_be_stopped(
    policies: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    strong, cheap = policies
    assert main(["diff", cheap, strong, "--fail-on", "widening"]) == 1
    captured = capsys.readouterr()
    assert captured.out.startswith("WIDENS: look at these\n  ~ routing.default")
    assert "widens" in captured.err
    assert main(["diff", strong, cheap, "--fail-on", "widening"]) == 0
    assert capsys.readouterr().out.startswith("costs less\n  ~ routing.default")


def test_json_tells_every_effect(policies: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    strong, cheap = policies
    rule = "rules:\n  - {name: deep-work, when: {message: {words: [analyze]}}, route: strong}\n"
    (Path(cheap) / "routing.yaml").write_text(f"kind: routing\ndefault: cheap\n{rule}...\n")
    assert main(["diff", strong, cheap, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["widening"] is False
    assert [(change["path"], change["effect"]) for change in document["changes"]] == [
        ("routing.default", "costs less"),
        ("routing.rules.deep-work", "other"),
    ]
    (moved,) = document["reach"]["moved"]
    assert (moved["from"], moved["to"], moved["confirmed"]) == ("default", "deep-work", True)
    assert document["reach"]["complete"] is True
