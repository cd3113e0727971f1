"""Fixes: what they write, that they keep everything else, and that they never bring a new error."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costpol.cli.checking import Checked, check_files
from costpol.cli.mending import Mended, diff, mend, write
from costpol.diagnostics import Diagnostic, Edit, Fix, Severity, Span
from costpol.errors import UsageError

POLICIES = Path(__file__).parents[3] / "policies"
SHIPPED = {path.name: path.read_bytes() for path in sorted(POLICIES.glob("*.yaml"))}
SOUND = {
    "models.yaml": b"""kind: models
providers: {local: {type: openai, base_url: 'http://127.0.0.1:1/v1', key: none}}
models:
  tiny: {provider: local, price: {input: 1 USD, output: 2 USD}, context: 8k, max_output: 1k}
  big: {provider: local, price: {input: 3 USD, output: 9 USD}, context: 8k, max_output: 1k}
...
""",
    "routing.yaml": b"kind: routing\ndefault: tiny\n...\n",
}


def _safe(checked: Checked) -> Iterable[Diagnostic]:
    return [each for each in checked.diagnostics if each.fix and each.fix.safe]


def _any(checked: Checked) -> Iterable[Diagnostic]:
    return [each for each in checked.diagnostics if each.fix]


def _mended(name: str, text: str | bytes) -> Mended:
    data = text.encode() if isinstance(text, str) else text
    return mend(SOUND | {name: data}, check_files, _safe)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("routing.yaml", "kind: routing\ndefalt: tiny # why\n...\n", "kind: routing\ndefault: tiny # why\n...\n"),
        ("routing.yaml", 'kind: routing\n"defalt" : tiny\n...\n', "kind: routing\ndefault : tiny\n...\n"),
        ("routing.yaml", "kind: routing\ndefault: tiny", "kind: routing\ndefault: tiny\n...\n"),
        ("routing.yaml", "kind: routing\r\ndefault: tiny\r\n", "kind: routing\r\ndefault: tiny\r\n...\r\n"),
        ("routing.yaml", "kind: routing\ndefault: tiny\n# end\n\n", "kind: routing\ndefault: tiny\n# end\n\n...\n"),
        (
            "intents.yaml",
            "kind: intents\nintents:\n  no: {examples: [nope, on, 12]} # no\n...\n",
            'kind: intents\nintents:\n  "no": {examples: [nope, on, "12"]} # no\n...\n',
        ),
        (
            "intents.yaml",
            "kind: intents\nintents:\n  true: {examples: [yep], personal: yes}\n...\n",
            'kind: intents\nintents:\n  "true": {examples: [yep], personal: true}\n...\n',
        ),
        (
            "intents.yaml",
            "kind: intents\nintents:\n  faq: {examples: [yep], personal: 'false'}\n...\n",
            "kind: intents\nintents:\n  faq: {examples: [yep], personal: false}\n...\n",
        ),
        (
            "routing.yaml",
            "kind: routing # costpol: ignore[CP505] it was so\ndefault: tiny\n...\n",
            "kind: routing\ndefault: tiny\n...\n",
        ),
        (
            "routing.yaml",
            "kind: routing\n  # costpol: ignore[CP505] it was so\ndefault: tiny\n...\n",
            "kind: routing\ndefault: tiny\n...\n",
        ),
        (
            "budgets.yaml",
            "kind: budgets\nbudgets:\n  all: {limit: 9 USD, per: month, time_zone: UTC}\n"
            "# costpol: ignore[CP401, CP605] worth it\nledger_down: allow\n...\n",
            "kind: budgets\nbudgets:\n  all: {limit: 9 USD, per: month, time_zone: UTC}\n"
            "# costpol: ignore[CP605] worth it\nledger_down: allow\n...\n",
        ),
    ],
)
def test_safe_fixes_say_what_was_meant_and_touch_nothing_else(name: str, before: str, after: str) -> None:
    result = _mended(name, before)
    assert result.files[name].decode() == after
    assert result.mended
    assert not _safe(result.checked)


def test_a_byte_order_mark_stays() -> None:
    result = _mended("routing.yaml", b"\xef\xbb\xbfkind: routing\ndefalt: tiny\n")
    assert result.files["routing.yaml"] == b"\xef\xbb\xbfkind: routing\ndefault: tiny\n...\n"


def test_wide_characters_move_no_edit() -> None:
    result = _mended("routing.yaml", "kind: routing\n# \U0001f600\u6f22\ndefalt: tiny # \U0001f600\n...\n")
    assert result.files["routing.yaml"].decode().endswith("\ndefault: tiny # \U0001f600\n...\n")


def test_two_keys_that_mean_the_same_are_not_both_renamed() -> None:
    files = SOUND | {"routing.yaml": b"kind: routing\ndefalt: tiny\ndefaultt: big\n...\n"}
    result = mend(files, check_files, _safe)
    assert not any(each.code == "CP002" for each in result.checked.diagnostics)


@pytest.mark.parametrize("word", ["attemps_to", "x", "rul"])
def test_a_vague_guess_is_not_safe(word: str) -> None:
    result = _mended("routing.yaml", f"kind: routing\ndefault: tiny\n{word}: []\n...\n")
    assert f"{word}: []".encode() in result.files["routing.yaml"]


def test_unsafe_fixes_take_a_rule_away_that_changes_nothing() -> None:
    text = b"""kind: routing
