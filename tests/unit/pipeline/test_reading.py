from __future__ import annotations

import pytest

from costpol.pipeline.reading import read


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("I can't log in", {"log"}),
        ("it works but does not print", {"print"}),
        ("it is not impossible and not unknown", {"impossible", "unknown"}),
        ("I cannot not go", set()),
        ("I don't know why it failed", {""}),
        ("is it refundable or not", set()),
        ("isn't there a discount", set()),
        ("not only today", set()),
    ],
)
def test_a_denial_reaches_to_the_end_of_its_clause(text: str, denied: set[str]) -> None:
    assert read(text).denied == denied


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        ("mail [NAME] about it", {"name"}),
        ("[NAME] has not paid", {"name"}),
        ("mail <EMAIL_1> now", {"email_1"}),
        ("my W-2 form", {"w2"}),
        ("the 1st of March", {"march"}),
        ("at 4 p.m", set()),
        ("Hi, How are you", set()),
        ("is it bad.This is", set()),
        ("SHOUTING ABOUT PARIS AND ROME", set()),
        ("it is in the US", {"us"}),
    ],
)
def test_names_are_known_by_their_look(text: str, entities: set[str]) -> None:
    assert read(text).entities == entities


@pytest.mark.parametrize(
    ("text", "tongue"),
    [
        ("how do I pay with the card", "en"),
        ("wie kann ich mit der Karte zahlen", "de"),
        ("où est ma carte et pourquoi", "fr"),
        ("dónde está la tarjeta y por qué", "es"),
        ("parcel", None),
    ],
)
def test_the_commonest_words_show_the_language(text: str, tongue: str | None) -> None:
    assert read(text).tongue == tongue


@pytest.mark.parametrize(
    ("text", "lettered"),
    [
        ("is A bigger than Boston", True),
        ("A is bigger than B", True),
        ("is a bigger than b", True),
        ("What Is A Mortgage", False),
        ("a mortgage", False),
        ("A mortgage", False),
    ],
)
def test_a_lone_a_is_a_letter_within_a_sentence_and_beside_other_letters(text: str, lettered: bool) -> None:
    assert ("a" in read(text).order.told) is lettered


@pytest.mark.parametrize(
    ("word", "counterpart"),
    [
        ("prenatal", "postnatal"), ("overpay", "underpay"), ("careful", "careless"), ("trainer", "trainee"),
        ("einloggen", "ausloggen"), ("intranet", "internet"),
    ],
)  # fmt: skip
def test_a_word_and_its_counterpart_are_known_by_beginning_or_end(word: str, counterpart: str) -> None:
    assert counterpart in read(f"is it {word}").counterparts
    assert word in read(f"is it {counterpart}").counterparts


def test_short_words_and_those_that_only_begin_alike_have_no_counterpart() -> None:
    assert read("on in it").counterparts == frozenset()
    assert "postfer" in read("prefer").counterparts  # no word, so nobody writes it
