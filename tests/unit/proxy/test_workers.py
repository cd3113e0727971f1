from __future__ import annotations

import os
from pathlib import Path

from costpol.proxy.workers import make_metrics_folder


def test_a_metrics_folder_goes_once_its_process_is_gone(tmp_path: Path) -> None:
    used, lock = make_metrics_folder(tmp_path)
    other, second = make_metrics_folder(tmp_path)
    assert used.exists()
    os.close(lock)
    third, last = make_metrics_folder(tmp_path)
    assert not used.exists()
    assert other.exists()
    assert third.stat().st_mode & 0o077 == 0
    os.close(second)
    os.close(last)


def test_a_metrics_folder_is_not_on_the_disk_of_the_data(tmp_path: Path) -> None:
    folder, lock = make_metrics_folder()
    try:
        assert tmp_path not in folder.parents
    finally:
        os.close(lock)
        (folder / "lock").unlink()
        folder.rmdir()
