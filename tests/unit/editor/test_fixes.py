"""What is offered about findings."""

from __future__ import annotations

from datetime import UTC, datetime

from costpol.editor.checking import check
from costpol.editor.fixes import Action, actions, fix_all
from costpol.editor.positions import split_lines
from costpol.editor.project import read_project

NOW = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


def offers(texts: dict[str, str], name: str) -> list[Action]:
    findings = check({file: text.encode() for file, text in texts.items()}, NOW)[name]
    return actions(read_project(texts).files[name], findings, 0, 1000)


def applied(text: str, action: Action) -> str:
    lines = [*split_lines(text)]
    for edit in sorted(action.edits, key=lambda edit: edit.span, reverse=True):
        span = edit.span
        assert span.line == span.end_line
        line = lines[span.line - 1]
        lines[span.line - 1] = line[: span.column - 1] + edit.text + line[span.end_column - 1 :]
    return "\n".join(lines)


def codes(texts: dict[str, str]) -> list[str]:
    found = check({file: text.encode() for file, text in texts.items()}, NOW)
    return [finding.code for findings in found.values() for finding in findings]


def test_the_name_that_was_meant_is_written(texts: dict[str, str]) -> None:
    for good, bad in (
        ("default: small", "default: smal"),
        ("route: strong", "rute: strong"),
        ("intent: billing", 'intent: "biling"'),
    ):
        broken = {**texts, "routing.yaml": texts["routing.yaml"].replace(good, bad)}
        [offer] = [each for each in offers(broken, "routing.yaml") if each.preferred]
        mended = {**broken, "routing.yaml": applied(broken["routing.yaml"], offer)}
        assert sorted(codes(mended)) == sorted(codes(texts)), bad


def test_the_end_of_a_file_is_marked(texts: dict[str, str]) -> None:
    for end in ("", "\n"):
        broken = {**texts, "cache.yaml": texts["cache.yaml"].removesuffix("\n...\n") + end}
        [offer] = [each for each in offers(broken, "cache.yaml") if each.preferred]
        assert applied(broken["cache.yaml"], offer) == texts["cache.yaml"]


def test_an_accepted_finding_needs_its_reason_first(texts: dict[str, str]) -> None:
    broken = {**texts, "cache.yaml": texts["cache.yaml"].replace(", ttl: 24h", "")}
    [offer] = [each for each in offers(broken, "cache.yaml") if each.findings[0].name == "cache-without-ttl"]
    code = offer.findings[0].code
    assert code in codes(broken)
    silent = applied(broken["cache.yaml"], offer)
    assert code in codes({**broken, "cache.yaml": silent})
    comment = f"ignore[{code}]" + (" approved_by=" if "approved_by=" in silent else " ")
    said = silent.replace(comment, f"{comment}ada it never changes")
    assert code not in codes({**broken, "cache.yaml": said})


def test_only_findings_near_the_cursor_are_answered(texts: dict[str, str]) -> None:
    texts["routing.yaml"] = texts["routing.yaml"].replace("default: small", "default: smal")
    findings = check({file: text.encode() for file, text in texts.items()}, NOW)["routing.yaml"]
    file = read_project(texts).files["routing.yaml"]
    assert actions(file, findings, 1, 1)
    assert not actions(file, findings, 3, 9)


def test_what_is_safe_to_mend_is_mended_at_once(texts: dict[str, str]) -> None:
    bad = texts["routing.yaml"].replace("route: strong", "rute: strong").replace("intent: billing", "intent: biling")
    broken = {**texts, "routing.yaml": bad.removesuffix("...\n")}
    findings = check({file: text.encode() for file, text in broken.items()}, NOW)["routing.yaml"]
    together = fix_all(findings)
    assert together is not None
    assert [finding.code for finding in together.findings] == ["CP101", "CP005"]
    assert applied(broken["routing.yaml"], together) == texts["routing.yaml"].replace("billing", "biling")
    assert fix_all([finding for finding in findings if finding.code == "CP102"]) is None


def test_a_finding_that_is_not_wanted_is_not_told_unless_it_keeps_the_policy_from_loading(
    texts: dict[str, str],
) -> None:
    broken = {**texts, "cache.yaml": texts["cache.yaml"].replace(", ttl: 24h", "")}
    broken["routing.yaml"] = texts["routing.yaml"].replace("default: small", "default: smal")
    found = check({file: text.encode() for file, text in broken.items()}, NOW, lambda finding: False)
    assert [finding.code for each in found.values() for finding in each] == ["CP102"]
