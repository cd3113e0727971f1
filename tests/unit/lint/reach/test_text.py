"""The linter's reading of texts and the decision flow's are the same."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from costpol.lint.reach import text
from costpol.pipeline import keywords

PIECES = st.lists(
    st.sampled_from(
        (
            "order",
            "Order",
            "status",
            "no",
            "n\u00b0 5",
            "caf\u00e9",
            "\u6ce8\u6587",
            "it's",
            "it\u2019s",
            "x",
            " ",
            "  ",
            "-",
            ".",
            "!",
            "?",
            "\u2026",
            ",",
        )
    ),
    max_size=7,
).map("".join)
WORDS = st.sampled_from(
    (
        "order",
        "Order status",
        "order  status",
        "no",
        "caf\u00e9",
        "\u6ce8\u6587",
        "it's",
        "n\u00b0",
        "-",
        "x.",
        "status no",
    )
)


@settings(max_examples=300, deadline=None)
@given(PIECES)
def test_a_message_is_bared_alike(message: str) -> None:
    assert text.bare(message) == keywords.bare(message)
    assert text.normalise(message) == keywords.normalise(message)


@settings(max_examples=400, deadline=None)
@given(WORDS, PIECES)
def test_a_word_occurs_alike(word: str, message: str) -> None:
    collector = keywords.KeywordCollector()
    numbers = collector.words([word])
    matched = collector.compile().match(keywords.normalise(message))
    assert text.occurs(text.word(word), message) == (not numbers.isdisjoint(matched))


@settings(max_examples=300, deadline=None)
@given(WORDS, PIECES, st.sampled_from(["", "!", " ... ", "?!"]))
def test_what_a_wording_settles_holds_for_every_message_of_that_wording(word: str, message: str, end: str) -> None:
    whole, phrase = text.bare(message), text.word(word)
    if whole and text.settles(whole, phrase):
        assert text.occurs(phrase, message + end) == text.occurs(phrase, whole)
    assert len(text.normalise(message)) >= text.least_characters(whole)
