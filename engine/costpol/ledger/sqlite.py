"""The ledger in one SQLite file, shared by every process of one host.

A reservation is one transaction that takes the write lock first, so between the check of a limit and the hold nobody
else can spend. INVARIANT: `held` of a bucket is the sum of its live reservations, whenever no transaction is open.

A hold counts in the bucket that its use will be booked under, so settling for exactly what was held changes no sum.
Amounts are whole numbers below 2**62 (4.6 million dollars in picodollars): together with what a window may use,
they fit SQLite's 64 bits.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from dataclasses import dataclass
from itertools import count

import msgspec

from costpol.commands import Account, Exceeded, Failed, Granted, Reserve, Settle, Standing
from costpol.errors import StoreError
from costpol.ledger.database import Place, open_database

MAX_AMOUNT = 2**62 - 1
KEEP_SECONDS = 400 * 86400.0
SWEEP_ROWS = 1000
"""Rows of each table that one sweep deletes at most, to hold the lock briefly."""

_SUM = "SELECT coalesce(sum(used), 0), coalesce(sum(held), 0) FROM use WHERE account = ? AND bucket >= ?"
_OLDEST = """SELECT bucket FROM use WHERE account = ? AND bucket >= ? AND used + held > 0
    ORDER BY bucket LIMIT 1"""
_BOOK = """INSERT INTO use (account, bucket, used, held) VALUES (?, ?, ?, ?)
    ON CONFLICT (account, bucket) DO UPDATE SET used = used + excluded.used, held = held + excluded.held"""
_OPEN = "INSERT INTO reservation (id, expires, live, holds) VALUES (?, ?, 1, ?)"
_FIND = "SELECT holds, live FROM reservation WHERE id = ?"
_CLOSE = "DELETE FROM reservation WHERE id = ?"
_LAPSED = "SELECT id, holds FROM reservation WHERE live = 1 AND expires <= ?"
_LAPSE = "UPDATE reservation SET live = 0 WHERE id = ?"
_SWEEP_RESERVATIONS = """DELETE FROM reservation WHERE id IN
    (SELECT id FROM reservation WHERE live = 0 AND expires < ? LIMIT ?)"""
_SWEEP_USE = """DELETE FROM use WHERE (account, bucket) IN
    (SELECT account, bucket FROM use WHERE bucket < ? AND held = 0 LIMIT ?)"""
_REPORT = "SELECT account, bucket, used, held FROM use ORDER BY bucket DESC, account LIMIT ?"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[tuple[str, float, int]]).decode
_log = logging.getLogger("costpol.ledger")
_PASSING = frozenset({"ledger-busy", "ledger-locked", "ledger-misuse"})


@dataclass(frozen=True, slots=True)
class BucketUse:
    """What one account used, and holds now, in one bucket. Whole picodollars, tokens or calls."""

    account: str
    bucket: float
    used: int
    held: int


class SqliteLedger:
    """Answers `Standing`, `Reserve` and `Settle` from one file, which any number of processes may share.

    Commands are answered in place, in tens of microseconds; another process that writes is waited for at most
    `busy_seconds`. A failure of the database is answered as `Failed("ledger-...")` with SQLite's name for it
    (`ledger-busy`, `ledger-full`) and leaves nothing half done. Raises `ProvisionError` if the file cannot be used.
    """

    def __init__(self, path: Place, busy_seconds: float = 0.25) -> None:
        self._connection, writer = open_database(path, busy_seconds)
        self._lock = threading.Lock()  # a sweep or a report may come from another thread
        self._numbers = count(writer << 40)
        self.trouble: str | None = None
        """Why nothing is granted now; one that is merely busy with another process is well."""

    def standing(self, command: Standing) -> tuple[int, ...] | Failed:
        try:
            with self._lock, self._connection:
                self._lapse(command.now)
                return tuple(self._used(account) for account in command.accounts)
        except sqlite3.Error as error:
            return Failed(_reason(error))

    def reserve(self, command: Reserve) -> Granted | Exceeded | Failed:
        """`Failed("amount-out-of-range")`: an amount is negative, or it or a limit is above `MAX_AMOUNT`."""
        try:
            with self._lock, self._connection as connection:
                connection.execute("BEGIN IMMEDIATE")
                self._lapse(command.now)
                ahead: dict[str, int] = {}
                for hold in command.holds:
                    if not 0 <= hold.amount <= MAX_AMOUNT or hold.limit > MAX_AMOUNT:
                        return Failed("amount-out-of-range")
                    name = hold.account.name
                    used = self._used(hold.account) + ahead.get(name, 0)
                    if used + hold.amount > hold.limit:
                        return Exceeded(hold, used, self._oldest(hold.account))
                    ahead[name] = ahead.get(name, 0) + hold.amount
                number = next(self._numbers)
                kept = [(hold.account.name, hold.account.bucket, hold.amount) for hold in command.holds]
                connection.executemany(_BOOK, [(account, bucket, 0, amount) for account, bucket, amount in kept])
                connection.execute(_OPEN, (number, command.expires, _encode(kept)))
        except sqlite3.Error as error:
            return self._failed(error)
        self._recovered()
        return Granted(number)

    def _oldest(self, account: Account) -> float | None:
        """The start of the oldest slice that counts."""
        row = self._connection.execute(_OLDEST, (account.name, account.since)).fetchone()
        return None if row is None else row[0]

    def settle(self, command: Settle) -> Failed | None:
        """Books the actual use even above the limit, and even after the reservation has lapsed.

        `Failed("reservation-not-open")`: it was settled before, or never made, or lapsed longer ago than sweeps keep.
        """
        if not all(0 <= amount <= MAX_AMOUNT for amount in command.amounts):
            return Failed("amount-out-of-range")
        try:
            with self._lock, self._connection as connection:
                connection.execute("BEGIN IMMEDIATE")
                found = connection.execute(_FIND, (command.reservation,)).fetchone()
                if found is None:
                    return Failed("reservation-not-open")
                holds, live = _decode(found[0]), found[1]
                if len(holds) != len(command.amounts):
                    return Failed("amounts-do-not-match-holds")
                connection.execute(_CLOSE, (command.reservation,))
                pairs = zip(holds, command.amounts, strict=True)
                connection.executemany(
                    _BOOK, [(account, at, used, -held * live) for (account, at, held), used in pairs]
                )
            return None
        except sqlite3.Error as error:
            return self._failed(error)

    def sweep(self, now: float, keep: float = KEEP_SECONDS) -> None:
        """Free what crashed processes held, and forget what ended more than `keep` seconds ago, some rows per call.

        `keep` must be longer than any window and any settle may take. Raises `StoreError`.
        """
        try:
            with self._lock, self._connection as connection:
                connection.execute("BEGIN IMMEDIATE")
                self._lapse(now)
                if self.trouble is not None:  # something to write, which tells whether that can be done again
                    connection.execute(_BOOK, ("", 0.0, 0, 0))
                connection.execute(_SWEEP_RESERVATIONS, (now - keep, SWEEP_ROWS))
                connection.execute(_SWEEP_USE, (now - keep, SWEEP_ROWS))
        except sqlite3.Error as error:
            raise _store_error(error) from error
        self._recovered()

    def usage_report(self, now: float, limit: int = 1000) -> tuple[BucketUse, ...]:
        """The newest buckets first, at most `limit`. Raises `StoreError`."""
        try:
            with self._lock, self._connection as connection:
                self._lapse(now)
                return tuple(BucketUse(*row) for row in connection.execute(_REPORT, (limit,)))
        except sqlite3.Error as error:
            raise _store_error(error) from error

    def close(self) -> None:
        """Commands after this are answered with `Failed`."""
        with self._lock:
            self._connection.close()

    def _failed(self, error: sqlite3.Error) -> Failed:
        reason = _reason(error)
        if reason not in _PASSING:
            if self.trouble is None:
                _log.error("the ledger cannot be written: %s", reason)
            self.trouble = f"the ledger cannot be written: {reason}"
        return Failed(reason)

    def _recovered(self) -> None:
        if self.trouble is not None:
            self.trouble = None
            _log.warning("the ledger can be written again")

    def _used(self, account: Account) -> int:
        used, held = self._connection.execute(_SUM, (account.name, account.since)).fetchone()
        return int(used + held)

    def _lapse(self, now: float) -> None:
        """Stop counting the holds that expired. Their reservations stay, for a late settle."""
        connection = self._connection
        if connection.execute(_LAPSED, (now,)).fetchone() is None:
            return
        if not connection.in_transaction:
            connection.execute("BEGIN IMMEDIATE")
        for number, holds in connection.execute(_LAPSED, (now,)).fetchall():
            connection.execute(_LAPSE, (number,))
            connection.executemany(_BOOK, [(account, bucket, 0, -held) for account, bucket, held in _decode(holds)])


def _reason(error: sqlite3.Error) -> str:
    # An error without a name is the binding's own: the connection is closed.
    name = getattr(error, "sqlite_errorname", "SQLITE_MISUSE")
    return name.replace("SQLITE", "ledger").replace("_", "-").lower()


def _store_error(error: sqlite3.Error) -> StoreError:
    return StoreError(f"the ledger failed: `{_reason(error)}`", "see that its disk has room and no process locks it")
