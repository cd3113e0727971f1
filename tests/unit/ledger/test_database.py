"""Which files become a ledger, and what the others are told."""

from __future__ import annotations

import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest

from costpol.errors import ProvisionError
from costpol.ledger.database import VERSION, open_database


def open_once(path: Path) -> int:
    connection, writer = open_database(path, 0.25)
    connection.close()
    return writer


def refusal(path: Path) -> ProvisionError:
    with pytest.raises(ProvisionError) as caught:
        open_database(path, 0.25)
    assert str(path) in caught.value.message
    assert caught.value.help
    return caught.value


def test_a_new_file_and_its_side_files_belong_to_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "ledger.db"
    with closing(open_database(path, 0.25)[0]):
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {"ledger.db": 0o600, "ledger.db-wal": 0o600, "ledger.db-shm": 0o600}


def test_every_opening_has_its_own_number(tmp_path: Path) -> None:
    assert [open_once(tmp_path / "ledger.db") for _ in range(3)] == [1, 2, 3]


def test_openings_at_the_same_moment_make_one_ledger(tmp_path: Path) -> None:
    path, numbers = tmp_path / "ledger.db", []
    threads = [threading.Thread(target=lambda: numbers.append(open_once(path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(1, 9))


def test_commits_are_those_of_a_write_ahead_log(tmp_path: Path) -> None:
    with closing(open_database(tmp_path / "ledger.db", 0.25)[0]) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (1,)
        assert connection.execute("PRAGMA busy_timeout").fetchone() == (250,)


def test_a_file_from_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    open_once(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = path.read_bytes()
    assert "upgrade costpol" in str(refusal(path).help)
    assert path.read_bytes() == before


@pytest.mark.parametrize("mark", ["CREATE TABLE theirs (id)", "PRAGMA application_id = 7"])
def test_the_database_of_another_program_is_refused_and_left_as_it_is(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(mark)
    before = path.read_bytes()
    assert "another program" in refusal(path).message
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("kind: budgets\n" * 100)
    assert "is not a ledger" in refusal(path).message
    assert path.read_text() == "kind: budgets\n" * 100


def test_a_place_that_cannot_hold_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be opened: not a directory" in refusal(tmp_path / "file" / "sub" / "ledger.db").message
    assert "cannot be opened" in refusal(tmp_path).message


def test_a_refused_file_is_not_kept_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def remember(*arguments: object, **options: object) -> sqlite3.Connection:
        opened.append(connect(*arguments, **options))  # type: ignore[call-overload]
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", remember)
    (tmp_path / "notes.txt").write_text("not a database, but long enough to be looked at" * 20)
    refusal(tmp_path / "notes.txt")
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[0].execute("SELECT 1")
