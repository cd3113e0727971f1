"""`costpol tune` as people and machines call it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from costpol.cli.main import main

FILES = {
    "models.yaml": "kind: models\nproviders:\n  sim: {type: openai, base_url: 'http://127.0.0.1:9/v1', key: none}\n"
    "models:\n  small: {provider: sim, price: {input: 1 USD, output: 4 USD}}\n...\n",
    "routing.yaml": "kind: routing\ndefault: small\n...\n",
    "personalization.yaml": "kind: personalization\nexclusions: []\n...\n",
    "cache.yaml": "kind: cache\notherwise: {threshold: 0.85, ttl: 1h, scope: tenant, verify: 0%}\n...\n",
}
ASKED = ("how do I block my card", "how can I block my card", "where is the nearest branch", "what is a standing order")


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Every question has an answer of its own, so that every hit by likeness is wrong."""
    path = tmp_path / "log.jsonl"
    lines = [
        {
            "request": {"model": "small", "messages": [{"role": "user", "content": text}]},
            "response": {"content": "secret", "usage": {"prompt_tokens": 100, "completion_tokens": 10}},
            "tenant": "acme", "answer_id": f"{text} {number}",
        }
        for number in range(20)
        for text in ASKED
    ]  # fmt: skip
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + "not a record\n")
    return path


def tuned(capsys: Any, *arguments: str) -> tuple[int, str, str]:
    code = main(["tune", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_policy_that_breaks_the_limit_fails_and_says_which_intent(policies: Path, log: Path, capsys: Any) -> None:
    code, out, err = tuned(capsys, str(log), f"--policies={policies}", "--format=json", "--limit=60")
    document = json.loads(out)
    assert code == 1
    assert "more than 1% wrong hits: otherwise" in err
    assert document["requests"] == 60
    written = next(point for point in document["intents"]["otherwise"]["points"] if point["setting"]["value"] == 0.85)
    assert written["wrong_hit_rate"] > 0.5


def test_the_report_goes_to_a_file_and_holds_no_text_if_so_wished(
    policies: Path, log: Path, tmp_path: Path, capsys: Any
) -> None:
    target = tmp_path / "out.html"
    arguments = [str(log), f"--policies={policies}", "--format=html", f"--output={target}", "--no-text", "--limit=24"]
    code, out, _ = tuned(capsys, *arguments, "--max-wrong=99%")
    assert (code, out) == (0, "")
    page = target.read_text()
    assert "<svg" in page
    assert "block my card" not in page
    assert "secret" not in page


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("--max-wrong=lots", "--max-wrong lots"),
        ("--intent=nothing", "does not cache the intent `nothing`"),
        ("--seeds=0", "--seeds"),
    ],
)
def test_bad_usage_is_told(policies: Path, log: Path, capsys: Any, argument: str, said: str) -> None:
    code, _, err = tuned(capsys, str(log), f"--policies={policies}", argument)
    assert code == 2
    assert said in err


def test_an_empty_log_is_a_finding(policies: Path, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "empty.jsonl").write_text("x\n")
    code, out, err = tuned(capsys, str(tmp_path / "empty.jsonl"), f"--policies={policies}")
    assert (code, out) == (1, "")
    assert "holds no request" in err
    code, out, err = tuned(capsys, str(tmp_path / "empty.jsonl"), f"--policies={policies}", "--format=json")
    assert (code, json.loads(out)["requests"]) == (1, 0)
    assert "holds no request" in err
