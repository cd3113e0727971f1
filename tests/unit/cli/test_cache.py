"""`costpol cache` on a data folder, and what it says where it cannot work."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from costpol.cli.main import main

FILES = {
    "models.yaml": "kind: models\nproviders:\n  sim: {type: openai, base_url: 'http://127.0.0.1:9/v1', key: none}\n"
    "models:\n  small: {provider: sim, price: {input: 1 USD, output: 4 USD}}\n...\n",
    "routing.yaml": "kind: routing\ndefault: small\n...\n",
    "personalization.yaml": "kind: personalization\nexclusions: []\n...\n",
    "prompts.yaml": "kind: prompts\notherwise: {max_output_tokens: 1k}\n...\n",
    "cache.yaml": "kind: cache\notherwise: {ttl: 1h, scope: tenant, tags: [prices]}\n...\n",
}
FAQ = "request: {model: small}\nquestions:\n  - {question: What does it cost?, answer: Nothing., tenant: acme}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a policy, a FAQ and room for data."""
    (tmp_path / "policies").mkdir()
    for name, text in FILES.items():
        (tmp_path / "policies" / name).write_text(text)
    (tmp_path / "faq.yaml").write_text(FAQ)
    return tmp_path


def cache(folder: Path, capsys: Any, command: str, *arguments: str) -> tuple[int, str, str]:
    given = [argument.replace("HERE", str(folder)) for argument in arguments]
    code = main(["cache", command, *given, *([] if "--sidecar" in str(given) else [f"--data={folder / 'data'}"])])
    said = capsys.readouterr()
    return code, said.out, said.err


def warmed(folder: Path, capsys: Any, *arguments: str) -> tuple[int, str, str]:
    return cache(folder, capsys, "warm", "HERE/faq.yaml", "--policies=HERE/policies", *arguments)


def test_a_folder_is_warmed_shown_and_purged(folder: Path, capsys: Any) -> None:
    code, out, _ = warmed(folder, capsys)
    assert code == 0
    assert "1 known answer: 1 stored" in out
    assert "kept for otherwise: 1" in out, "as the statistics call it"
    assert json.loads(warmed(folder, capsys, "--format=json")[1])["renewed"] == 1
    code, out, _ = cache(folder, capsys, "stats")
    assert code == 0
    assert "static-en" in out
    assert "otherwise        1" in out
    assert cache(folder, capsys, "purge", "--tag=prices", "--dry-run")[1] == "would purge 1 answer\n"
    assert cache(folder, capsys, "purge", "--intent=otherwise", "--tenant=acme")[1] == "purged 1 answer\n"
    assert cache(folder, capsys, "purge", "--all") == (0, "purged 0 answers\n", ""), "no such answer is kept now"


def test_a_full_disk_takes_nothing_back_and_says_what_to_do(
    folder: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    warmed(folder, capsys)
    real = os.statvfs(folder)
    monkeypatch.setattr("os.statvfs", lambda path: os.statvfs_result((*real[:4], 3, *real[5:])))
    code, out, err = cache(folder, capsys, "purge", "--all")
    assert (code, out) == (2, "")
    assert "16 MiB must stay free, also to take answers back" in err
    assert "make room there and ask again; until then what is kept goes on being given" in err
    monkeypatch.undo()
    assert cache(folder, capsys, "purge", "--all", "--dry-run")[1] == "would purge 1 answer\n"


def test_what_nobody_may_share_is_skipped_and_nothing_kept_is_a_finding(folder: Path, capsys: Any) -> None:
    (folder / "faq.yaml").write_text(FAQ.replace(", tenant: acme", ""))
    code, out, _ = warmed(folder, capsys)
    assert code == 1
    assert "skipped 1: the cache is bypassed: tenant unknown" in out
    (folder / "faq.yaml").write_text("request: {model: small}\nquestions: []\n")
    assert warmed(folder, capsys)[0] == 1, "an empty export is no success either"


@pytest.mark.parametrize(
    ("command", "arguments", "said"),
    [
        ("stats", (), "there is no data folder"),
        ("purge", (), "nothing says which answers to purge"),
        ("purge", ("--all", "--intent=faq"), "goes with nothing else"),
        ("stats", ("--sidecar=127.0.0.1",), "is no address of a sidecar"),
        ("stats", ("--sidecar=http://127.0.0.1:1",), "does not answer"),
        ("warm", ("HERE/none.yaml", "--policies=HERE/policies"), "there is no file"),
    ],
)
def test_what_cannot_be_done_is_told(
    folder: Path, capsys: Any, command: str, *, arguments: tuple[str, ...], said: str
) -> None:
    code, _, err = cache(folder, capsys, command, *arguments)
    assert code == 2
    assert said in err


def test_answers_on_a_server_are_not_warmed_in_a_folder(folder: Path, capsys: Any) -> None:
    text = FILES["cache.yaml"].replace("...\n", "store: {type: qdrant, url: 'http://127.0.0.1:1'}\n...\n")
    (folder / "policies" / "cache.yaml").write_text(text)
    code, _, err = warmed(folder, capsys)
    assert code == 2
    assert "--sidecar" in err
