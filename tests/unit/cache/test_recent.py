from __future__ import annotations

import dataclasses

import pytest

from costpol.cache import recent
from costpol.cache.recent import Recent
from costpol.commands import Entry, Scope

ENTRY = Entry("p", "q", Scope("global", "global"), "faq", "text", b"12345678", "m", 0.0, 9.0, 1)


def sized(size: int) -> Entry:
    return dataclasses.replace(ENTRY, text="", body=b"x" * size)


def test_what_was_kept_is_at_hand_until_it_is_dropped() -> None:
    kept = Recent()
    kept.keep(1, ENTRY)
    assert kept.get([2, 1]) == [None, ENTRY]
    kept.drop([1, 3])
    assert kept.get([1]) == [None]
    assert len(kept) == 0


def test_a_later_entry_takes_the_place_of_an_earlier_one() -> None:
    kept = Recent()
    kept.keep(1, ENTRY)
    kept.keep(1, sized(3))
    assert kept.get([1]) == [sized(3)]
    assert len(kept) == 1


def test_bytes_are_bounded_and_what_was_not_asked_for_longest_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "_MOST_BYTES", 100)
    kept = Recent()
    for id in (1, 2):
        kept.keep(id, sized(45))
    kept.get([1])
    kept.keep(3, sized(45))
    assert kept.get([1, 2, 3]) == [sized(45), None, sized(45)]


def test_the_number_of_entries_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "_MOST_ENTRIES", 3)
    kept = Recent()
    for id in range(9):
        kept.keep(id, ENTRY)
    assert len(kept) == 3


def test_a_very_large_entry_is_read_anew_each_time() -> None:
    kept = Recent()
    kept.keep(1, sized(2**20))
    assert kept.get([1]) == [None]
