"""What the core schema of YAML 1.2 sees in a scalar, and what older readers would."""

from __future__ import annotations

import pytest

from costpol.policy.tree import is_number_elsewhere, is_word_boolean, resolve


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("", "null"), ("~", "null"), ("null", "null"), ("nuLL", "text"),
        ("true", "boolean"), ("False", "boolean"), ("tRUE", "text"), ("yes", "text"), ("off", "text"),
        ("0", "integer"), ("-12", "integer"), ("0755", "integer"), ("0o17", "integer"), ("0xFf", "integer"),
        ("1.5", "number"), (".5", "number"), ("5.", "number"), ("1e-6", "number"), (".inf", "number"),
        (".nan", "number"),
        ("1_000", "text"), ("1:30", "text"), ("2026-01-31", "text"), ("4.1.0", "text"), ("10k", "text"), ("-", "text"),
        ("9" * 65, "text"),
    ],
)  # fmt: skip
def test_a_plain_scalar_means_what_an_editor_sees(text: str, meaning: str) -> None:
    assert resolve(text) == meaning


@pytest.mark.parametrize(
    "text", ["1:30", "24:00:00", "0755", "0x10", "0x_10", "0b1", "0o17", "1_000", "1_0.5", "2026-1-2"]
)
def test_numbers_of_other_readers_are_known(text: str) -> None:
    assert is_number_elsewhere(text)


@pytest.mark.parametrize(
    "text", ["0", "10", "1.5", "0.92", "-1", "1e-6", "10k", "40 USD", "5%", "24h", "gpt-4.1", "x_1"]
)
def test_plain_numbers_and_words_are_not_taken_for_them(text: str) -> None:
    assert not is_number_elsewhere(text)


def test_words_for_booleans_are_known() -> None:
    assert all(is_word_boolean(word) for word in ("yes", "No", "ON", "off"))
    assert not any(is_word_boolean(word) for word in ("true", "y", "none", "one"))
