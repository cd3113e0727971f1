from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from costpol.commands import Account, Failed, Granted, Hold, Reserve, Settle, Standing
from costpol.errors import StoreLockedError
from costpol.runtime.stores import open_stores

ACCOUNT = Account("a/usd/", 0.0, 0.0, 100.0)


def test_what_was_spent_outlives_the_process(tmp_path: Path) -> None:
    stores = open_stores(tmp_path)
    granted = stores.ledger.reserve(Reserve((Hold(ACCOUNT, 5, 10, "a"),), 1.0, 50.0))
    assert isinstance(granted, Granted)
    stores.ledger.settle(Settle(granted.reservation, (4,), 1.0))
    stores.close()
    again = open_stores(tmp_path)
    assert again.ledger.standing(Standing((ACCOUNT,), 2.0)) == (4,)
    again.close()


def test_a_cache_is_opened_once_and_closed_with_its_last_user(tmp_path: Path) -> None:
    stores = open_stores(tmp_path)
    first = stores.acquire_cache("e/1/8", 8, 100)
    assert stores.acquire_cache("e/1/8", 8, 50) is first
    assert first.max_entries == 100, "one that is open stays as it is"
    stores.release_cache("e/1/8")
    stores.release_cache("e/1/8")
    assert stores.acquire_cache("e/1/8", 8, 100) is not first
    stores.close()


def test_only_the_judge_that_is_kept_learns_and_writes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    stores = open_stores(tmp_path)
    first = stores.judge("e/1/8", 8, "one", 0.9)
    first.state.stored = 1
    first.state.cut("faq", 0.01)
    tried = stores.judge("e/1/8", 8, "two", 0.9)
    assert "template version `one`, not `two`" in caplog.text, "what was only in memory is not forgotten in silence"
    stores.keep_judge(first)
    assert stores.judge("e/1/8", 8, "one", 0.9) is first
    assert stores.judge("e/1/8", 8, "two", 0.9) is not tried
    second = stores.judge("e/1/8", 8, "two", 0.9)
    stores.keep_judge(second)
    assert stores.learned() == []
    second.state.stored = 2
    second.save()
    first.save()  # a request that began with it may still end
    stores.close()
    again = open_stores(tmp_path)
    assert again.judge("e/1/8", 8, "two", 0.9).state.stored == 2
    again.close()


def test_upkeep_writes_what_was_learned(tmp_path: Path) -> None:
    stores = open_stores(tmp_path)
    judge = stores.judge("e/1/8", 8, "one", 0.9)
    judge.fit_elsewhere = lambda work, then: work()
    judge.state.words.texts = 1
    stores.sweep(1.0)
    assert judge.path is not None
    assert judge.path.exists()
    stores.close()


def test_a_data_folder_is_for_one_process_or_for_workers(tmp_path: Path) -> None:
    alone = open_stores(tmp_path)
    for worker in (None, 1):
        with pytest.raises(StoreLockedError):
            open_stores(tmp_path, worker)
    alone.close()
    workers = [open_stores(tmp_path, number) for number in (1, 2)]
    with pytest.raises(StoreLockedError):
        open_stores(tmp_path)
    for stores in workers:
        stores.acquire_cache("e/1/8", 8, 100)
        stores.close()
    open_stores(tmp_path).close()


def test_upkeep_pays_what_is_owed_and_frees_lapsed_holds(tmp_path: Path) -> None:
    stores = open_stores(tmp_path)
    first = stores.ledger.reserve(Reserve((Hold(ACCOUNT, 5, 10, "a"),), 1.0, 50.0))
    stores.ledger.reserve(Reserve((Hold(ACCOUNT, 5, 10, "a"),), 1.0, 20.0))
    assert isinstance(first, Granted)
    stores.unsettled.add(Settle(first.reservation, (3,), 1.0), "ledger-busy")
    stores.sweep(30.0)
    assert not stores.unsettled.waiting
    assert stores.ledger.standing(Standing((ACCOUNT,), 30.0)) == (3,)
    stores.close()


def test_closing_settles_what_is_owed(tmp_path: Path) -> None:
    stores = open_stores(tmp_path)
    granted = stores.ledger.reserve(Reserve((Hold(ACCOUNT, 5, 10, "a"),), 1.0, 50.0))
    assert isinstance(granted, Granted)
    stores.unsettled.add(Settle(granted.reservation, (2,), 1.0), "ledger-busy")
    stores.close()
    assert isinstance(stores.ledger.settle(Settle(granted.reservation, (2,), 1.0)), Failed)
    assert not stores.scratch.exists()


def test_what_a_killed_process_left_behind_is_removed(tmp_path: Path) -> None:
    killed = open_stores(tmp_path)
    killed.scratch_folder()
    killed.ledger.close()
    again = open_stores(tmp_path)
    assert not list(again.scratch.iterdir())
    again.close()


def test_a_full_disk_shows_and_so_does_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stores = open_stores(tmp_path)
    stores.acquire_cache("e/1/8", 8, 100)
    stores.sweep(1.0)
    assert stores.troubles() == {}
    real = os.statvfs(tmp_path)
    with monkeypatch.context() as full:
        full.setattr("os.statvfs", lambda path: os.statvfs_result((*real[:4], 3, *real[5:])))
        for now in (2.0, 3.0, 4.0):
            stores.sweep(now)
        troubles = stores.troubles()
    assert troubles["disk"] == f"the disk of `{tmp_path}` is full: {3 * real.f_frsize:,} bytes are free"
    assert "16 MiB must stay free" in troubles["cache"]
    stores.sweep(5.0)
    assert stores.troubles() == {}
    assert [record.message.partition(":")[0] for record in caplog.records] == ["disk", "cache"] * 2
    stores.close()


def test_a_ledger_that_cannot_be_written_shows(tmp_path: Path) -> None:
    stores = open_stores(tmp_path)
    writer = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    stores.ledger.reserve(Reserve((Hold(ACCOUNT, 5, 10, "a"),), 1.0, 50.0))
    assert stores.troubles() == {"ledger": "the ledger cannot be written: ledger-busy"}
    writer.execute("ROLLBACK")
    writer.close()
    stores.sweep(2.0)
    assert stores.troubles() == {}
    stores.close()
