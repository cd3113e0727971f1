"""The ledger by its contract: the three commands, failure as a value, and what a file survives."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from costpol.commands import Account, Exceeded, Failed, Granted, Hold, Reserve, Settle, Standing
from costpol.errors import StoreError
from costpol.ledger.sqlite import KEEP_SECONDS, MAX_AMOUNT, SWEEP_ROWS, BucketUse, SqliteLedger

NOW = 1_700_000_000.0
DAY = 86400.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[SqliteLedger]:
    opened = SqliteLedger(path)
    yield opened
    opened.close()


def account(name: str = "company/usd", bucket: float = NOW, since: float | None = None) -> Account:
    return Account(name, bucket if since is None else since, bucket, bucket + DAY)


def hold(amount: int, limit: int = 100, of: Account | None = None) -> Hold:
    return Hold(of or account(), amount, limit, "company")


def reserve(ledger: SqliteLedger, *holds: Hold, now: float = NOW, expires: float = NOW + 60) -> int:
    granted = ledger.reserve(Reserve(holds, now, expires))
    assert isinstance(granted, Granted)
    return granted.reservation


def settle(ledger: SqliteLedger, reservation: int, *amounts: int) -> Failed | None:
    return ledger.settle(Settle(reservation, amounts, NOW))


def standing(ledger: SqliteLedger, *accounts: Account, now: float = NOW) -> tuple[int, ...]:
    answer = ledger.standing(Standing(accounts or (account(),), now))
    assert isinstance(answer, tuple)
    return answer


def test_an_unused_account_stands_at_zero(ledger: SqliteLedger) -> None:
    assert standing(ledger, account("a"), account("b")) == (0, 0)


def test_a_hold_counts_until_it_is_settled_for_what_was_used(ledger: SqliteLedger) -> None:
    reservation = reserve(ledger, hold(60))
    assert standing(ledger) == (60,)
    assert settle(ledger, reservation, 45) is None
    assert standing(ledger) == (45,)


def test_settling_for_zero_refunds(ledger: SqliteLedger) -> None:
    settle(ledger, reserve(ledger, hold(60)), 0)
    assert standing(ledger) == (0,)


def test_a_limit_may_be_reached_but_not_passed(ledger: SqliteLedger) -> None:
    reserve(ledger, hold(100))
    assert ledger.reserve(Reserve((hold(1),), NOW, NOW + 60)) == Exceeded(hold(1), used=100, oldest=NOW)
    reserve(ledger, hold(0))


def test_the_first_hold_that_fails_is_named_and_nothing_is_set_aside(ledger: SqliteLedger) -> None:
    fits, fails, fails_too = hold(1, of=account("a")), hold(8, 7, account("b")), hold(9, 7, account("c"))
    assert ledger.reserve(Reserve((fits, fails, fails_too), NOW, NOW + 60)) == Exceeded(fails, used=0)
    assert standing(ledger, account("a"), account("b"), account("c")) == (0, 0, 0)


def test_two_holds_on_one_account_count_together(ledger: SqliteLedger) -> None:
    assert ledger.reserve(Reserve((hold(60), hold(41)), NOW, NOW + 60)) == Exceeded(hold(41), used=60)
    reservation = reserve(ledger, hold(60), hold(40))
    settle(ledger, reservation, 50, 20)
    assert standing(ledger) == (70,)


def test_actual_use_is_booked_even_above_the_limit(ledger: SqliteLedger) -> None:
    settle(ledger, reserve(ledger, hold(60)), 250)
    assert ledger.reserve(Reserve((hold(0),), NOW, NOW + 60)) == Exceeded(hold(0), used=250, oldest=NOW)


def test_amounts_go_to_the_accounts_in_the_order_of_the_holds(ledger: SqliteLedger) -> None:
    money, calls = account("z/usd"), account("a/calls")
    settle(ledger, reserve(ledger, hold(50, of=money), hold(1, of=calls)), 30, 2)
    assert standing(ledger, money, calls) == (30, 2)


def test_a_reservation_is_settled_once(ledger: SqliteLedger) -> None:
    reservation = reserve(ledger, hold(60))
    settle(ledger, reservation, 45)
    assert settle(ledger, reservation, 45) == Failed("reservation-not-open")
    assert settle(ledger, 12345, 45) == Failed("reservation-not-open")
    assert standing(ledger) == (45,)


def test_the_number_of_a_settled_reservation_is_never_given_again(path: Path) -> None:
    numbers = set()
    for _ in range(3):
        ledger = SqliteLedger(path)
        for _ in range(3):
            numbers.add(reserve(ledger, hold(1)))
            settle(ledger, max(numbers), 0)
        ledger.close()
    assert len(numbers) == 9


def test_a_hold_lapses_at_its_expiry(ledger: SqliteLedger) -> None:
    reserve(ledger, hold(100), expires=NOW + 60)
    assert standing(ledger, now=NOW + 59.9) == (100,)
    assert standing(ledger, now=NOW + 60) == (0,)
    reserve(ledger, hold(100), now=NOW + 60, expires=NOW + 120)


def test_a_refusal_still_frees_what_has_lapsed(ledger: SqliteLedger) -> None:
    reserve(ledger, hold(100), expires=NOW + 60)
    assert ledger.reserve(Reserve((hold(101),), NOW + 60, NOW + 120)) == Exceeded(hold(101), used=0)


def test_a_late_settle_is_booked_once(ledger: SqliteLedger) -> None:
    reservation = reserve(ledger, hold(60), expires=NOW + 60)
    ledger.sweep(NOW + 3600)
    assert settle(ledger, reservation, 45) is None
    assert standing(ledger, now=NOW + 3600) == (45,)
    assert settle(ledger, reservation, 45) == Failed("reservation-not-open")


def test_a_calendar_window_starts_empty_and_late_use_belongs_to_the_old_one(ledger: SqliteLedger) -> None:
    today, tomorrow = account(), account(bucket=NOW + DAY)
    reservation = reserve(ledger, hold(60), expires=NOW + 2 * DAY)
    assert standing(ledger, today, tomorrow, now=NOW + DAY) == (60, 0)
    settle(ledger, reservation, 70)
    assert standing(ledger, today, tomorrow, now=NOW + DAY) == (70, 0)


def test_a_rolling_window_sums_its_slices(ledger: SqliteLedger) -> None:
    for slice_ in range(5):
        of = account(bucket=NOW + slice_, since=NOW + slice_ - 2)
        settle(ledger, reserve(ledger, hold(10, of=of), now=NOW + slice_), 10)
    assert standing(ledger, account(since=NOW + 2)) == (30,)
    reserve(ledger, hold(5, of=account(bucket=NOW + 4, since=NOW)), now=NOW + 4)
    assert standing(ledger, account(since=NOW + 4), now=NOW + 4) == (15,)


def test_use_survives_a_reopening_and_a_changed_limit(path: Path) -> None:
    ledger = SqliteLedger(path)
    reservation = reserve(ledger, hold(60))
    ledger.close()
    ledger = SqliteLedger(path)
    assert ledger.reserve(Reserve((hold(1, limit=50),), NOW, NOW + 60)) == Exceeded(
        hold(1, limit=50), used=60, oldest=NOW
    )
    assert settle(ledger, reservation, 40) is None
    assert standing(ledger) == (40,)
    ledger.close()


def test_two_ledgers_on_one_file_see_each_other(path: Path) -> None:
    one, other = SqliteLedger(path), SqliteLedger(path)
    reservation = reserve(one, hold(60))
    assert other.reserve(Reserve((hold(41),), NOW, NOW + 60)) == Exceeded(hold(41), used=60, oldest=NOW)
    assert settle(other, reservation, 10) is None
    assert settle(one, reservation, 10) == Failed("reservation-not-open")
    assert standing(one) == standing(other) == (10,)
    one.close()
    other.close()


def test_memory_holds_a_ledger_too() -> None:
    ledger = SqliteLedger(":memory:")
    settle(ledger, reserve(ledger, hold(60)), 45)
    assert standing(ledger) == (45,)


def test_threads_may_share_a_ledger(ledger: SqliteLedger) -> None:
    def spend_one(_: int) -> Failed | None:
        return settle(ledger, reserve(ledger, hold(1, 200)), 1)

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(spend_one, range(150))) == {None}
    assert standing(ledger) == (150,)


# Limits of the numbers


def test_amounts_are_exact_up_to_the_largest(ledger: SqliteLedger) -> None:
    settle(ledger, reserve(ledger, hold(MAX_AMOUNT, MAX_AMOUNT)), MAX_AMOUNT)
    assert standing(ledger) == (MAX_AMOUNT,)


@pytest.mark.parametrize("refused", [hold(-1), hold(MAX_AMOUNT + 1, MAX_AMOUNT), hold(1, MAX_AMOUNT + 1), hold(2**80)])
def test_what_cannot_be_counted_is_refused(ledger: SqliteLedger, refused: Hold) -> None:
    assert ledger.reserve(Reserve((hold(1), refused), NOW, NOW + 60)) == Failed("amount-out-of-range")
    assert standing(ledger) == (0,)


def test_a_settle_that_cannot_be_booked_leaves_the_hold(ledger: SqliteLedger) -> None:
    reservation = reserve(ledger, hold(60))
    assert settle(ledger, reservation, -1) == Failed("amount-out-of-range")
    assert settle(ledger, reservation, 2**62) == Failed("amount-out-of-range")
    assert settle(ledger, reservation, 1, 2) == Failed("amounts-do-not-match-holds")
    assert standing(ledger) == (60,)
    assert settle(ledger, reservation, 60) is None


def test_a_bucket_beyond_64_bits_fails_and_is_never_a_float(ledger: SqliteLedger) -> None:
    reservations = [reserve(ledger, hold(1)) for _ in range(3)]
    assert [settle(ledger, each, MAX_AMOUNT) for each in reservations] == [
        None,
        None,
        Failed("ledger-constraint-check"),
    ]
    assert standing(ledger) == (2 * MAX_AMOUNT + 1,)


def test_a_window_beyond_64_bits_fails_and_is_never_a_float(ledger: SqliteLedger) -> None:
    for slice_ in range(3):
        of = account(bucket=NOW + slice_)
        assert settle(ledger, reserve(ledger, hold(1, of=of)), MAX_AMOUNT) is None
    assert isinstance(ledger.standing(Standing((account(since=NOW),), NOW)), Failed)
    assert isinstance(ledger.reserve(Reserve((hold(1, of=account(since=NOW)),), NOW, NOW + 60)), Failed)


# Sweeping and reporting


def test_a_sweep_forgets_old_buckets_and_keeps_what_is_held(ledger: SqliteLedger) -> None:
    held, old, young = account("held"), account("old"), account("young", bucket=NOW + DAY)
    reserve(ledger, hold(5, of=held), expires=NOW + 2 * KEEP_SECONDS)
    settle(ledger, reserve(ledger, hold(6, of=old)), 6)
    settle(ledger, reserve(ledger, hold(7, of=young)), 7)
    later = NOW + KEEP_SECONDS + 1
    ledger.sweep(later)
    assert ledger.usage_report(later) == (BucketUse("young", NOW + DAY, 7, 0), BucketUse("held", NOW, 0, 5))


def test_a_sweep_forgets_reservations_that_lapsed_long_ago(ledger: SqliteLedger) -> None:
    reservation = reserve(ledger, hold(5), expires=NOW + 60)
    ledger.sweep(NOW + DAY, keep=DAY)
    assert settle(ledger, reserve(ledger, hold(1)), 1) is None
    ledger.sweep(NOW + 61 + DAY, keep=DAY)
    assert settle(ledger, reservation, 5) == Failed("reservation-not-open")


def test_a_sweep_deletes_a_bounded_number_of_rows(ledger: SqliteLedger) -> None:
    holds = tuple(hold(1, of=account(f"user-{n}")) for n in range(SWEEP_ROWS + 5))
    ledger.settle(Settle(reserve(ledger, *holds), (1,) * len(holds), NOW))
    ledger.sweep(NOW + 2 * DAY, keep=DAY)
    assert len(ledger.usage_report(NOW)) == 5
    ledger.sweep(NOW + 2 * DAY, keep=DAY)
    assert ledger.usage_report(NOW) == ()


def test_the_report_shows_use_and_unexpired_holds_newest_first(ledger: SqliteLedger) -> None:
    settle(ledger, reserve(ledger, hold(6)), 6)
    reserve(ledger, hold(3, of=account(bucket=NOW + DAY)), expires=NOW + 60)
    assert ledger.usage_report(NOW) == (BucketUse("company/usd", NOW + DAY, 0, 3), BucketUse("company/usd", NOW, 6, 0))
    assert ledger.usage_report(NOW + 60, limit=1) == (BucketUse("company/usd", NOW + DAY, 0, 0),)


# Failures of the database


def test_a_locked_file_is_answered_as_a_failure(ledger: SqliteLedger, path: Path) -> None:
    reservation = reserve(ledger, hold(60))
    impatient = SqliteLedger(path, busy_seconds=0.01)
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    assert impatient.reserve(Reserve((hold(1),), NOW, NOW + 60)) == Failed("ledger-busy")
    assert settle(impatient, reservation, 1) == Failed("ledger-busy")
    assert standing(impatient) == (60,)
    with pytest.raises(StoreError, match="ledger-busy"):
        impatient.sweep(NOW)
    writer.execute("ROLLBACK")
    assert settle(impatient, reservation, 1) is None
    writer.close()
    impatient.close()


def test_a_full_disk_fails_whole_reservations_and_nothing_else(ledger: SqliteLedger) -> None:
    ledger._connection.execute("PRAGMA max_page_count = 24")
    granted = 0
    for n in range(1000):
        holds = tuple(hold(1, of=account(f"{kind}-{n}-{'x' * 60}")) for kind in ("usd", "tokens", "calls"))
        answer = ledger.reserve(Reserve(holds, NOW, NOW + 60))
        if isinstance(answer, Failed):
            break
        granted += 1
    assert answer == Failed("ledger-full")
    assert standing(ledger, *(hold.account for hold in holds)) == (0, 0, 0)
    ledger._connection.execute("PRAGMA max_page_count = 1000")
    assert sum(row.held for row in ledger.usage_report(NOW)) == 3 * granted > 0
    reserve(ledger, *holds)


def test_a_closed_ledger_answers_failures(ledger: SqliteLedger) -> None:
    ledger.close()
    assert ledger.standing(Standing((account(),), NOW)) == Failed("ledger-misuse")
    assert ledger.reserve(Reserve((hold(1),), NOW, NOW + 60)) == Failed("ledger-misuse")
    assert settle(ledger, 1, 1) == Failed("ledger-misuse")


# Processes


SPENDING = """
import sys
from pathlib import Path
from costpol.commands import Account, Exceeded, Granted, Hold, Reserve, Settle
from costpol.ledger.sqlite import SqliteLedger
ledger = SqliteLedger(Path(sys.argv[1]), busy_seconds=10)
once = (Hold(Account("acme", 0.0, 0.0, 1000.0), 1, 300, "b"),)
for _ in range(200):
    answer = ledger.reserve(Reserve(once, 0.0, 60.0))
    if isinstance(answer, Granted):
        assert ledger.settle(Settle(answer.reservation, (1,), 0.0)) is None
    else:
        assert isinstance(answer, Exceeded), answer
