"""Findings as people and machines read them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpol.diagnostics import Diagnostic, Edit, Fix, Related, Severity, Span
from costpol.reporting.findings import FORMATS, render, render_failure, summary
from costpol.reporting.terminal import width

CACHE = """# the answers that may be given again
kind: cache
embedder: static-en
intents:
  order-status: {ttl: 1h, scope: global}
"""
FILES = {"policies/cache.yaml": CACHE}


def _place(line: int, column: int, end: int, file: str = "policies/cache.yaml") -> Span:
    return Span(file, line, column, line, end)


PERSONAL = Diagnostic(
    "CP303", "personal-intent-cached", Severity.ERROR, _place(5, 34, 40),
    "answers to `order-status` would be shared by all tenants",
    help="write `scope: user`, or `order-status: off`",
    why='its examples say "where is my parcel" (intents.yaml:14), and no exclusion covers that',
    label="shared with every tenant",
)  # fmt: skip
LOW = Diagnostic("CP401", "low-threshold", Severity.WARNING, _place(2, 1, 5), "50% is low, 100% is not\nreally")


def test_a_finding_reads_like_a_sentence_with_its_place() -> None:
    assert (
        render([PERSONAL], FILES)
        == """\
policies/cache.yaml:5:34: error CP303 personal-intent-cached: answers to `order-status` would be shared by all tenants
   |
 5 |   order-status: {ttl: 1h, scope: global}
   |                                  ^^^^^^ shared with every tenant
   = why: its examples say "where is my parcel" (intents.yaml:14), and no exclusion covers that
   = help: write `scope: user`, or `order-status: off`"""
    )


def test_a_second_place_is_shown_in_the_order_of_lines() -> None:
    text = "kind: routing\n" + "\n".join(f"  - name: r{i}" for i in range(2, 13)) + "\n"
    found = Diagnostic(
        "CP201", "unreachable-rule", Severity.ERROR, _place(12, 11, 14, "r"), "rule `r12` can never match",
        label="shadowed", related=(Related(_place(9, 11, 13, "r"), "every request it could take is taken here"),),
    )  # fmt: skip
    assert (
        render([found], {"r": text})
        == """\
