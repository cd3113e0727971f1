from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costpol.lint.reach.globs import cut, matches
from costpol.lint.reach.work import TooManyError, Work
from costpol.pipeline.matching import compile_globs

patterns = st.lists(st.text("ab*", min_size=1, max_size=4), min_size=1, max_size=5)
NAMES = ["".join(letters) for size in range(6) for letters in itertools.product("abx", repeat=size)]


@settings(max_examples=200, deadline=None)
@given(st.text("ab*", min_size=1, max_size=5), st.sampled_from(NAMES))
def test_a_name_matches_as_in_the_decision_flow(pattern: str, name: str) -> None:
    holds = compile_globs([pattern])
    assert holds is not None
    assert matches(pattern, name) == holds(name)


@settings(max_examples=200, deadline=None)
@given(patterns)
def test_every_name_is_in_a_cell_and_every_cell_has_its_name(chosen: list[str]) -> None:
    cells = cut(chosen, Work(10**9))
    signatures = {signature for _, signature in cells}
    for name, signature in cells:
        assert signature == {pattern for pattern in chosen if matches(pattern, name)} | ({name} & set(chosen))
    for name in NAMES:
        assert frozenset(pattern for pattern in chosen if matches(pattern, name)) in signatures


def test_plain_names_stay_apart() -> None:
    assert [name for name, _ in cut(["b", "a", "a"], Work(100))][:2] == ["a", "b"]


def test_patterns_that_multiply_are_refused() -> None:
    with pytest.raises(TooManyError):
        cut([f"*{letter}*" for letter in "abcdefghijklmnop"], Work(10**9))
