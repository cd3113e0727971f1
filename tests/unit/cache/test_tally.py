"""What each stored entry is worth."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from costpol.cache.tally import IntentRow, Tally, Worth

WORTHS = st.builds(
    Worth,
    intent=st.sampled_from(["faq", "pricing"]),
    template=st.sampled_from(["", "a@1", "a@2", "ab@1"]),
    cost_picodollars=st.integers(0, 10**15),
    expires=st.floats(0, 200),
    size=st.integers(0, 10**6),
    hits=st.integers(0, 50),
)


def tally_of(worths: list[Worth]) -> Tally:
    tally = Tally()
    for number, worth in enumerate(worths):
        tally.note(str(number), worth)
    return tally


@given(st.lists(WORTHS, max_size=30), st.floats(0, 200), st.integers(0, 40))
def test_whoever_is_kept_is_worth_no_less_than_whoever_goes(worths: list[Worth], now: float, count: int) -> None:
    tally = tally_of(worths)
    gone = tally.least(now, count)
    assert len(gone) == min(count, len(worths))
    tally.drop(gone)
    kept = [worth for number, worth in enumerate(worths) if str(number) in tally]
    left = [worths[int(id)] for id in gone]
    assert max((w.value(now) for w in left), default=0.0) <= min((w.value(now) for w in kept), default=float("inf"))
    if any(worth.expires > now for worth in left):
        assert all(worth.expires > now for worth in kept)


def test_hits_and_remaining_life_multiply_what_an_answer_cost() -> None:
    worth = Worth("faq", "", 10, expires=100.0, size=1, hits=2)
    assert worth.value(40.0) == 10 * 3 * 60
    assert worth.value(100.0) == 0


def test_a_renewed_entry_keeps_its_hits() -> None:
    tally = tally_of([Worth("faq", "", 1, 10.0, 1)])
    tally.credit("0")
    tally.credit("unknown")
    tally.note("0", Worth("faq", "", 5, 20.0, 1))
    assert tally.rows(0.0) == (IntentRow("faq", 1, 0, 1, 5, 1, saved_picodollars=5),)


@given(st.lists(WORTHS, max_size=30), st.floats(0, 200))
def test_rows_add_up_to_the_whole(worths: list[Worth], now: float) -> None:
    tally = tally_of(worths)
    rows = tally.rows(now)
    assert [row.intent for row in rows] == sorted({worth.intent for worth in worths})
    assert sum(row.entries for row in rows) == len(tally) == len(worths)
    assert sum(row.expired for row in rows) == len(tally.expired(now))
    assert sum(row.cost_picodollars for row in rows) == sum(worth.cost_picodollars for worth in worths)
    assert sum(row.hits for row in rows) == sum(worth.hits for worth in worths)


def test_a_template_is_matched_by_name_or_by_version_and_never_by_prefix() -> None:
    tally = tally_of([Worth("faq", template, 1, 1.0, 1) for template in ("", "a@1", "a@2", "ab@1")])
    assert tally.matching(None, "a") == ["1", "2"]
    assert tally.matching(None, "a@2") == ["2"]
    assert tally.matching("pricing", "a") == []
    assert tally.matching(None, None) == ["0", "1", "2", "3"]
