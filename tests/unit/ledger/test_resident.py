from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costpol.commands import Account, Exceeded, Failed, Granted, Hold, Reserve, Settle, Standing
from costpol.errors import StoreLockedError
from costpol.ledger import resident
from costpol.ledger.resident import ResidentLedger
from costpol.ledger.sqlite import MAX_AMOUNT, SqliteLedger

NOW = 1000.0
ACCOUNT = Account("a/usd/", 0.0, 0.0, 2000.0)


class Moment:
    """Keeps what is put off until it ends."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def __call__(self, write: Callable[[], None]) -> None:
        self.waiting.append(write)

    def end(self) -> None:
        while self.waiting:
            self.waiting.pop()()


def hold(amount: int, limit: int = 100, expires: float = NOW + 60) -> Reserve:
    return Reserve((Hold(ACCOUNT, amount, limit, "a"),), NOW, expires)


def used(ledger: ResidentLedger | SqliteLedger, now: float = NOW) -> int:
    standing = ledger.standing(Standing((ACCOUNT,), now))
    assert isinstance(standing, tuple)
    return standing[0]


def granted(ledger: ResidentLedger, amount: int, expires: float = NOW + 60) -> int:
    reply = ledger.reserve(hold(amount, expires=expires))
    assert isinstance(reply, Granted)
    return reply.reservation


def on_disk(path: Path) -> tuple[int, int]:
    """Used and held as another process reads it."""
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT coalesce(sum(used), 0), coalesce(sum(held), 0) FROM use").fetchone()
    connection.close()
    return int(found[0]), int(found[1])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def moment() -> Moment:
    return Moment()


@pytest.fixture
def ledger(path: Path, moment: Moment) -> Iterator[ResidentLedger]:
    ledger = ResidentLedger(path, moment, busy_seconds=0.01)
    yield ledger
    ledger.close()


def test_a_booking_counts_at_once_and_is_written_with_others_after_the_moment(
    path: Path, ledger: ResidentLedger, moment: Moment
) -> None:
    first, second = granted(ledger, 60), granted(ledger, 30)
    ledger.settle(Settle(first, (10,), NOW))
    assert used(ledger) == 40
    assert on_disk(path) == (0, 0)
    assert len(moment.waiting) == 1, "one write for all"
    moment.end()
    assert on_disk(path) == (10, 30)
    ledger.settle(Settle(second, (5,), NOW))
    moment.end()
    assert on_disk(path) == (15, 0)


def test_the_next_process_goes_on_where_this_one_ended(path: Path, ledger: ResidentLedger, moment: Moment) -> None:
    settled, open = granted(ledger, 60), granted(ledger, 30, expires=NOW + 60)
    moment.end()
    ledger.settle(Settle(settled, (10,), NOW))
    ledger.close()
    after = ResidentLedger(path, moment)
    assert used(after) == 40
    assert after.settle(Settle(settled, (1,), NOW)) == Failed("reservation-not-open")
    assert after.settle(Settle(open, (7,), NOW)) is None
    after.close()
    shared = SqliteLedger(path)
    assert used(shared) == 17
    shared.close()


def test_what_a_killed_process_held_lapses(path: Path, moment: Moment) -> None:
    killed = ResidentLedger(path, moment)
    granted(killed, 60)
    moment.end()
    granted(killed, 5)
    killed._claim.release()  # as the kernel does; the last moment was not written
    after = ResidentLedger(path, moment)
    assert used(after) == 60
    assert used(after, NOW + 61) == 0
    after.close()
    assert on_disk(path) == (0, 0)


def test_a_ledger_in_use_is_refused(path: Path, ledger: ResidentLedger, moment: Moment) -> None:
    with pytest.raises(StoreLockedError):
        ResidentLedger(path, moment)


def test_a_late_settlement_is_booked_without_its_hold(path: Path, ledger: ResidentLedger, moment: Moment) -> None:
    late = granted(ledger, 60)
    assert used(ledger, NOW + 61) == 0
    moment.end()
    assert ledger.settle(Settle(late, (40,), NOW + 62)) is None
    moment.end()
    assert used(ledger, NOW + 62) == 40
    assert on_disk(path) == (40, 0)


def test_a_settlement_of_a_window_long_past_goes_to_its_own_bucket(
    path: Path, ledger: ResidentLedger, moment: Moment
) -> None:
    early = granted(ledger, 60)
    later = Account("a/usd/", 5000.0, 5000.0, 9000.0)
    assert ledger.standing(Standing((later,), NOW)) == (0,)
    ledger.sweep(NOW)
    ledger.settle(Settle(early, (40,), NOW))
    assert ledger.standing(Standing((later,), NOW)) == (0,)
    assert used(ledger) == 40, "an account may be asked for an earlier window again"
    moment.end()
    assert on_disk(path) == (40, 0)


def test_while_the_file_fails_nothing_is_granted_and_nothing_is_lost(
    path: Path, ledger: ResidentLedger, moment: Moment, caplog: pytest.LogCaptureFixture
) -> None:
    first = granted(ledger, 60)
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    moment.end()
    assert "cannot be written: ledger-busy" in caplog.text
    assert ledger.reserve(hold(1)) == Failed("ledger-busy")
    assert ledger.trouble == "the ledger cannot be written: ledger-busy"
    assert ledger.settle(Settle(first, (10,), NOW)) is None
    writer.execute("ROLLBACK")
    writer.close()
    assert ledger.reserve(hold(1)) == Failed("ledger-busy"), "tried again once in a while only"
    second = Reserve(hold(1).holds, NOW + 5, NOW + 60)
    assert isinstance(ledger.reserve(second), Granted)
    moment.end()
    assert ledger.trouble is None
    assert on_disk(path) == (10, 1)


def test_amounts_beyond_the_range_are_refused(ledger: ResidentLedger) -> None:
    assert ledger.reserve(hold(-1)) == Failed("amount-out-of-range")
    assert ledger.reserve(hold(1, limit=MAX_AMOUNT + 1)) == Failed("amount-out-of-range")
    number = granted(ledger, 1)
    assert ledger.settle(Settle(number, (-1,), NOW)) == Failed("amount-out-of-range")
    assert ledger.settle(Settle(number, (1, 1), NOW)) == Failed("amounts-do-not-match-holds")
    for _ in range(2):
        assert ledger.settle(Settle(number, (MAX_AMOUNT,), NOW)) is None
        number = resident_grant(ledger)
    assert ledger.settle(Settle(number, (MAX_AMOUNT,), NOW)) == Failed("amount-out-of-range")


def resident_grant(ledger: ResidentLedger) -> int:
    """A reservation in an account that is over its limit: it holds nothing."""
    number = next(ledger._numbers)
    ledger._reservations[number] = resident._Reservation(NOW + 60, [(ACCOUNT.name, ACCOUNT.bucket, 0)], True)
    ledger._fresh.add(number)
    return number


def test_a_closed_ledger_answers_failures(path: Path, moment: Moment) -> None:
    ledger = ResidentLedger(path, moment)
    number = granted(ledger, 1)
    ledger.close()
    moment.end()
    assert ledger.reserve(hold(1)) == Failed("ledger-misuse")
    assert ledger.settle(Settle(number, (1,), NOW)) == Failed("ledger-misuse")
    assert ledger.standing(Standing((ACCOUNT,), NOW)) == Failed("ledger-misuse")


def test_memory_does_not_grow_with_what_is_settled(ledger: ResidentLedger, moment: Moment) -> None:
    for number in range(4000):
        other = Account(f"u/{number}", 0.0, 0.0, 1.0)
        reply = ledger.reserve(Reserve((Hold(other, 1, 9, "u"),), NOW, NOW + 60))
        assert isinstance(reply, Granted)
        ledger.settle(Settle(reply.reservation, (1,), NOW))
        if number % 100 == 0:
            moment.end()
    moment.end()
    assert len(ledger._expiries) <= 1000
    assert not ledger._reservations
    assert not ledger._dirty


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("reserve"),
            st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 60)), max_size=4),
            st.integers(1, 30),
        ),
        st.tuples(st.just("settle"), st.integers(0, 9), st.integers(0, 80)),
        st.tuples(st.just("wait"), st.floats(0.5, 15), st.none()),
        st.tuples(st.sampled_from(["sweep", "write", "reopen"]), st.none(), st.none()),
    ),
    max_size=40,
)


@settings(max_examples=120, deadline=None)
@given(steps=STEPS)
def test_it_answers_as_the_shared_ledger_does(steps: list[tuple[str, object, object]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        moment = Moment()
        shared = SqliteLedger(":memory:")
        mine = ResidentLedger(Path(folder) / "l", moment)
        now = 1000.0
        open: list[tuple[int, int, int]] = []

        def account(name: str) -> Account:
            bucket = now // 10 * 10
            return Account(name, bucket if name == "a" else now - 20, bucket, bucket + 20)

        for kind, first, second in steps:
            if kind == "reserve":
                holds = tuple(Hold(account(name), amount, 100, name) for name, amount in first)  # type: ignore[attr-defined]
                command = Reserve(holds, now, now + second)  # type: ignore[operator]
                one, two = mine.reserve(command), shared.reserve(command)
                if isinstance(one, Granted) and isinstance(two, Granted):
                    open.append((one.reservation, two.reservation, len(holds)))
                else:
                    assert one == two
                    assert isinstance(one, Exceeded)
            elif kind == "settle" and open:
                left, right, size = open.pop(first % len(open))  # type: ignore[operator]
                amounts = (second,) * size
                assert mine.settle(Settle(left, amounts, now)) == shared.settle(Settle(right, amounts, now))  # type: ignore[arg-type]
                again = Settle(left, amounts, now)  # type: ignore[arg-type]
                assert mine.settle(again) == Failed("reservation-not-open")
            elif kind == "wait":
                now += first  # type: ignore[operator]
            elif kind == "sweep":
                mine.sweep(now)
                shared.sweep(now)
            elif kind == "write":
                moment.end()
            elif kind == "reopen":
                mine.close()
                mine = ResidentLedger(Path(folder) / "l", moment)
            asked = Standing(tuple(account(name) for name in "abc"), now)
            assert mine.standing(asked) == shared.standing(asked)
        report = [(row.account, row.bucket, row.used, row.held) for row in mine.usage_report(now)]
        expected = [(row.account, row.bucket, row.used, row.held) for row in shared.usage_report(now)]
        assert report == expected
        mine.close()
        shared.close()