r:12:11: error CP201 unreachable-rule: rule `r12` can never match
    |
  9 |   - name: r9
    |           -- every request it could take is taken here
 12 |   - name: r12
    |           ^^^ shadowed"""
    )


def test_a_second_place_in_another_file_is_named() -> None:
    found = Diagnostic(
        "CP114", "duplicate-kind", Severity.ERROR, _place(2, 7, 12), "two files",
        related=(Related(_place(1, 7, 12, "b.yaml"), "the first"),),
    )  # fmt: skip
    assert "   = b.yaml:1:7: the first" in render([found], FILES)


def test_carets_stand_under_wide_characters_and_tabs() -> None:
    text = 'name: "\u6f22\u5b57", e\u0301: "\t", x: 1\n'
    column = text.index("x:") + 1
    shown = render(
        [Diagnostic("CP101", "unknown-key", Severity.ERROR, _place(1, column, column + 1, "f"), "m")], {"f": text}
    )
    line, underline = shown.split("\n")[2:4]
    assert width(line[: line.index("x:")]) == underline.index("^")


def test_a_place_of_no_width_has_one_caret() -> None:
    found = Diagnostic("CP108", "missing-key", Severity.ERROR, _place(2, 12, 12), "m")
    assert render([found], FILES).split("\n")[3] == "   |            ^"


def test_a_place_of_many_lines_is_underlined_on_its_first() -> None:
    found = Diagnostic("CP108", "missing-key", Severity.ERROR, Span("policies/cache.yaml", 2, 1, 5, 41), "m")
    assert render([found], FILES).split("\n")[2:] == [" 2 | kind: cache", "   | ^^^^^^^^^^^"]


def test_a_long_line_is_shown_around_the_place() -> None:
    text = "a" * 5000 + "HERE" + "b" * 5000
    shown = render([Diagnostic("CP001", "yaml-syntax", Severity.ERROR, _place(1, 5001, 5005, "f"), "m")], {"f": text})
    line, underline = shown.split("\n")[2:4]
    assert len(line) < 200
    assert line.index("HERE") == underline.index("^^^^")


def test_nothing_in_a_file_can_steer_the_terminal() -> None:
    text = "a: \x1b[2J\u202e\u2066\x07\n"
    found = Diagnostic(
        "CP001", "yaml-syntax", Severity.ERROR, _place(1, 4, 5, "f\x1b]0;x\x07"), "m\x1b[31m", help="h\x9b1m"
    )
    assert not re.search(
        "[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", render([found], {found.span.file: text})
    )


def test_a_key_in_a_file_is_not_shown_whole() -> None:
    text = "key: sk-proj-abcdefghijklmnop # here\n"
    found = Diagnostic("CP107", "invalid-value", Severity.ERROR, _place(1, 6, 30, "f"), "m")
    line, underline = render([found], {"f": text}).split("\n")[2:4]
    assert "abcdef" not in line
    assert line.index("sk-pro") == underline.index("^")
    assert line.endswith(" # here")


def test_colour_changes_nothing_but_colour() -> None:
    colored = render([PERSONAL, LOW], FILES, color=True)
    assert "\x1b[" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == render([PERSONAL, LOW], FILES)


def test_a_finding_without_a_file_is_told_without_a_place() -> None:
    found = Diagnostic("CP113", "missing-kind", Severity.ERROR, Span("", 1, 1, 1, 1), "no file has `kind: models`")
    for format in ("full", "concise"):
        assert render([found], {}, format).startswith("error CP113 missing-kind: no file")


def test_concise_is_a_line_each() -> None:
    assert render([PERSONAL, LOW], FILES, "concise").split("\n") == [
        "policies/cache.yaml:5:34: error CP303 personal-intent-cached: "
        "answers to `order-status` would be shared by all tenants",
        "policies/cache.yaml:2:1: warning CP401 low-threshold: 50% is low, 100% is not\ufffdreally",
    ]


def test_json_is_the_list_of_the_contract() -> None:
    first, second = json.loads(render([PERSONAL, LOW], FILES, "json"))
    assert first["code"] == "CP303"
    assert first["name"] == "personal-intent-cached"
    assert first["severity"] == "error"
    assert (first["file"], first["line"], first["column"]) == ("policies/cache.yaml", 5, 34)
    assert (first["end_line"], first["end_column"]) == (5, 40)
    assert first["message"].startswith("answers to")
    assert first["help"].startswith("write")
    assert second["help"] is None


def test_sarif_points_at_rules_and_places() -> None:
    log = json.loads(render([PERSONAL, LOW, PERSONAL], FILES, "sarif"))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["CP303", "CP401"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "policies/cache.yaml"
    assert place["region"] == {"startLine": 5, "startColumn": 34, "endLine": 5, "endColumn": 40}
    assert [result["level"] for result in run["results"]] == ["error", "warning", "error"]


def test_github_gets_the_gravest_first_and_escaped() -> None:
    lines = render([LOW, PERSONAL], FILES, "github").split("\n")
    assert lines[0].startswith("::error file=policies/cache.yaml,line=5,endLine=5,col=34,endColumn=40,title=CP303 ")
    assert lines[1].endswith("::50%25 is low, 100%25 is not%0Areally")


def test_many_findings_are_counted_for_github() -> None:
    assert render([LOW] * 11, FILES, "github").endswith("\n11 findings")
    assert render([LOW], FILES, "github").endswith("\n1 finding")


@pytest.mark.parametrize("format", FORMATS)
def test_no_findings_are_no_findings_in_every_format(format: str) -> None:
    text = render([], {}, format)
    if format == "junit":
        assert ElementTree.fromstring(text).get("tests") == "0"  # noqa: S314 - our own
    else:
        assert text == "" if format in ("full", "concise", "github", "jsonl") else json.loads(text) is not None


MENDABLE = Diagnostic(
    "CP101", "unknown-key", Severity.ERROR, _place(3, 1, 9), "unknown key `embeder`",
    fix=Fix("write `embedder`", (Edit(_place(3, 1, 9), "embedder"),)),
)  # fmt: skip


def test_what_can_be_mended_is_marked() -> None:
    assert ": error CP101[*] unknown-key: unknown key" in render([MENDABLE], FILES, "concise")
    assert "[*]" not in render([replace(MENDABLE, fix=replace(MENDABLE.fix, safe=False))], FILES, "concise")
    assert "\x1b[1;31merror CP101[*] unknown-key\x1b[0m: " in render([MENDABLE], FILES, color=True)


def test_json_and_sarif_carry_the_edits_of_a_fix() -> None:
    (found,) = json.loads(render([MENDABLE], FILES, "json"))
    assert found["fix"]["safe"] is True
    (edit,) = found["fix"]["edits"]
    assert (edit["line"], edit["column"], edit["end_column"], edit["text"]) == (3, 1, 9, "embedder")
    (run,) = json.loads(render([MENDABLE], FILES, "sarif"))["runs"]
    (change,) = run["results"][0]["fixes"][0]["artifactChanges"]
    assert change["replacements"][0]["insertedContent"] == {"text": "embedder"}
    assert change["replacements"][0]["deletedRegion"]["startLine"] == 3


def test_json_lines_are_the_list_line_by_line() -> None:
    lines = render([PERSONAL, LOW], FILES, "jsonl").split("\n")
    assert [json.loads(line) for line in lines] == json.loads(render([PERSONAL, LOW], FILES, "json"))


def test_junit_has_a_case_per_file_and_a_failure_with_its_findings() -> None:
    files = FILES | {"policies/models.yaml": "kind: models\n"}
    suites = ElementTree.fromstring(render([PERSONAL, LOW], files, "junit"))  # noqa: S314 - our own
    assert (suites.get("tests"), suites.get("failures")) == ("2", "1")
    failed, passed = suites.iter("testcase")
    assert (failed.get("name"), passed.get("name")) == ("policies/cache.yaml", "policies/models.yaml")
    assert len(list(passed)) == 0
    (failure,) = failed
    assert failure.get("message", "").startswith("CP303 personal-intent-cached: answers to")
    assert "policies/cache.yaml:2:1: warning CP401 low-threshold: 50% is low" in (failure.text or "")


def test_junit_holds_no_character_that_xml_cannot() -> None:
    found = Diagnostic("CP001", "yaml-syntax", Severity.ERROR, _place(1, 1, 1, 'a"<\x00&'), "m\x1b]]>\ud800")
    ElementTree.fromstring(render([found], {}, "junit").encode())  # noqa: S314 - our own


@pytest.mark.parametrize("format", ["json", "jsonl", "sarif", "junit"])
def test_a_failure_is_said_in_every_format_that_machines_read(format: str) -> None:
    text = render_failure('no folder `a"<`', "name one", format)
    assert text is not None
    if format == "junit":
        assert ElementTree.fromstring(text).get("errors") == "1"  # noqa: S314 - our own
    else:
        assert "no folder" in json.dumps(json.loads(text))


def test_a_failure_annotates_a_workflow() -> None:
    assert render_failure("100%\nof it", None, "github") == "::error title=costpol::100%25%0Aof it"


def test_a_failure_is_no_output_for_people() -> None:
    assert render_failure("m", None, "full") is None


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ValueError, match="no format"):
        render([], {}, "xml")


def test_the_summary_counts_by_severity() -> None:
    note = Diagnostic("CP205", "overlapping-rules", Severity.INFO, _place(1, 1, 2), "m")
    assert summary([]) == "no findings"
    assert summary([note, LOW, PERSONAL, PERSONAL]) == "2 errors, 1 warning, 1 note"


@given(st.text(max_size=60), st.integers(1, 5), st.integers(1, 70), st.integers(0, 70))
def test_any_text_and_any_place_render(text: str, line: int, column: int, cells: int) -> None:
    found = Diagnostic(
        "CP001", "yaml-syntax", Severity.ERROR, _place(line, column, column + cells, "f"), "m", label="here"
    )
    for format in FORMATS:
        assert render([found], {"f": text}, format)
