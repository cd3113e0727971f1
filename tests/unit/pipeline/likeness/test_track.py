from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpol.pipeline.likeness.track import NEVER, Track


def alarms(share: float, limit: float, count: int, seed: int) -> Iterator[int]:
    """The verdicts at which a track whose hits are wrong with this chance passes its limit."""
    chance, track = random.Random(seed), Track(limit, 0.9)
    for number in range(count):
        if track.learn(different=chance.random() < share, similarity=0.95):
            yield number
            track = Track(limit, 0.9)


def test_what_is_far_past_the_limit_is_noticed_soon() -> None:
    first = [next(alarms(0.5, 0.1, 500, seed)) for seed in range(50)]
    assert sorted(first)[25] < 20
    assert max(first) < 60


def test_what_keeps_the_limit_is_left_alone() -> None:
    assert sum(1 for seed in range(50) for _ in alarms(0.05, 0.1, 1000, seed)) <= 2, "50,000 verdicts"


def test_at_the_limit_itself_false_alarms_are_rare() -> None:
    assert sum(1 for seed in range(50) for _ in alarms(0.1, 0.1, 1000, seed)) < 50_000 / 200


def test_good_years_do_not_excuse_a_bad_month() -> None:
    track = Track(0.1, 0.9)
    for _ in range(5000):
        assert not track.learn(different=False, similarity=0.95)
    assert any(track.learn(different=True, similarity=0.95) for _ in range(10))


def test_one_wrong_hit_is_an_accident() -> None:
    track = Track(0.001, 0.9)
    assert [track.learn(different=True, similarity=0.95) for _ in range(3)] == [False, False, True]


def test_what_was_foreseen_is_no_surprise() -> None:
    track = Track(0.01)
    assert not any(track.learn(different=number % 2 == 0, similarity=0.9, foreseen=0.5) for number in range(200))


def test_the_threshold_rises_to_where_the_verdicts_keep_the_limit() -> None:
    track = Track(0.1, 0.9)
    for number in range(20):
        track.learn(different=number % 2 == 0, similarity=0.91 + number / 10_000)
        track.learn(different=False, similarity=0.97)
    track.tighten()
    assert 0.91 < track.threshold <= 0.97
    assert (track.tightened, track.suspended) == (1, False)


def test_where_they_nowhere_keep_it_no_likeness_is_enough() -> None:
    track = Track(0.1, 0.9)
    for _ in range(5):
        track.learn(different=True, similarity=0.99)
    track.tighten()
    assert track.suspended
    assert track.threshold == NEVER


def test_reports_count_against_all_hits_that_were_given() -> None:
    few, many = Track(0.1, 0.9), Track(0.1, 0.9)
    few.hits, many.hits = 10, 1000
    assert [few.report(0.95) for _ in range(3)] == [False, False, True]
    assert not any(many.report(0.95) for _ in range(100))
    assert many.report(0.95)


@pytest.mark.parametrize(("checked", "different", "most"), [(10, 0, 0.15), (100, 0, 0.017), (100, 10, 0.15)])
def test_the_bound_is_wilsons(checked: int, different: int, most: float) -> None:
    track = Track(0.1, 0.9, checked=checked, different=different)
    assert track.at_most is not None
    assert different / checked < track.at_most <= most
    assert Track(0.1).at_most is None


@given(st.lists(st.tuples(st.floats(0.9, 1.0), st.booleans()), max_size=40), st.floats(0.01, 0.5))
def test_tightening_never_loosens_and_what_is_left_keeps_the_limit(
    verdicts: list[tuple[float, bool]], limit: float
) -> None:
    track = Track(limit, 0.9)
    for similarity, different in verdicts:
        track.learn(different=different, similarity=similarity)
    before = track.threshold
    track.tighten()
    assert track.threshold >= before
    left = [different for _, different in track.pairs]
    assert all(similarity >= track.threshold for similarity, _ in track.pairs)
    assert sum(left) <= limit * len(left)
