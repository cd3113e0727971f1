"""The words that the guards know are written so that they can be found."""

from __future__ import annotations

from costpol.pipeline.wording import (
    CALENDAR,
    FILLERS,
    NEGATORS,
    NUMBER_WORDS,
    PARTICLES,
    SIDES,
    SIGNS,
    SOURCES,
    TARGETS,
    UNITS,
)


def test_every_word_is_as_the_guards_read_it() -> None:
    for word in (*CALENDAR, *FILLERS, *NEGATORS, *NUMBER_WORDS, *SIDES, *SOURCES, *TARGETS, *UNITS):
        assert word == word.casefold().replace("'", "")


def test_no_group_is_shared_by_opposites_and_units() -> None:
    assert not {group for group, _ in SIDES.values()} & {group for group, _ in UNITS.values()}


def test_every_group_has_at_least_two_sides_left() -> None:
    """A word that stands in two groups belongs to the later one, which may leave the earlier one short."""
    for table in (SIDES, UNITS):
        sides: dict[int, set[int]] = {}
        for group, side in table.values():
            sides.setdefault(group, set()).add(side)
        assert {group for group, found in sides.items() if len(found) < 2} == set()


def test_phrases_end_with_a_particle_and_signs_have_a_side() -> None:
    assert {"in", "out"} <= PARTICLES
    assert set(SIGNS) <= SIDES.keys()
