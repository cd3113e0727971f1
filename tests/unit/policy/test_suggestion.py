"""Near words are suggested, far ones are not."""

from __future__ import annotations

import pytest

from costpol.policy.suggestion import did_you_mean, nearest

KNOWN = ("threshold", "ttl", "scope", "max_output_tokens", "order-status")


@pytest.mark.parametrize(
    ("word", "guess"),
    [
        ("treshold", "threshold"),
        ("scop", "scope"),
        ("max-output-tokens", "max_output_tokens"),
        ("Order_Status", "order-status"),
        ("colour", None),
        ("", None),
        ("t" * 10_000, None),
    ],
)
def test_the_nearest_known_word_is_suggested(word: str, guess: str | None) -> None:
    assert nearest(word, KNOWN) == guess


def test_a_suggestion_is_a_question() -> None:
    assert did_you_mean("tll", KNOWN) == "did you mean `ttl`?"
    assert did_you_mean("colour", KNOWN) is None
