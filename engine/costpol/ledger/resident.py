"""The ledger of a process that is alone on its file: decided in memory, written to the file a moment later.

The file is the one of `sqlite`, and another process may take it over at any time after this one. What a killed process
loses is the last moment before its death; what a failing disk cannot take stays in memory until it can.

INVARIANT: `held` of a bucket is the sum of its live reservations. What `_dirty`, `_fresh`, `_closed` and `_lapsing`
name is all in which memory and file differ.
"""

from __future__ import annotations

import heapq
import logging
import sqlite3
from collections.abc import Callable
from itertools import count
from pathlib import Path

import msgspec

from costpol.commands import Account, Exceeded, Failed, Granted, Reserve, Settle, Standing
from costpol.ledger.claim import Claim
from costpol.ledger.database import open_database
from costpol.ledger.sqlite import KEEP_SECONDS, MAX_AMOUNT, BucketUse, SqliteLedger

Defer = Callable[[Callable[[], None]], object]
"""Calls what it is given, in a moment, on the thread that uses the ledger."""

_MAX_ACCOUNTS = 100_000
_RETRY_SECONDS = 1.0
_CLOSED = "ledger-misuse"

_LOAD = "SELECT bucket, used, held FROM use WHERE account = ? AND bucket >= ?"
_LOAD_ONE = "SELECT used, held FROM use WHERE account = ? AND bucket = ?"
_LOAD_RESERVATIONS = "SELECT id, expires, live, holds FROM reservation"
_WRITE = """INSERT INTO use (account, bucket, used, held) VALUES (?, ?, ?, ?)
    ON CONFLICT (account, bucket) DO UPDATE SET used = excluded.used, held = excluded.held"""
_OPEN = "INSERT INTO reservation (id, expires, live, holds) VALUES (?, ?, ?, ?)"
_CLOSE = "DELETE FROM reservation WHERE id = ?"
_LAPSE = "UPDATE reservation SET live = 0 WHERE id = ?"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[tuple[str, float, int]]).decode
_log = logging.getLogger("costpol.ledger")


class _Buckets:
    """One account: used and held per bucket, from `floor` on; `since` is where its window began last."""

    __slots__ = ("buckets", "floor", "since")

    def __init__(self, since: float) -> None:
        self.buckets: dict[float, list[int]] = {}
        self.floor = self.since = since


class _Reservation:
    """What was granted; `live` until it lapses."""

    __slots__ = ("expires", "holds", "live")

    def __init__(self, expires: float, holds: list[tuple[str, float, int]], live: bool) -> None:
        self.expires, self.holds, self.live = expires, holds, live


