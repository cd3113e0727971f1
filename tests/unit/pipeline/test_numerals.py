from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpol.pipeline.numerals import read_numbers


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("two hundred and five thousand twenty one", ("205021",)),
        ("three thousand two hundred", ("3200",)),
        ("twenty-one", ("21",)),
        ("5 thousand", ("5000",)),
        ("2.5 million", ("2500000",)),
        ("2 dozen eggs", ("24",)),
        ("nineteen eighty four", ("19", "84")),
        ("four five six", ("4", "5", "6")),
        ("for two and three", ("2", "3")),
        ("30 second timer", ("30",)),
        ("1,000.00", ("1000",)),
        ("10:00", ("10",)),
        ("3.10", ("3.10",)),
        ("1.000", ("1.000",)),
        ("-5", ("-5",)),
        ("2024-01-05", ("1", "2024", "5")),
        ("zwei hundert", ("200",)),
        ("no number", ()),
    ],
)
def test_a_number_has_one_form(text: str, numbers: tuple[str, ...]) -> None:
    words = text.split()
    assert read_numbers(words, words)[0] == numbers


@pytest.mark.parametrize("text", ["this one", "once it is here", "do it first", "double check"])
def test_words_that_often_are_no_numbers_are_told_apart(text: str) -> None:
    words = text.split()
    found, soft = read_numbers(words, words)
    assert found == soft
    assert len(soft) == 1


@given(st.integers(1, 999_999))
def test_any_number_in_words_is_the_one_in_digits(number: int) -> None:
    words = _spelled(number).split()
    assert read_numbers(words, words)[0] == (str(number),)


def _spelled(number: int) -> str:
    small = (
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen"
    ).split()
    tens = "twenty thirty forty fifty sixty seventy eighty ninety".split()
    if number >= 1000:
        rest = f" {_spelled(number % 1000)}" if number % 1000 else ""
        return f"{_spelled(number // 1000)} thousand{rest}"
    if number >= 100:
        rest = f" and {_spelled(number % 100)}" if number % 100 else ""
        return f"{small[number // 100]} hundred{rest}"
    if number >= 20:
        return tens[number // 10 - 2] + (f" {small[number % 10]}" if number % 10 else "")
    return small[number]
