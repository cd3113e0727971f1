"""Files with fixes carried out, and every place traced back to where it was."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from costpol.diagnostics import Diagnostic, Edit, Fix, Span
from costpol.policy import codes
from costpol.policy.repair import repair

TEXTS = st.text(alphabet="ab \n\r\u00fc\U0001f600:", max_size=40)


def _place(text: str, offset: int) -> tuple[int, int]:
    lines = text[:offset].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return len(lines), len(lines[-1]) + 1


def _span(text: str, start: int, end: int) -> Span:
    return Span("f", *_place(text, start), *_place(text, end))


def _finding(text: str, start: int, end: int, new: str) -> Diagnostic:
    fix = Fix("write it", (Edit(_span(text, start, end), new),))
    return codes.UNKNOWN_KEY.at(_span(text, start, end), "wrong", fix=fix)


@given(st.lists(st.tuples(TEXTS, st.text("xyz\n", max_size=4)), min_size=1, max_size=4), TEXTS)
def test_what_was_not_mended_is_found_where_it_stood(parts: list[tuple[str, str]], last: str) -> None:
    text, findings, kept, mended = "", [], [], ""
    edits = []
    for drawn, new in parts:
        part = drawn.replace("\r", "") + "w"  # a word to replace, and no line break that another could complete
        start, end = len(text) + len(part) - 1, len(text) + len(part)
        edits.append((start, end, new))
        kept += [(len(mended) + i, len(text) + i) for i in range(len(part) - 1)]
        text += part
        mended += part[:-1] + new
    kept += [(len(mended) + i, len(text) + i) for i in range(len(last))]
    last = last.replace("\r", "")
    kept = [each for each in kept if each[0] < len(mended) + len(last)]
    text, mended = text + last, mended + last
    findings = [_finding(text, *edit) for edit in edits]
    done = repair({"f": text.encode(), "g": b"x"}, findings)
    assert done is not None
    assert done.files == {"f": mended.encode(), "g": b"x"}
    for after, before in kept:
        found = done.as_written(replace(findings[0], span=_span(mended, after, after + 1), fix=None))
        if found is not None:  # a value right behind a mended key is not told
            assert (found.span.line, found.span.column) == _place(text, before)


def test_what_was_put_in_and_its_value_are_not_told() -> None:
    text = "tll: 5\nscope: x\n"
    done = repair({"f": text.encode()}, [_finding(text, 0, 3, "ttl-of-it")])
    assert done is not None
    assert done.files["f"] == b"ttl-of-it: 5\nscope: x\n"
    for line, column, told in ((1, 1, False), (1, 12, False), (2, 1, True), (2, 8, True)):
        moved = done.as_written(codes.UNKNOWN_KEY.at(Span("f", line, column, line, column + 1), "wrong"))
        assert (moved is not None) == told


def test_names_before_a_colon_stay_as_they_were_written() -> None:
    text = "help me: 5\n"
    finding = codes.INVALID_VALUE.at(_span(text, 0, 7), "wrong", fix=Fix("", (Edit(_span(text, 0, 7), "help-me"),)))
    assert repair({"f": text.encode()}, [finding]) is None
    assert repair({"f": text.encode()}, []) is None