class ResidentLedger:
    """Answers `Standing`, `Reserve` and `Settle` in a few microseconds, as `SqliteLedger` would. For one thread.

    `defer` decides for how long bookings wait to be written together. While the file cannot be written, nothing is
    granted (`Failed`, with SQLite's name for the reason), but settlements are taken. Raises `StoreLockedError` where
    another process uses the ledger, and `ProvisionError` where the file cannot be used.
    """

    def __init__(self, path: Path, defer: Defer, busy_seconds: float = 0.25) -> None:
        self._claim = Claim(path, shared=False)
        try:
            self._connection, writer = open_database(path, busy_seconds)
            self._file = SqliteLedger(path, busy_seconds)
        except BaseException:
            self._claim.release()
            raise
        self._numbers = count(writer << 40)
        self._defer = defer
        self._waiting = False
        self._failure: str | None = None
        self._retry = 0.0
        self._accounts: dict[str, _Buckets] = {}
        self._reservations: dict[int, _Reservation] = {}
        self._expiries: list[tuple[float, int]] = []
        self._dirty: set[tuple[str, float]] = set()
        self._fresh: set[int] = set()
        self._closed: list[tuple[int]] = []
        self._lapsing: list[tuple[int]] = []
        for number, expires, live, holds in self._connection.execute(_LOAD_RESERVATIONS):
            self._reservations[number] = _Reservation(expires, _decode(holds), bool(live))
            if live:
                heapq.heappush(self._expiries, (expires, number))

    @property
    def trouble(self) -> str | None:
        """Why nothing is granted now."""
        return None if self._failure in (None, _CLOSED) else f"the ledger cannot be written: {self._failure}"

    def standing(self, command: Standing) -> tuple[int, ...] | Failed:
        """How much is used and held in each account now."""
        if self._failure == _CLOSED:
            return Failed(_CLOSED)
        try:
            if self._expiries and self._expiries[0][0] <= command.now:
                self._lapse(command.now)
            return tuple([self._used(account) for account in command.accounts])
        except sqlite3.Error as error:
            return Failed(_reason(error))

    def reserve(self, command: Reserve) -> Granted | Exceeded | Failed:
        """`Failed("amount-out-of-range")`: an amount is negative, or it or a limit is above `MAX_AMOUNT`."""
        if self._failure is not None and not self._recovers(command.now):
            return Failed(self._failure or _CLOSED)
        try:
            if self._expiries and self._expiries[0][0] <= command.now:
                self._lapse(command.now)
            ahead: dict[str, int] = {}
            for hold in command.holds:
                amount, name = hold.amount, hold.account.name
                if not 0 <= amount <= MAX_AMOUNT or hold.limit > MAX_AMOUNT:
                    return Failed("amount-out-of-range")
                used = self._used(hold.account) + ahead.get(name, 0)
                if used + amount > hold.limit:
                    return Exceeded(hold, used, self._oldest(hold.account))
                ahead[name] = ahead.get(name, 0) + amount
            holds = []
            for hold in command.holds:
                account = hold.account
                holds.append((account.name, account.bucket, hold.amount))
                self._book(account.name, account.bucket, 0, hold.amount)
        except sqlite3.Error as error:
            return Failed(_reason(error))
        number = next(self._numbers)
        self._reservations[number] = _Reservation(command.expires, holds, live=True)
        self._fresh.add(number)
        heapq.heappush(self._expiries, (command.expires, number))
        self._write_later()
        return Granted(number)

    def _oldest(self, account: Account) -> float | None:
        """The start of the oldest slice that counts."""
        buckets = self._accounts[account.name].buckets
        return min((at for at, row in buckets.items() if at >= account.since and any(row)), default=None)

    def settle(self, command: Settle) -> Failed | None:
        """Books the actual use even above the limit, and even after the reservation has lapsed.

        `Failed("reservation-not-open")`: it was settled before, or never made, or lapsed longer ago than sweeps keep.
        """
        if self._failure == _CLOSED:
            return Failed(_CLOSED)
        for amount in command.amounts:
            if not 0 <= amount <= MAX_AMOUNT:
                return Failed("amount-out-of-range")
        reservation = self._reservations.get(command.reservation)
        if reservation is None:
            return Failed("reservation-not-open")
        if len(reservation.holds) != len(command.amounts):
            return Failed("amounts-do-not-match-holds")
        try:
            rows = [self._bucket(name, bucket) for name, bucket, _ in reservation.holds]
        except sqlite3.Error as error:
            return Failed(_reason(error))
        most = 2 * MAX_AMOUNT - sum(command.amounts)
        for row in rows:
            if row[0] > most:
                return Failed("amount-out-of-range")
        for row, (name, bucket, held), used in zip(rows, reservation.holds, command.amounts, strict=True):
            row[0] += used
            row[1] -= held if reservation.live else 0
            self._dirty.add((name, bucket))
        self._forget(command.reservation)
        self._write_later()
        return None

    def sweep(self, now: float, keep: float = KEEP_SECONDS) -> None:
        """Free what crashed processes held, and forget what ended more than `keep` seconds ago.

        `keep` must be longer than any window and any settle may take. Raises `StoreError`.
        """
        self._lapse(now)
        self.write()
        if self._failure is None:
            for number in [n for n, r in self._reservations.items() if not r.live and r.expires < now - keep]:
                del self._reservations[number]
            self._prune()
        self._file.sweep(now, keep)

    def usage_report(self, now: float, limit: int = 1000) -> tuple[BucketUse, ...]:
        """The newest buckets first, at most `limit`. Raises `StoreError`."""
        self._lapse(now)
        self.write()
        return self._file.usage_report(now, limit)

    def write(self) -> None:
        """Write everything that the file does not have yet. A failure is logged, and remembered."""
        self._waiting = False
        if self._failure == _CLOSED or not (self._dirty or self._fresh or self._closed or self._lapsing):
            return
        try:
            self._write()
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.rollback()
            if self._failure is None:
                _log.error("the ledger cannot be written: %s; nothing is granted until it can", _reason(error))
            self._failure = _reason(error)
        else:
            if self._failure is not None:
                _log.warning("the ledger can be written again")
            self._failure = None
            for changes in (self._dirty, self._fresh, self._closed, self._lapsing):
                changes.clear()
            self._forget_expiries()

    def close(self) -> None:
        """Write everything, and let others have the file. Commands after this are answered with `Failed`."""
        self.write()
        self._failure, self._retry = _CLOSED, float("inf")
        self._connection.close()
        self._file.close()
        self._claim.release()

    def _write(self) -> None:
        connection, accounts = self._connection, self._accounts
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(_WRITE, [(name, at, *accounts[name].buckets[at]) for name, at in self._dirty])
        if self._fresh:
            made = [(number, self._reservations[number]) for number in self._fresh]
            connection.executemany(_OPEN, [(n, r.expires, int(r.live), _encode(r.holds)) for n, r in made])
        if self._closed:
            connection.executemany(_CLOSE, self._closed)
        if self._lapsing:
            connection.executemany(_LAPSE, self._lapsing)
        connection.execute("COMMIT")

    def _write_later(self) -> None:
        # While the file fails, a write is tried once in a while only: each try may block.
        if not self._waiting and self._failure is None:
            self._waiting = True
            self._defer(self.write)

    def _recovers(self, now: float) -> bool:
        """Whether the file can be written again; asked once in a while."""
        if now >= self._retry and self._failure != _CLOSED:
            self._retry = now + _RETRY_SECONDS
            self.write()
        return self._failure is None

    def _used(self, account: Account) -> int:
        known = self._accounts.get(account.name)
        since = account.since
        if known is None or since < known.floor:
            known = self._load(account.name, since)
        known.since = since
        total = 0
        for at, (used, held) in known.buckets.items():
            if at >= since:
                total += used + held
        return total

    def _load(self, name: str, since: float) -> _Buckets:
        """An account from the file, with what memory knows better."""
        loaded = _Buckets(since)
        for at, used, held in self._connection.execute(_LOAD, (name, since)):
            loaded.buckets[at] = [used, held]
        if name in self._accounts:
            loaded.buckets |= self._accounts[name].buckets
        self._accounts[name] = loaded
        return loaded

    def _bucket(self, name: str, at: float) -> list[int]:
        known = self._accounts.get(name) or self._load(name, at)
        row = known.buckets.get(at)
        if row is None:
            found = self._connection.execute(_LOAD_ONE, (name, at)).fetchone() if at < known.floor else None
            row = known.buckets[at] = list(found or (0, 0))
        return row

    def _book(self, name: str, at: float, used: int, held: int) -> None:
        row = self._bucket(name, at)
        row[0] += used
        row[1] += held
        self._dirty.add((name, at))

    def _lapse(self, now: float) -> None:
        """Stop counting the holds that expired. Their reservations stay, for a late settle."""
        while self._expiries and self._expiries[0][0] <= now:
            _, number = heapq.heappop(self._expiries)
            reservation = self._reservations.get(number)
            if reservation is None:
                continue
            reservation.live = False
            for name, bucket, held in reservation.holds:
                self._book(name, bucket, 0, -held)
            if number not in self._fresh:
                self._lapsing.append((number,))
            self._write_later()

    def _forget(self, number: int) -> None:
        del self._reservations[number]
        if number in self._fresh:
            self._fresh.remove(number)
        else:
            self._closed.append((number,))

    def _forget_expiries(self) -> None:
        """Most reservations are settled long before they expire: drop their expiries when they are the greater part."""
        if len(self._expiries) > 2 * len(self._reservations) + 1000:
            self._expiries = [(r.expires, number) for number, r in self._reservations.items() if r.live]
            heapq.heapify(self._expiries)

    def _prune(self) -> None:
        """Drop from memory what windows have left behind; all of it is in the file."""
        if len(self._accounts) > _MAX_ACCOUNTS:
            self._accounts.clear()
        for known in self._accounts.values():
            if known.since > known.floor:
                known.buckets = {at: row for at, row in known.buckets.items() if at >= known.since}
                known.floor = known.since


def _reason(error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", "SQLITE_MISUSE")
    return name.replace("SQLITE", "ledger").replace("_", "-").lower()
