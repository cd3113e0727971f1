"""Commits that are put off for a moment."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from costpol.commands import Account, Failed, Granted, Hold, Reserve, Settle, Standing
from costpol.ledger.sqlite import SqliteLedger

NOW = 1000.0
ACCOUNT = Account("a/usd/", 0.0, 0.0, 2000.0)


class Moment:
    """Keeps what is put off until it ends."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def __call__(self, commit: Callable[[], None]) -> None:
        self.waiting.append(commit)

    def end(self) -> None:
        while self.waiting:
            self.waiting.pop()()


def hold(amount: int, limit: int = 100) -> Reserve:
    return Reserve((Hold(ACCOUNT, amount, limit, "a"),), NOW, NOW + 60)


def used(ledger: SqliteLedger) -> int:
    standing = ledger.standing(Standing((ACCOUNT,), NOW))
    assert isinstance(standing, tuple)
    return standing[0]


@pytest.fixture
def moment() -> Moment:
    return Moment()


@pytest.fixture
def ledger(tmp_path: Path, moment: Moment) -> SqliteLedger:
    return SqliteLedger(tmp_path / "ledger.sqlite", defer=moment)


def test_its_own_process_sees_a_booking_at_once_and_others_after_the_moment(
    tmp_path: Path, ledger: SqliteLedger, moment: Moment
) -> None:
    other = SqliteLedger(tmp_path / "ledger.sqlite")
    granted = ledger.reserve(hold(60))
    assert isinstance(granted, Granted)
    assert (used(ledger), used(other)) == (60, 0)
    ledger.settle(Settle(granted.reservation, (10,), NOW))
    assert len(moment.waiting) == 1, "one commit for all"
    moment.end()
    assert (used(ledger), used(other)) == (10, 10)
    for each in (other, ledger):
        each.close()


def test_a_limit_holds_within_a_moment(ledger: SqliteLedger) -> None:
    assert isinstance(ledger.reserve(hold(60)), Granted)
    assert not isinstance(ledger.reserve(hold(60)), Granted)
    assert used(ledger) == 60
    ledger.close()


def test_closing_commits(tmp_path: Path, ledger: SqliteLedger, moment: Moment) -> None:
    ledger.reserve(hold(60))
    ledger.close()
    moment.end()
    again = SqliteLedger(tmp_path / "ledger.sqlite")
    assert used(again) == 60
    again.close()


def test_a_process_that_dies_loses_the_moment_and_nothing_before_it(
    tmp_path: Path, ledger: SqliteLedger, moment: Moment
) -> None:
    ledger.reserve(hold(5))
    moment.end()
    ledger.reserve(hold(60))
    ledger._connection.close()  # without the commit, as a killed process leaves it
    again = SqliteLedger(tmp_path / "ledger.sqlite")
    assert used(again) == 5
    again.close()


def test_lapsed_holds_are_freed_by_a_look_alone(tmp_path: Path, ledger: SqliteLedger, moment: Moment) -> None:
    ledger.reserve(hold(60))
    moment.end()
    assert ledger.standing(Standing((ACCOUNT,), NOW + 61)) == (0,)
    moment.end()
    other = SqliteLedger(tmp_path / "ledger.sqlite")
    assert [row.held for row in other.usage_report(NOW)] == [0]
    for each in (other, ledger):
        each.close()


def test_a_file_that_another_process_writes_is_answered_as_a_failure_and_works_again(
    tmp_path: Path, moment: Moment
) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.sqlite", busy_seconds=0.01, defer=moment)
    writer = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    assert ledger.reserve(hold(1)) == Failed("ledger-busy")
    assert not moment.waiting
    writer.execute("ROLLBACK")
    assert isinstance(ledger.reserve(hold(1)), Granted)
    writer.close()
    ledger.close()


def test_a_commit_that_fails_is_logged_and_the_ledger_goes_on(
    ledger: SqliteLedger, moment: Moment, caplog: pytest.LogCaptureFixture
) -> None:
    ledger._connection.execute("PRAGMA foreign_keys = ON")
    ledger._connection.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
    ledger._connection.execute("CREATE TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)")
    ledger.reserve(hold(60))
    ledger._connection.execute("INSERT INTO child VALUES (7)")  # makes the commit fail
    moment.end()
    assert "lost the bookings of a moment" in caplog.text
    assert used(ledger) == 0
    assert isinstance(ledger.reserve(hold(60)), Granted)
    ledger._connection.rollback()
    ledger.close()
