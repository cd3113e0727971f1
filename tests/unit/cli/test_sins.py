"""A corpus of sins: a sound bundle with one file replaced by one that holds a single sin, which is found, once, at its
place. Files whose name starts with `good` hold none, however odd they look."""

from __future__ import annotations

from pathlib import Path

import pytest

from costpol.cli.checking import check_files
from costpol.diagnostics import Diagnostic
from costpol.lint.runner import lint
from costpol.policy.codes import CATALOGUE
from costpol.policy.loader import load_bundle
from costpol.reporting.findings import FORMATS, render
from costpol.runtime.facts import lint_facts

FOLDER = Path(__file__).parents[2] / "cases" / "sins"
SOUND = {path.name: path.read_bytes() for path in sorted((FOLDER / "sound").glob("*.yaml"))}
ROWS = [line.split() for line in (FOLDER / "findings.txt").read_text().splitlines() if line[:1] != "#"]
FACTS = lint_facts(1_790_000_000.0)


def _findings(*sins: list[str]) -> tuple[list[Diagnostic], dict[str, bytes]]:
    files = SOUND | {file: (FOLDER / f"{name}.yaml").read_bytes() for name, file, *_ in sins}
    checked = check_files(files)
    return checked.diagnostics, files


def _told(*sins: list[str]) -> set[tuple[str, str]]:
    return {(each.code, each.span.file) for each in _findings(*sins)[0]}


def test_every_file_of_the_corpus_is_listed() -> None:
    assert sorted(row[0] for row in ROWS) == sorted(path.stem for path in FOLDER.glob("*.yaml"))


def test_the_sound_bundle_is_sound() -> None:
    loaded = load_bundle(SOUND)
    assert loaded.bundle is not None
    assert [*loaded.diagnostics, *loaded.unmarked_ends(), *lint(loaded.bundle, FACTS)] == []


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_sin_is_found_once_and_at_its_place(row: list[str]) -> None:
    _, _, code, *place = row
    found, files = _findings(row)
    told = [(each.code, f"{each.span.file}:{each.span.line}:{each.span.column}") for each in found]
    assert told == ([] if code == "nothing" else [(code, *place)])
    texts = {name: data.decode(errors="replace") for name, data in files.items()}
    for finding in found:
        assert finding.help is not None, "nobody is told how to mend it"
        for format in FORMATS:
            assert finding.code in render([finding], texts, format)


def test_the_corpus_has_a_sin_for_every_code_of_the_loader() -> None:
    assert {code.code for code in CATALOGUE} - {row[2] for row in ROWS} <= {"CP113", "CP114"}, "these take two files"


SINS = [row for row in ROWS if row[2] != "nothing"]
NEXT = [(row, next(other for other in (*SINS[i + 1 :], *SINS[:i]) if other[1] != row[1])) for i, row in enumerate(SINS)]
"""Each sin with the next one in another file."""


@pytest.mark.parametrize(("one", "other"), NEXT, ids=[f"{one[0]} and {other[0]}" for one, other in NEXT])
def test_two_sins_are_both_found_and_nothing_else_is(one: list[str], other: list[str]) -> None:
    found = _told(one, other)
    if "undefined-rule-in-test" not in (one[0], other[0]):  # its file, if read, has a finding of its own
        assert found <= _told(one) | _told(other)
    said = {code for code, *_ in found}
    by_loader = {code.code for code in CATALOGUE} - {"CP102", "CP104"}
    for row in (one, other):
        assert row[2] in said or row[2] not in by_loader
