"""Policy files of `tests/cases/policy`: `*.good.yaml` load, `*.bad.yaml` give exactly the findings in their comments.

Each is loaded beside a small bundle that declares the names it may use. `# expect: CP101 3:5` is a code with the line
and column of its place.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from costpol.policy.loader import Loaded, load_bundle

CASES = sorted((Path(__file__).parents[2] / "cases" / "policy").glob("*.yaml"))
BESIDE = {
    "models": b"kind: models\n"
    b"providers: {local: {type: openai, base_url: 'http://127.0.0.1:1/v1', key: none}}\n"
    b"models: {tiny: {provider: local}}\ntiers: {small: tiny}\n",
    "routing": b"kind: routing\ndefault: small\n",
    "intents": b"kind: intents\nintents: {faq: {examples: [how do I reset it]}}\notherwise: rest\n",
}
_EXPECTED = re.compile(r"^# expect: (CP\d{3}) (\d+):(\d+)$", re.MULTILINE)


def _load(path: Path) -> Loaded:
    text = path.read_bytes()
    beside = {kind: data for kind, data in BESIDE.items() if f"kind: {kind}\n".encode() not in text}
    return load_bundle(beside | {path.name: text})


def test_there_are_cases_of_both_sorts() -> None:
    assert {path.name.split(".")[1] for path in CASES} == {"good", "bad"}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_policy_file_gives_the_findings_it_names(path: Path) -> None:
    expected = [(code, int(line), int(column)) for code, line, column in _EXPECTED.findall(path.read_text())]
    assert bool(expected) == path.name.endswith(".bad.yaml")
    loaded = _load(path)
    assert {found.span.file for found in loaded.diagnostics} <= {path.name}
    assert [(found.code, found.span.line, found.span.column) for found in loaded.diagnostics] == expected
    assert (loaded.bundle is None) == bool(expected)


@pytest.mark.parametrize("path", [path for path in CASES if ".bad." in path.name], ids=lambda path: path.stem)
def test_a_finding_speaks_to_a_person(path: Path) -> None:
    for found in _load(path).diagnostics:
        for text in (found.message, found.help, found.why):
            if text is None:
                continue
            unquoted = re.sub(r"`[^`]*`", "", text)
            assert not text.endswith("."), text
            assert "\n" not in text
            assert not unquoted[:1].isupper(), text
            assert not re.search(
                r"\b(str|dict|list|None|NoneType|int|float|Decimal)\b", unquoted.replace("a list", "")
            ), text
