from __future__ import annotations

import pytest

from costpol.pipeline.order import Order, read_order, tells_otherwise


def order(text: str, *, lettered: bool = False) -> Order:
    return read_order(tuple(text.split()), lettered=lettered)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("fly from paris to rome", "fly from rome to paris"),
        ("move it from account b to account c", "put it from account c to b"),
        ("is tea better than coffee", "would you say coffee is better than tea"),
        ("can i call my bank", "can my bank call me"),
        ("do i owe you", "do you owe me"),
        ("do we owe him", "does he owe us"),
        ("who can i call", "who can call me"),
        ("should ann pay bob and eve", "should bob pay ann and eve"),
        ("how many grams are in an ounce", "how many ounces are in a gram"),
    ],
)
def test_swapped_places_tell_another_story(ours: str, theirs: str) -> None:
    assert tells_otherwise(order(ours), order(theirs))
    assert tells_otherwise(order(theirs), order(ours))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("what does tea or coffee cost", "what does coffee or tea cost"),
        ("is tea the same as coffee", "is coffee the same as tea"),
        ("i lost my card help me", "help me i lost my card"),
        ("can i get a loan", "get me a loan please"),
        ("show me what i owe", "what do i owe"),
        ("what song is this", "what is this song"),
        ("what does it cost", "what did it cost"),
    ],
)
def test_a_part_that_was_moved_tells_the_same(ours: str, theirs: str) -> None:
    assert not tells_otherwise(order(ours), order(theirs))
    assert not tells_otherwise(order(theirs), order(ours))


def test_an_article_is_nowhere_a_letter_is_somewhere() -> None:
    ours, theirs = "is a bigger than b", "is b bigger than a"
    assert not tells_otherwise(order(ours), order(theirs))
    assert tells_otherwise(order(ours, lettered=True), order(theirs, lettered=True))
