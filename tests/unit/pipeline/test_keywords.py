"""Words and patterns of a policy, found in one pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpol.errors import ProvisionError
from costpol.pipeline.keywords import KeywordCollector, bare, normalise


def finds(word: str, text: str) -> bool:
    collector = KeywordCollector()
    numbers = collector.words([word])
    return not numbers.isdisjoint(collector.compile().match(normalise(text)))


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("analyse", "please ANALYSE this"),
        ("my account", "is My  \n account open"),
        ("c++", "I write C++ code"),
        ("don't", "I don\u2019t know"),
        ("gro\u00df", "das ist GRO\u1e9e"),
        ("caf\u00e9", "the cafe\u0301 is open"),
        ("\u0434\u0435\u043d\u044c\u0433\u0438", "\u0433\u0434\u0435 \u0414\u0415\u041d\u042c\u0413\u0418?"),
        ("\u9000\u6b3e", "\u6211\u8981\u9000\u6b3e\u3002"),
        ("\ufb01ne", "all fine"),
        ("\u0915\u0932", "\u0915\u0932 \u0906\u0928\u093e"),
    ],
)
def test_a_word_is_found_whatever_its_case_spelling_and_space(word: str, text: str) -> None:
    assert finds(word, text)


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("rate", "separate"),
        ("rate", "rates"),
        ("rate", "rate_limit"),
        ("rate", "rate2"),
        ("my account", "my accountant"),
        ("\u00e4rger", "b\u00e4rger"),
        ("\u0915\u0932", "\u0915\u0932\u093e"),  # a vowel sign makes it another word
        ("a.c", "abc"),
    ],
)
def test_a_part_of_a_word_is_not_the_word(word: str, text: str) -> None:
    assert not finds(word, text)


def test_a_pattern_matches_anywhere_and_equal_ones_share_a_number() -> None:
    collector = KeywordCollector()
    first, again = collector.pattern(r"order \d+"), collector.pattern(r"order \d+")
    other = collector.pattern("refund")
    assert first == again != other
    assert collector.compile().match("about order 12 of May") == {first}


def test_nothing_gathered_matches_nothing() -> None:
    assert KeywordCollector().compile().match("anything") == frozenset()


def test_blank_words_match_nothing() -> None:
    assert KeywordCollector().words(["", "  "]) == frozenset()


def test_patterns_too_large_together_are_refused_when_compiled() -> None:
    collector = KeywordCollector()
    for letter in "abcdefghij":
        collector.pattern(f"((({letter}[xyz]{{1,30}}){{1,30}})q){{1,30}}")
    with pytest.raises(ProvisionError, match="for one set"):
        collector.compile()


@given(st.text(min_size=1), st.text())
def test_a_pattern_finds_itself_in_any_text(word: str, around: str) -> None:
    collector = KeywordCollector()
    numbers = collector.words([word])
    if numbers:
        assert numbers <= collector.compile().match(normalise(f" {word} {around}"))


@pytest.mark.parametrize("text", ["OK", " ok! ", "Ok...", "\uff2f\uff2b\u3002", "ok\n", "o\u212a"])
def test_bare_leaves_the_words_alone(text: str) -> None:
    assert bare(text) == "ok"


@given(st.text())
def test_bare_and_normalise_change_nothing_twice(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert bare(bare(text)) == bare(text)
