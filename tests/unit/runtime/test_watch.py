from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest

from costpol.runtime.watch import FolderHint


def test_a_change_in_the_folder_is_hinted_at(tmp_path: Path) -> None:
    hinted = threading.Event()
    hint = FolderHint(tmp_path, hinted.set)
    hint.start()
    (tmp_path / "a.yaml").write_text("x")
    assert hinted.wait(5)
    hint.stop()


def test_reading_the_folder_is_no_change(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("x")
    hinted = threading.Event()
    hint = FolderHint(tmp_path, hinted.set)
    hint.start()
    (tmp_path / "a.yaml").read_text()
    assert not hinted.wait(0.2)
    hint.stop()


def test_a_folder_that_cannot_be_watched_is_only_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    hint = FolderHint(tmp_path / "nowhere", lambda: None)
    with caplog.at_level(logging.WARNING, "costpol.reload"):
        hint.start()
        hint.supervise()
    assert len(caplog.records) == 1
    assert "polling only" in caplog.text


def test_a_dead_watcher_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    hint = FolderHint(tmp_path, lambda: None)
    hint.start()
    assert hint._observer is not None
    hint._observer.stop()
    hint._observer.join(5)
    with caplog.at_level(logging.WARNING, "costpol.reload"):
        hint.supervise()
        hint.supervise()
    assert len(caplog.records) == 1