default: tiny
rules:
  - name: greetings # first
    when: {message: {any_of: [hello]}, tokens: {max: 500}}
    route: big
  # second
  - name: short
    when: {tokens: {max: 1000}}
    route: big
...
"""
    files = SOUND | {"routing.yaml": text}
    assert mend(files, check_files, _safe).files == files
    result = mend(files, check_files, _any)
    assert b"greetings" not in result.files["routing.yaml"]
    assert b"  # second\n  - name: short\n" in result.files["routing.yaml"]
    assert result.checked.loads


def test_a_fix_that_breaks_something_is_left_out() -> None:
    broken = Fix("break it", (Edit(Span("routing.yaml", 2, 10, 2, 14), "nothing"),))

    def check(files: object) -> Checked:
        checked = check_files(files)  # type: ignore[arg-type]
        found = Diagnostic("CP999", "invented", Severity.WARNING, Span("routing.yaml", 2, 10, 2, 14), "m", fix=broken)
        return Checked([*checked.diagnostics, found], checked.files, checked.loads, checked.blocking)

    result = mend(SOUND, check, lambda checked: [each for each in checked.diagnostics if each.code == "CP999"])
    assert result.files == SOUND
    assert result.mended == ()


def test_a_diff_shows_lines() -> None:
    after = SOUND | {"routing.yaml": b"kind: routing\ndefault: big\n..."}
    shown = diff(SOUND, after)
    assert shown.startswith("--- routing.yaml\n+++ routing.yaml\n@@ -1,3 +1,3 @@\n")
    assert "-default: tiny\n" in shown
    assert "+default: big\n" in shown
    assert shown.endswith("\\ No newline at end of file\n")
    assert diff(SOUND, SOUND) == ""


def test_files_are_written_whole_and_keep_their_mode_and_their_links(tmp_path: Path) -> None:
    real, link = tmp_path / "real.yaml", tmp_path / "link.yaml"
    real.write_bytes(b"old")
    real.chmod(0o640)
    link.symlink_to(real)
    before = {str(link): b"old", str(tmp_path / "same.yaml"): b"x"}
    assert write(before, before | {str(link): b"new"}) == [str(link)]
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert sorted(os.listdir(tmp_path)) == ["link.yaml", "real.yaml"]


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    name = str(tmp_path / "none" / "a.yaml")
    with pytest.raises(UsageError, match="cannot be written"):
        write({name: b"a"}, {name: b"b"})


WORDS = ["no", "yes", "on", "defalt", "thresold", "12", "1_000", "0755", "x", "tru", "true", "null", "'true'", "rutes"]


@st.composite
def spoiled(draw: st.DrawFn) -> dict[str, bytes]:
    """The shipped bundle with a few words put in place of others."""
    files = {name: data.decode() for name, data in SHIPPED.items()}
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from(sorted(files)))
        places = [i for i, c in enumerate(files[name]) if c.isalpha() and not files[name][i - 1 : i].isalnum()]
        start = draw(st.sampled_from(places))
        end = start
        while end < len(files[name]) and (files[name][end].isalnum() or files[name][end] in "_-"):
            end += 1
        files[name] = files[name][:start] + draw(st.sampled_from(WORDS)) + files[name][end:]
    if draw(st.booleans()):
        name = draw(st.sampled_from(sorted(files)))
        files[name] = files[name].removesuffix("...\n")
    return {name: text.encode() for name, text in files.items()}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(spoiled())
def test_fixes_never_bring_an_error(files: dict[str, bytes]) -> None:
    before = check_files(files)
    for wanted in (_safe, _any):
        after = mend(files, check_files, wanted).checked
        if before.loads:
            known = {(each.code, each.message) for each in before.errors()}
            assert {(each.code, each.message) for each in after.errors()} <= known
        assert not before.loads or after.loads
        assert _unreadable(after) <= _unreadable(before)


def _unreadable(checked: Checked) -> Counter[tuple[str, str]]:
    codes = ("CP001", "CP002", "CP003", "CP004")
    return Counter((each.span.file, each.code) for each in checked.errors() if each.code in codes)
