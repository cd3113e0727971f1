"""Who may open a collection, and what it refuses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import costpol
from costpol.cache.collection import folder_name
from costpol.cache.edge import open_cache
from costpol.commands import Entry, Hit, LookupExact, Scope, Store
from costpol.errors import ProvisionError, StoreLockedError

GLOBAL = Scope("global", "global")
KEPT = Entry("p", "q", GLOBAL, "faq", "", b"{}", "m", 0.0, 10.0, 1)
VECTOR = np.eye(4, dtype=np.float32)[0]


def filled(directory: Path, embedder: str = "static-en@1") -> Path:
    """A collection with one entry; its folder."""
    cache = open_cache(directory, embedder, 4)
    cache.store(Store(KEPT, VECTOR))
    cache.close()
    return directory / folder_name(embedder)


def test_another_embedder_is_another_collection(tmp_path: Path) -> None:
    filled(tmp_path, "static-en@1")
    other = open_cache(tmp_path, "static-en@2", 8)
    assert other.count() == 0
    other.close()
    again = open_cache(tmp_path, "static-en@1", 4)
    assert again.lookup_exact(LookupExact("p", "q", GLOBAL, 1.0)) == Hit(KEPT, 1.0)
    again.close()


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_folder_name_is_one_plain_path_segment(embedder: str) -> None:
    name = folder_name(embedder)
    assert name.isascii()
    assert name.replace("-", "").isalnum()
    assert len(name) <= 49


def test_names_that_read_alike_have_different_folders() -> None:
    assert len({folder_name(name) for name in ("a/b", "a-b", "A-b", "a:b", "a  b", "-a-b-")}) == 6


def test_a_changed_dimension_is_refused_with_what_to_do(tmp_path: Path) -> None:
    place = filled(tmp_path)
    with pytest.raises(ProvisionError) as refused:
        open_cache(tmp_path, "static-en@1", 8)
    assert "4 dimensions" in refused.value.message
    assert f"mv '{place}'" in (refused.value.help or "")
    open_cache(tmp_path, "static-en@1", 4).close()


def test_a_format_of_another_version_is_refused(tmp_path: Path) -> None:
    place = filled(tmp_path)
    manifest = place / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "format": 99}))
    with pytest.raises(ProvisionError, match="format 99"):
        open_cache(tmp_path, "static-en@1", 4)


@pytest.mark.parametrize(
    "damage",
    [
        lambda place: (place / "manifest.json").unlink(),
        lambda place: (place / "manifest.json").write_text("{"),
        lambda place: (place / "manifest.json").write_text('{"unknown": 1}'),
        lambda place: shutil.rmtree(place / "shard-1"),
        lambda place: (place / "shard-1" / "edge_config.json").write_text("{"),
        lambda place: next(place.glob("shard-1/segments/*/segment.json")).unlink(),
        lambda place: os.truncate(next(place.glob("shard-1/**/vectors/status.dat")), 1),
        lambda place: next(place.glob("shard-1/**/payload_storage/page_0.dat")).write_bytes(b"\xa5" * 2**20),
    ],
    ids=["no manifest", "torn manifest", "odd manifest", "no shard", "config", "segment", "panic", "payloads"],
)
def test_a_damaged_collection_is_refused_and_left_as_it_is(tmp_path: Path, damage: object) -> None:
    place = filled(tmp_path)
    damage(place)  # type: ignore[operator]
    # The engine itself starts its journals anew whenever it reads a shard.
    files = {path for path in place.rglob("*") if path.is_file() and "journal" not in path.name}
    for _ in range(2):  # the second time shows that the first let go of the lock
        with pytest.raises(ProvisionError) as refused:
            open_cache(tmp_path, "static-en@1", 4)
        assert not isinstance(refused.value, StoreLockedError)
        assert "damaged" in refused.value.message
        assert f"mv '{place}' '{place}.damaged'" in (refused.value.help or "")
    assert files <= set(place.rglob("*"))
    place.rename(f"{place}.damaged")
    open_cache(tmp_path, "static-en@1", 4).close()


def test_what_a_killed_build_left_behind_is_built_anew(tmp_path: Path) -> None:
    unfinished = tmp_path / f"{folder_name('e')}.new" / "shard-1"
    unfinished.mkdir(parents=True)
    (unfinished / "edge_config.json").write_text("{")
    cache = open_cache(tmp_path, "e", 4)
    assert cache.store(Store(KEPT, VECTOR)) is None
    cache.close()


def test_a_folder_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ProvisionError, match="cannot use the folder"):
        open_cache(tmp_path / "file" / "cache", "e", 4)


def test_a_second_opening_names_the_holder(tmp_path: Path) -> None:
    cache = open_cache(tmp_path, "e", 4)
    with pytest.raises(StoreLockedError, match=f"process {os.getpid()}"):
        open_cache(tmp_path, "e", 4)
    cache.close()
    open_cache(tmp_path, "e", 4).close()


def test_the_lock_ends_with_its_holder_however_it_dies(tmp_path: Path) -> None:
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom costpol.cache.edge import open_cache\n"
        "cache = open_cache(Path(sys.argv[1]), 'e', 4)\nprint('open', flush=True)\ntime.sleep(60)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(costpol.__file__).parent.parent)}
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "open\n"
    with pytest.raises(StoreLockedError, match=f"process {holder.pid}") as refused:
        open_cache(tmp_path, "e", 4)
    assert "data folder of its own" in (refused.value.help or "")
    holder.kill()
    holder.wait()
    open_cache(tmp_path, "e", 4).close()