"""


def test_processes_that_start_together_spend_the_limit_exactly(path: Path) -> None:
    arguments = [sys.executable, "-c", SPENDING, str(path)]
    workers = [subprocess.Popen(arguments, env={"PYTHONPATH": ":".join(sys.path)}) for _ in range(2)]
    assert [worker.wait(60) for worker in workers] == [0, 0]
    ledger = SqliteLedger(path)
    assert ledger.standing(Standing((Account("acme", 0.0, 0.0, 1000.0),), 0.0)) == (300,)
    ledger.close()


KILLED = """
import sys
from pathlib import Path
from costpol.commands import Account, Hold, Reserve, Settle
from costpol.ledger.sqlite import SqliteLedger
ledger = SqliteLedger(Path(sys.argv[1]))
accounts = [Account(name, 0.0, 0.0, 1.0) for name in "abcdef"]
for number in range(10**9):
    granted = ledger.reserve(Reserve(tuple(Hold(a, 7, 10**15, "b") for a in accounts), 0.0, 60.0))
    ledger.settle(Settle(granted.reservation, (3,) * 6, 0.0))
    if number == 0:
        print("started", flush=True)
"""


def test_a_killed_process_leaves_whole_transactions_and_its_hold_lapses(path: Path) -> None:
    for _ in range(3):
        arguments = [sys.executable, "-c", KILLED, str(path)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, env={"PYTHONPATH": ":".join(sys.path)}) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"started\n"
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.1)
            process.send_signal(signal.SIGKILL)
        ledger = SqliteLedger(path)
        rows = ledger.usage_report(now=1.0)
        assert len(rows) == 6
        assert {(row.used, row.held) for row in rows} in ({(rows[0].used, 0)}, {(rows[0].used, 7)})
        assert {row.held for row in ledger.usage_report(now=60.0)} == {0}
        assert ledger._connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        ledger.close()


def test_a_ledger_without_room_says_so_until_it_has_some(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ledger = SqliteLedger(path)
    (pages,) = ledger._connection.execute("PRAGMA page_count").fetchone()
    ledger._connection.execute(f"PRAGMA max_page_count = {pages}")
    wide = [Reserve((hold(1, of=account(f"{number:0>900}")),), NOW, NOW + 60) for number in range(20)]
    assert [reply for reply in map(ledger.reserve, wide) if isinstance(reply, Failed)][-1] == Failed("ledger-full")
    assert ledger.trouble == "the ledger cannot be written: ledger-full"
    ledger._connection.execute(f"PRAGMA max_page_count = {pages + 1000}")
    assert isinstance(ledger.reserve(wide[-1]), Granted)
    assert ledger.trouble is None
    assert [record.message for record in caplog.records] == [
        "the ledger cannot be written: ledger-full", "the ledger can be written again",
    ]  # fmt: skip
    ledger.close()


def test_a_sweep_finds_out_that_there_is_room_again(ledger: SqliteLedger) -> None:
    connection = ledger._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    wide = [Reserve((hold(1, of=account(f"{number:0>900}")),), NOW, NOW + 60) for number in range(20)]
    assert Failed("ledger-full") in list(map(ledger.reserve, wide))
    connection.execute("PRAGMA query_only = ON")  # nothing can be written at all
    with pytest.raises(StoreError):
        ledger.sweep(NOW)
    assert ledger.trouble is not None
    connection.execute("PRAGMA query_only = OFF")
    connection.execute(f"PRAGMA max_page_count = {pages + 1000}")
    rows = ledger.usage_report(NOW)
    ledger.sweep(NOW)
    assert ledger.trouble is None
    assert ledger.usage_report(NOW) == rows


def test_another_process_that_writes_is_no_trouble(path: Path) -> None:
    ledger = SqliteLedger(path, busy_seconds=0.01)
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    assert ledger.reserve(Reserve((hold(1),), NOW, NOW + 60)) == Failed("ledger-busy")
    assert ledger.trouble is None
    writer.close()
    ledger.close()
