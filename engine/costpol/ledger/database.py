"""The file of the ledger: opened privately, checked to be ours, made on first use.

    use          what each account used and holds, per bucket; `held` is the sum of its live reservations
    reservation  what was granted and not settled yet; `live` until it lapses, then kept for a late settle
    writer       one row per opening, so that every opening issues reservation numbers of its own

Every change is one transaction of WAL: a process killed anywhere leaves it wholly done or wholly undone.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import time
from pathlib import Path
from typing import Literal

from costpol.errors import ProvisionError

Place = Path | Literal[":memory:"]

VERSION = 1
APPLICATION = 0x63706F6C
"""`cpol`, in the header of the file."""
OPEN_SECONDS = 5.0
"""How long an opening waits for others that open the same file."""
PAGE_BYTES = 1024
"""A commit writes whole pages: small ones make a reservation up to a sixth faster than SQLite's 4096."""
CHECKPOINT_PAGES = 4096
"""The commit that finds the log this long folds it into the file, which takes a millisecond or more."""

_SCHEMA = (
    # Without the checks a sum beyond 64 bits would silently become a float.
    """CREATE TABLE use (
        account TEXT NOT NULL, bucket REAL NOT NULL,
        used INTEGER NOT NULL CHECK (typeof(used) = 'integer'),
        held INTEGER NOT NULL CHECK (typeof(held) = 'integer'),
        PRIMARY KEY (account, bucket)) WITHOUT ROWID""",
    "CREATE INDEX use_by_bucket ON use (bucket)",
    """CREATE TABLE reservation (
        id INTEGER PRIMARY KEY, expires REAL NOT NULL, live INTEGER NOT NULL, holds BLOB NOT NULL)""",
    "CREATE INDEX reservation_by_expiry ON reservation (live, expires)",
    "CREATE TABLE writer (number INTEGER PRIMARY KEY)",
    f"PRAGMA application_id = {APPLICATION}",
    f"PRAGMA user_version = {VERSION}",
)

# One statement, so that a file which another process is just making is seen before or after, never between.
_IDENTITY = """SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master)
    FROM pragma_application_id, pragma_user_version"""


def open_database(path: Place, busy_seconds: float) -> tuple[sqlite3.Connection, int]:
    """The connection and the number of this opening. Raises `ProvisionError`."""
    try:
        if path != ":memory:":
            _create_private(Path(path))
        with contextlib.ExitStack() as unless_sound:
            connection = sqlite3.connect(path, timeout=OPEN_SECONDS, isolation_level=None, check_same_thread=False)
            unless_sound.callback(connection.close)
            _check_ours(connection, path)
            writer = _prepare(connection, path)
            connection.execute(f"PRAGMA busy_timeout = {round(busy_seconds * 1000)}")
            unless_sound.pop_all()
        return connection, writer
    except (OSError, sqlite3.Error) as error:
        if getattr(error, "sqlite_errorname", "") == "SQLITE_NOTADB":
            raise ProvisionError(f"`{path}` is not a ledger", "move it away, or name another file") from error
        full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
        if full or getattr(error, "sqlite_errorname", "") == "SQLITE_FULL":
            raise ProvisionError(
                f"the ledger `{path}` cannot be opened: its disk is full",
                "make room there, or name a data folder on another disk",
            ) from error
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise ProvisionError(
            f"the ledger `{path}` cannot be opened: {reason}",
            "name a file in a local folder that this user may write to, and that no other program locks",
        ) from error


def _create_private(path: Path) -> None:
    """An empty file that only its owner may read; SQLite gives its side files the same mode.

    A file that exists is left alone: opening and closing it here would drop the locks of this process on it.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _check_ours(connection: sqlite3.Connection, path: Place) -> None:
    """Before anything is written: a file of another program, or of a later version, stays as it is."""
    application, version, tables = connection.execute(_IDENTITY).fetchone()
    if application != APPLICATION and (application or tables):
        raise ProvisionError(f"`{path}` is the database of another program", "name another file for the ledger")
    if version > VERSION:
        raise ProvisionError(
            f"the ledger `{path}` has format {version}, this version reads up to {VERSION}",
            "upgrade costpol, or name another file for the ledger",
        )


def _switch_to_wal(connection: sqlite3.Connection) -> str:
    """The mode it is in afterwards. Two that switch a new file together would wait for each other for ever: SQLite
    tells one of them at once that the file is locked, whatever its timeout, so that one tries again."""
    tries = 100
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            tries -= 1
            if not tries or error.sqlite_errorname != "SQLITE_BUSY":
                raise
            time.sleep(OPEN_SECONDS / 100)
        else:
            return str(mode)


def _prepare(connection: sqlite3.Connection, path: Place) -> int:
    """WAL, the tables where they are missing, and the number of this opening."""
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    mode = _switch_to_wal(connection)
    if mode != "wal" and path != ":memory:":
        raise ProvisionError(
            f"the file system of the ledger `{path}` cannot share memory between processes",
            "put the ledger on a local disk",
        )
    # NORMAL survives the death of a process; a power cut may take back the last commits, whole.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("PRAGMA user_version").fetchone() == (0,):
            for statement in _SCHEMA:
                connection.execute(statement)
        connection.execute("INSERT INTO writer DEFAULT VALUES")
        (writer,) = connection.execute("SELECT last_insert_rowid()").fetchone()
    return int(writer)
