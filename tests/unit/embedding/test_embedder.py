"""The bound on the length of a text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from costpol.embedding.embedder import bounded


def test_a_long_text_keeps_its_beginning_and_its_end() -> None:
    assert bounded("abcdefghij", 4) == "abij"


@given(st.text(max_size=60), st.integers(min_value=0, max_value=60))
def test_never_longer_than_the_limit_and_untouched_within_it(text: str, limit: int) -> None:
    cut = bounded(text, limit)
    assert len(cut) <= limit
    if len(text) <= limit:
        assert cut == text
