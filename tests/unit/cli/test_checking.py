from __future__ import annotations

import json
from pathlib import Path

import pytest

from costpol.cli.checking import check_files, count_errors
from costpol.cli.main import main
from costpol.policy.loader import read_bundle

TEXTS = {
    "models": """kind: models
providers: {sim: {type: openai, base_url: "http://127.0.0.1:9/v1", key: $NOT_SET_ANYWHERE}}
models:
  small: {provider: sim, price: {input: 1 USD, output: 4 USD}}
  large: {provider: sim, price: {input: 10 USD, output: 40 USD}}
tiers: {cheap: small, strong: large}
...
""",
    "routing": "kind: routing\ndefault: cheap\n...\n",
    "prompts": "kind: prompts\notherwise: {max_output_tokens: 1k}\n...\n",
    "cache": "kind: cache\notherwise: {ttl: 1h, scope: tenant}\n...\n",  # shared, and nothing says what is personal
    "tests": "kind: tests\ntests: [{name: greeting, message: hello, expect: {model: small}}]\n...\n",
}
RECORD = {"request": {"model": "large", "messages": [{"role": "user", "content": "hello"}]}}


@pytest.fixture
def policy(tmp_path: Path) -> str:
    """Loads, and the linter finds one error."""
    folder = tmp_path / "policy"
    folder.mkdir()
    for name, text in TEXTS.items():
        (folder / f"{name}.yaml").write_text(text)
    return str(folder)


@pytest.fixture
def log(tmp_path: Path) -> str:
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps(RECORD) + "\n")
    return str(path)


def test_a_folder_is_checked_by_loader_and_linter(policy: str) -> None:
    checked = check_files(read_bundle(Path(policy)))
    assert checked.loads
    assert [finding.name for finding in checked.errors()] == ["missing-exclusions"]
    assert count_errors(checked.diagnostics) == 1


def test_what_only_tries_a_policy_takes_one_that_has_errors_and_says_so(
    policy: str, log: str, capsys: pytest.CaptureFixture[str]
) -> None:
    note = f"note: `{policy}` has 1 error and would not be served: `costpol validate {policy}` shows them\n"
    for arguments in (
        ["explain", "--policies", policy, "--message", "hello"],
        ["test", policy],
        ["dry-run", log, "--policies", policy],
    ):
        assert main(arguments) == 0
        assert capsys.readouterr().err == note
    assert main(["diff", policy, policy, "--log", log]) == 0
    assert capsys.readouterr().err == note * 2
    assert main(["dry-run", log, "--policies", policy, "--against", policy]) == 0
    assert capsys.readouterr().err == note * 2


def test_a_report_names_the_errors_of_its_policy(policy: str, log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dry-run", log, "--policies", policy, "--against", policy, "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["policy_errors"], report["against"]["policy_errors"]) == (1, 1)
    assert "the policy has 1 error and would not be served: `costpol validate` shows them" in report["assumptions"]


@pytest.mark.parametrize(
    "arguments",
    [["explain", "--message", "hello", "--policies"], ["test"], ["dry-run", "LOG", "--policies"], ["diff", "POLICY"]],
)
def test_a_policy_that_does_not_load_is_refused(
    policy: str, log: str, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (Path(policy) / "routing.yaml").write_text("kind: routing\ndefault: nowhere\n...\n")
    words = [{"LOG": log, "POLICY": policy}.get(word, word) for word in (*arguments, policy)]
    assert main(words) == 1
    told = capsys.readouterr().err
    assert "routing.yaml:2:10: error CP102 undefined-reference: no tier or model is called `nowhere`" in told
    assert "= help: declared are" in told
    assert told.endswith("the policy is refused: 1 error\n")


def test_a_model_without_a_price_is_told_with_its_place(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    models = Path(policy) / "models.yaml"
    models.write_text(models.read_text().replace(", price: {input: 1 USD, output: 4 USD}", ""))
    assert main(["explain", "--policies", policy, "--message", "hello"]) == 1
    assert "models.yaml:4:" in (told := capsys.readouterr().err)
    assert "error CP501 unpriced-model" in told
