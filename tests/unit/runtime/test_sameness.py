from __future__ import annotations

import pytest

from costpol.embedding.registry import open_embedder
from costpol.runtime.sameness import compare


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Yes, within 30 days.", "yes, within 30 days.", True),
        ("You can return it within 30 days for free.", "You can return it within 14 days for free.", False),
        ("It is possible to return it here today.", "It is not possible to return it here today.", False),
        ("Open the settings.", "Call the support.", False),
    ],
)
def test_answers_are_compared_by_what_they_say(one: str, other: str, same: bool) -> None:
    assert compare(one, other) is same
    assert compare(one, other, open_embedder().embed) is same


def test_an_answer_in_other_words_says_the_same() -> None:
    one = "I can help you with that. Could you please provide your user ID and the reason for the cancellation?"
    other = "I can assist you with cancelling. Please provide your user ID and the reason for the cancellation."
    assert compare(one, other) is None
    assert compare(one, other, open_embedder().embed) is True


def test_other_words_do_not_hide_another_number() -> None:
    one = "Returns are free within 30 days after you have received the item in the mail."
    other = "Within 14 days after you have received your item in the mail, returns are free."
    assert compare(one, other, open_embedder().embed) is False


def test_between_alike_and_apart_nobody_is_wrong() -> None:
    one = "Please tell me your user ID, then I can look for your booking and change the flight for you."
    other = "Flights can be changed up to a day before you leave; a change costs nothing in business class."
    assert compare(one, other, open_embedder().embed) is not True


def test_an_answer_without_any_word_is_another() -> None:
    assert compare("", "Yes.", open_embedder().embed) is False
