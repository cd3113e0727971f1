"""Where an embedded cache lives on the disk, who may open it, and what it is pinned to.

    <directory>/<embedder>.lock           held while open; names the holder
    <directory>/<embedder>/manifest.json  format, embedder, dimension, distance, and the shard that counts
    <directory>/<embedder>/shard-<n>/     the engine's own files

Similarities of two embedders cannot be compared, so every embedder has a collection of its own. A collection is built
beside its place and renamed into it: it is there whole, or not at all. A shard takes over from another by the
manifest's naming it; shards that it does not name are unfinished or outlived copies. Nothing else is ever deleted here.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import re
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeAlias

from costpol.cache.shard import Shard
from costpol.errors import ProvisionError, StoreError, StoreLockedError

_FORMAT = 1

_log = logging.getLogger("costpol.cache")

Indexes: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]
"""The payload fields that are filtered by: keywords, numbers."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a collection is pinned to."""

    format: int
    embedder: str
    dimension: int
    distance: str = "cosine"
    shard: str = "shard-1"
    quantized: bool = False
    """Whether the shard keeps vectors as 8-bit numbers."""

    def write(self, place: Path) -> None:
        """Make it the manifest of a folder, in one step."""
        draft = place / "manifest.json.new"
        with draft.open("w", encoding="utf-8") as file:
            json.dump(asdict(self), file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(place / "manifest.json")


class Lock:
    """The right to open a collection, which the system takes back when the process dies, however it dies."""

    def __init__(self, path: Path) -> None:
        """Raises `StoreLockedError` where another process, or this one, has it."""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._file, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            raise StoreLockedError(
                f"the answer cache `{path.with_suffix('')}` is in use by process {holder}",
                "stop that process, or give this one a data folder of its own: an embedded cache serves one process",
            ) from None
        except OSError:
            os.close(self._file)
            raise
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let the next one in. Releasing twice is no error."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


@dataclass(slots=True)
class Collection:
    """An open collection: its folder, its shard, and the lock that protects them."""

    place: Path
    manifest: Manifest
    indexes: Indexes
    shard: Shard
    lock: Lock
    quantized: bool
    """What the next shard will be."""

    def allocated(self) -> int:
        """Bytes on the disk, the write-ahead log left out: that is recycled."""
        files = (self.place / self.manifest.shard / "segments").rglob("*")
        return sum(file.stat().st_blocks for file in files) * 512

    def new_shard(self) -> tuple[str, Shard]:
        """An empty shard beside the one that counts, and its name."""
        name = f"shard-{int(self.manifest.shard.removeprefix('shard-')) + 1}"
        shutil.rmtree(self.place / name, ignore_errors=True)
        shard = Shard.create(self.place / name, self.manifest.dimension, *self.indexes, quantized=self.quantized)
        return name, shard

    def take_over(self, name: str, shard: Shard) -> None:
        """From now on the other shard counts; the old one goes. Raises `OSError` where that cannot be written down."""
        manifest = replace(self.manifest, shard=name, quantized=self.quantized)
        manifest.write(self.place)
        outlived, self.manifest = self.manifest.shard, manifest
        old, self.shard = self.shard, shard
        try:
            old.close()
        except StoreError as error:
            _log.warning("the outlived shard `%s` was not closed in good order: %s", outlived, error.message)
        shutil.rmtree(self.place / outlived, ignore_errors=True)  # what is left goes with the next opening

    def close(self) -> None:
        """Let go of the files and let the next one in. Closing twice is no error."""
        try:
            self.shard.close()
        finally:
            self.lock.release()


def open_collection(
    directory: Path, embedder_id: str, dimension: int, indexes: Indexes, quantized: bool | None = None
) -> Collection:
    """The collection of one embedder under a data folder, made with these indexed fields where there is none.

    Where it is or is not `quantized` other than wanted, its next shard will be as wanted; `None` leaves it as it is.

    Raises `ProvisionError` where the directory cannot be used, holds a damaged collection or one of another dimension,
    and `StoreLockedError` where another process has it open.
    """
    name = folder_name(embedder_id)
    place = directory / name
    wanted = Manifest(_FORMAT, embedder_id, dimension, quantized=bool(quantized))
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = Lock(directory / f"{name}.lock")
    except OSError as error:
        raise ProvisionError(
            f"the answer cache cannot use the folder `{directory}`: {error.strerror}",
            "make the folder writable for this user, or name another data folder",
        ) from error
    try:
        if not place.exists():
            _build(place, wanted, indexes)
        manifest = _check(place, wanted)
        shard = _load(place, manifest.shard)
    except BaseException:
        lock.release()
        raise
    for leftover in place.glob("shard-*"):
        if leftover.name != manifest.shard:
            shutil.rmtree(leftover, ignore_errors=True)
    return Collection(
        place, manifest, indexes, shard, lock, quantized=manifest.quantized if quantized is None else quantized
    )


def manifests_in(directory: Path) -> tuple[Manifest, ...]:
    """What the collections under a data folder are pinned to. Raises `ProvisionError` for a damaged one."""
    found = []
    for path in sorted(directory.glob("*/manifest.json")):
        try:
            found.append(Manifest(**json.loads(path.read_text(encoding="utf-8"))))
        except (OSError, ValueError, TypeError) as error:
            raise damaged(path.parent, "its manifest cannot be read") from error
    return tuple(found)


def folder_name(embedder_id: str) -> str:
    """A readable folder name that no other embedder has."""
    readable = re.sub(r"[^a-z0-9]+", "-", embedder_id.lower()).strip("-")[:40]
    digest = hashlib.sha256(embedder_id.encode()).hexdigest()[:8]
    return f"{readable}-{digest}" if readable else digest


def _build(place: Path, manifest: Manifest, indexes: Indexes) -> None:
    unfinished = place.with_name(f"{place.name}.new")
    try:
        if unfinished.exists():  # a process was killed while it built: nothing was ever stored there
            shutil.rmtree(unfinished)
        unfinished.mkdir()
        shard = Shard.create(unfinished / manifest.shard, manifest.dimension, *indexes, quantized=manifest.quantized)
        shard.flush()
        shard.close()
        manifest.write(unfinished)
        unfinished.rename(place)
    except (OSError, StoreError) as error:
        raise ProvisionError(
            f"no answer cache can be made in `{place.parent}`: {error}",
            "see that the disk has room and that this user may write there, or name another data folder",
        ) from error


def _check(place: Path, wanted: Manifest) -> Manifest:
    try:
        found = Manifest(**json.loads((place / "manifest.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise damaged(place, "its manifest cannot be read") from error
    if found.format != wanted.format:
        raise ProvisionError(
            f"the answer cache `{place}` has format {found.format}, this version reads format {wanted.format}",
            _move_aside(place),
        )
    if replace(found, shard=wanted.shard, quantized=wanted.quantized) != wanted:
        raise ProvisionError(
            f"the answer cache `{place}` was made by embedder `{found.embedder}` with {found.dimension} dimensions, "
            f"the policy now has `{wanted.embedder}` with {wanted.dimension}",
            f"give the changed embedder a name of its own, or {_move_aside(place)}",
        )
    if not re.fullmatch(r"shard-[1-9][0-9]*", found.shard):
        raise damaged(place, "its manifest names no shard")
    return found


def _load(place: Path, shard: str) -> Shard:
    if not (place / shard).is_dir():
        raise damaged(place, "its data is missing")
    try:
        return Shard.load(place / shard)
    except StoreError as error:
        raise damaged(place, error.message) from error


def damaged(place: Path, why: str) -> ProvisionError:
    """The error for a collection that cannot be read, with the way out."""
    return ProvisionError(f"the answer cache `{place}` is damaged: {why}", _move_aside(place))


def _move_aside(place: Path) -> str:
    return f"move it aside and start with an empty cache: `mv '{place}' '{place}.damaged'`"
