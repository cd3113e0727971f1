from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from costpol.cli.main import main
from costpol.evaluate.rehearsal import rehearse
from costpol.policy.loader import read_bundle


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
    assert out.startswith("would call small, at most 1,000 output tokens, for at most 0.004006 USD\n")
    headings = [line for line in out.splitlines()[1:] if line and not line.startswith(" ")]
    assert headings == [
        "request", "prompt", "personal", "route", "cache", "budgets", "call",
        "costs at most, by estimated tokens (policy)", "what would change it", "headers",
    ]  # fmt: skip
    assert "- long-talks: `turns: {min: 3}` does not hold, the conversation has 1 user turns" in out
    assert "+ default" in out
    assert "daily: 10 USD of 10 USD left per day, 90% is 9 USD away" in out
    assert "6 input x 1 USD per million = 0.000006 USD" in out
    assert "1000 output x 4 USD per million = 0.004 USD\n  together 0.004006 USD\n" in out
    assert "  2 more user turns: rule `long-talks`, large, for at most 0.040" in out
    assert "  metadata `plan: partner`: rule `partners`, large, for at most 0.040" in out
    assert "  `daily` at 90%: refused: enough\n" in out
    assert "x-costpol-model: small" in out


def test_what_a_sidecar_s_cache_has_learned_is_shown(
    policy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = "kind: cache\notherwise: {threshold: 0.9, ttl: 1h, scope: tenant}\n...\n"
    (tmp_path / "cache.yaml").write_text(cache)
    (tmp_path / "personalization.yaml").write_text("kind: personalization\nexclusions: []\n...\n")
    data = tmp_path / "data"
    data.mkdir()
    arguments = ["explain", "--policies", policy, "--message", "hello", "--tenant", "acme", "--data", str(data)]
    assert main(arguments) == 0
    assert "learned\n  nothing of this intent yet" in capsys.readouterr().out

    async def learn() -> None:
        async with rehearse(read_bundle(Path(policy)), lambda: 1e9) as rehearsal:
            judge = rehearsal.snapshot.handlers.judge
            assert judge is not None
            assert judge.path is not None
            judge.verdicts.path = data / "cache" / judge.path.with_suffix(".json").name.replace("learned", "verified")
            track = judge.verdicts.track("", 0.1, 0.9)
            for number in range(5):
                track.learn(different=number == 0, similarity=0.95)
            judge.save()

    asyncio.run(learn())
    assert main(arguments) == 0
    assert "threshold now 0.9" in (out := capsys.readouterr().out)
    assert "checked 5, diverged 1" in out
    assert main([*arguments, "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["learned"]
    assert (row["intent"], row["checked"], row["tightened"]) == ("otherwise", 5, 0)


def test_a_data_folder_that_is_not_there_is_said(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--policies", policy, "--message", "hello", "--data", f"{policy}/none"]) == 2
    assert "there is no data folder" in capsys.readouterr().err


def test_json_holds_trace_and_decision(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--message", "hello", "--metadata", "plan=partner", "--format", "json"]
    assert main(["explain", "--policies", policy, *arguments]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["outcome"] == "call"
    assert document["decision"]["rule"] == "partners"
    assert document["decision"]["model"] == "large"
    assert {"stage", "what"} <= set(document["trace"][0])
    assert [rule["matched"] for rule in document["rules"]] == [False, True]
    assert document["rules"][0]["missing"] == ["turns"]
    assert document["budgets"] == [
        {"name": "daily", "unit": "usd", "per": "day", "each": None, "left": 10, "limit": 10, "next_rung": "90%"}
    ]
    changes = {each["change"]: each for each in document["would_change"]}
    assert changes["2 more user turns"]["rule"] == "long-talks"
    assert changes["`daily` at 90%"]["outcome"] == "refused"


def test_a_spent_budget_refuses(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--policies", policy, "--message", "hello", "--spent", "daily=95%"]) == 0
    assert capsys.readouterr().out.startswith("would be refused: enough")


def test_what_was_answered_before_is_kept(policy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cache.yaml").write_text("kind: cache\notherwise: {threshold: 0.99, ttl: 1h, scope: tenant}\n...\n")
    (tmp_path / "personalization.yaml").write_text("kind: personalization\nexclusions: []\n...\n")
    asked = ["explain", "--policies", policy, "--message", "how do I reset my password", "--tenant", "acme"]
    assert main([*asked, "--kept", "How do I reset my password"]) == 0
    assert "for at most" in capsys.readouterr().out, "an exact repeat is one to the letter"
    assert main([*asked, "--kept", "how do I reset my password"]) == 0
    assert capsys.readouterr().out.startswith("would give the answer that is kept for the same question\n")
    assert main([*asked, "--kept", "how can I reset my password", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    (change,) = [each for each in document["would_change"] if each["about"] == "policy"]
    assert change["change"].startswith("a threshold of 0.")
    assert change["kept_question"] == "how can I reset my password"


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
