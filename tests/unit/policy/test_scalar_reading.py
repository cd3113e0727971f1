"""Scalars are read from their text, exactly; what means different things to different readers is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpol.diagnostics import Diagnostic, Span
from costpol.policy import scalars
from costpol.policy.scalar_reading import (
    read_boolean,
    read_integer,
    read_text,
    scalar_reader,
    shorten,
    word_reader,
)
from costpol.policy.tree import ScalarTree


def _read(kind: Any, text: str, plain: bool = True) -> Any:
    return scalar_reader(kind.__metadata__[0])(_scalar(text, plain), "key")


def _scalar(text: str, plain: bool = True) -> ScalarTree:
    return ScalarTree(text, plain, Span("policy.yaml", 1, 1, 1, 1 + len(text)))


def _code(value: Any) -> str:
    assert isinstance(value, Diagnostic), value
    return value.code


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (scalars.Usd, "0.10 USD", Decimal("0.10")),
        (scalars.Usd, "$1200", Decimal(1200)),
        (scalars.Duration, "90s", 90.0),
        (scalars.Duration, "1.5h", 5400.0),
        (scalars.Count, "10k", 10_000),
        (scalars.Count, "300", 300),
        (scalars.Share, "0.92", Decimal("0.92")),
        (scalars.Share, "92%", Decimal("0.92")),
        (scalars.Share, "1e-6", Decimal("0.000001")),
        (scalars.Name, "gpt-4.1", "gpt-4.1"),
        (scalars.TimeZone, "Europe/Berlin", "Europe/Berlin"),
        (scalars.Instant, "2026-01-31T23:59:00Z", 1769903940.0),
    ],
)
def test_a_scalar_is_read_exactly(kind: Any, text: str, value: object) -> None:
    assert _read(kind, text) == value


@pytest.mark.parametrize("kind", [scalars.Usd, scalars.Duration, scalars.Count, scalars.Share])
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1:30", "CP003"),
        ("24:00:00", "CP003"),
        ("08:30", "CP003"),
        ("0755", "CP003"),
        ("0o17", "CP003"),
        ("0x10", "CP003"),
        ("0b11", "CP003"),
        ("1_000", "CP003"),
        ("0x_10", "CP003"),
        ("1_0.5", "CP003"),
        ("2024-01-01", "CP003"),
        (".nan", "CP105"),
        ("NaN", "CP105"),
        ("sNaN", "CP105"),
        (".inf", "CP105"),
        ("-.inf", "CP105"),
        ("inf", "CP105"),
        ("Infinity", "CP105"),
        ("nan USD", "CP105"),
        ("-1", "CP105"),
        ("-5 USD", "CP105"),
        ("$-5", "CP105"),
        ("", "CP108"),
        ("null", "CP108"),
        ("~", "CP108"),
        ("many", "CP107"),
        ("9" * 5000, "CP107"),
        ("\u0663", "CP107"),
        ("yes", "CP107"),
    ],
)
def test_what_is_no_plain_number_is_refused(kind: Any, text: str, code: str) -> None:
    assert _code(_read(kind, text)) == code


def test_a_bare_number_is_no_duration_and_no_money() -> None:
    assert _code(_read(scalars.Duration, "90")) == "CP107"
    assert _code(_read(scalars.Usd, "90")) == "CP107"


def test_quotes_make_a_number_of_other_readers_text() -> None:
    assert _code(_read(scalars.Duration, "1:30", plain=False)) == "CP107"


@pytest.mark.parametrize(("text", "value"), [("true", True), ("False", False)])
def test_booleans_are_those_of_the_core_schema(text: str, value: bool) -> None:
    assert read_boolean(_scalar(text), "key") is value


@pytest.mark.parametrize("text", ["yes", "No", "on", "OFF"])
def test_a_word_for_a_boolean_is_ambiguous(text: str) -> None:
    found = read_boolean(_scalar(text), "key")
    assert _code(found) == "CP003"


def test_a_quoted_boolean_is_text() -> None:
    assert _code(read_boolean(_scalar("true", plain=False), "key")) == "CP106"


@pytest.mark.parametrize("text", ["yes", "no", "on", "off", "thanks", "1:30"])
def test_words_are_text_where_text_is_meant(text: str) -> None:
    assert read_text(_scalar(text), "key") == text


@pytest.mark.parametrize("text", ["1", "true", "4.10", "0x10", ".nan"])
def test_text_that_an_editor_takes_for_something_else_needs_quotes(text: str) -> None:
    assert _code(read_text(_scalar(text), "key")) == "CP106"
    assert read_text(_scalar(text, plain=False), "key") == text


@pytest.mark.parametrize("text", ["no", "On", "2024-01-01", "1:30"])
def test_a_name_that_other_readers_misread_needs_quotes(text: str) -> None:
    assert _code(_read(scalars.Name, text)) == "CP003"
    assert _read(scalars.Name, text, plain=False) == text


def test_words_are_matched_as_text() -> None:
    read = word_reader(("429", "timeout", "off"))
    assert [read(_scalar(text), "key") for text in ("429", "timeout", "off")] == ["429", "timeout", "off"]
    found = read(_scalar("time-out"), "key")
    assert isinstance(found, Diagnostic)
    assert (found.code, found.help) == ("CP109", "did you mean `timeout`?")


def test_a_key_in_a_policy_is_refused_and_not_repeated() -> None:
    found = _read(scalars.KeySource, "sk-secret-1234")
    assert _code(found) == "CP107"
    assert "secret" not in f"{found.message}{found.help}"


def test_a_pattern_is_checked_as_re2() -> None:
    assert _read(scalars.Pattern, r"order #\d+") == r"order #\d+"
    assert _code(_read(scalars.Pattern, r"(a")) == "CP107"
    assert _code(_read(scalars.Pattern, r"(?=a)")) == "CP107"


def test_long_input_is_shortened_in_messages() -> None:
    assert len(shorten("x" * 1000)) < 80
    assert "\n" not in shorten("a\nb")


@given(
    st.sampled_from([scalars.Usd, scalars.Duration, scalars.Count, scalars.Share, scalars.Name, scalars.Instant]),
    st.text(alphabet="0123456789.eE+-_:%$kM USDnafix", max_size=12) | st.text(max_size=12),
    st.booleans(),
)
def test_any_text_is_a_value_or_a_finding(kind: Any, text: str, plain: bool) -> None:
    value = _read(kind, text, plain)
    assert isinstance(value, Diagnostic | Decimal | float | int | str)


@given(st.text(alphabet="0123456789+-_.e", max_size=12), st.booleans())
def test_any_text_is_a_whole_number_or_a_finding(text: str, plain: bool) -> None:
    assert isinstance(read_integer(_scalar(text, plain), "key"), Diagnostic | int)


@pytest.mark.parametrize(
    "text", ["https://api.openai.com/v1", "http://[::1]:8000/v1/", "http://localhost", "http://bücher.example/a%20b"]
)
def test_paths_are_appended_to_an_address(text: str) -> None:
    assert _read(scalars.Url, text) == text.rstrip("/")


@pytest.mark.parametrize(
    "text",
    ["ftp://h/v1", "h/v1", "http://", "http://:80/v1", "http://h:99999/v1", "http://h:x/v1", "http://[::1/v1", "http://u:p@h/v1",
     "http://h/v1?api-version=1", "http://h/v1#part", "http://h/v 1", "https://h/v1\r\nx"],
)  # fmt: skip
def test_no_path_can_be_appended_to_this(text: str) -> None:
    assert _code(_read(scalars.Url, text, plain=False))
