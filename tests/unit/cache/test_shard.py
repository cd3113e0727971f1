"""The engine behind few calls."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from costpol.cache.shard import RESERVE_BYTES, Shard
from costpol.errors import StoreError

AXES = np.eye(4, dtype=np.float32)


def uuid(number: int) -> str:
    return str(UUID(int=number))


def test_filters_are_hard_and_every_point_can_be_walked(tmp_path: Path) -> None:
    shard = Shard.create(tmp_path / "s", 4, keywords=("colour",), numbers=("until",))
    shard.put([(uuid(n), AXES[n % 4], {"colour": "red" if n % 2 else "blue", "until": n}) for n in range(2500)])
    shard.put([(uuid(9999), None, {"colour": "red", "until": 10_000})])
    found = shard.nearest(AXES[0], 5000, equal=("colour", "red"), above=("until", 1000.0))
    assert {UUID(str(id)).int for id, _ in found} == {n for n in range(1001, 2500) if n % 2}
    walked = dict(shard.walk(["until"]))
    assert len(walked) == 2501
    assert walked[uuid(7)] == {"until": 7}
    shard.delete([uuid(n) for n in range(2500)])
    assert [id for id, _ in shard.walk([])] == [uuid(9999)]
    shard.close()


def test_an_unknown_point_has_no_payload(tmp_path: Path) -> None:
    shard = Shard.create(tmp_path / "s", 4)
    assert shard.read(uuid(1)) is None
    shard.put([(uuid(1), AXES[0], {"a": 1})])
    assert shard.read(uuid(1)) == {"a": 1}
    shard.close()


def test_what_the_engine_refuses_is_a_store_error_of_one_line(tmp_path: Path) -> None:
    shard = Shard.create(tmp_path / "s", 4)
    with pytest.raises(StoreError, match="dimension"):
        shard.put([(uuid(1), AXES[0][:2], {})])
    with pytest.raises(StoreError) as refused:
        shard.put([(uuid(1), None, {"a": "\ud800"})])
    assert "\n" not in refused.value.message
    shard.close()
    with pytest.raises(StoreError):
        shard.flush()
    with pytest.raises(StoreError, match="does not exist"):
        Shard.load(tmp_path / "none")


def test_a_full_disk_refuses_what_writes_and_still_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shard = Shard.create(tmp_path / "s", 4)
    other = Shard.create(tmp_path / "o", 4)
    shard.put([(uuid(1), AXES[0], {"a": 1})])

    real = os.statvfs(tmp_path)
    full = os.statvfs_result((*real[:4], RESERVE_BYTES // real.f_frsize - 1, *real[5:]))
    monkeypatch.setattr("costpol.cache.shard.os.statvfs", lambda path: full)
    writes: list[Callable[[], object]] = [
        lambda: shard.put([(uuid(2), AXES[1], {})]),
        lambda: shard.delete([uuid(1)]),
        lambda: shard.copy(other, None, 10),
        lambda: Shard.create(tmp_path / "n", 4),
    ]
    for write in writes:
        with pytest.raises(StoreError, match=r"^the disk of `.*` is full: 16 MiB must stay free"):
            write()
    assert shard.read(uuid(1)) == {"a": 1}
    assert [str(id) for id, _ in shard.nearest(AXES[0], 5)] == [uuid(1)]

    monkeypatch.undo()
    shard.put([(uuid(2), AXES[1], {})])
    assert len(dict(shard.walk([]))) == 2
    shard.close()
    other.close()
