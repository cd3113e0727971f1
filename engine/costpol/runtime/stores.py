"""What outlives a policy: the ledger, the answer caches, the settlements that are still owed.

One data folder holds all of it. The ledger file may be shared by every process of a host; an answer cache belongs to
one process, so that each of several workers has its own below the folder.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from costpol.errors import StoreError
from costpol.ledger.claim import Claim
from costpol.ledger.resident import Defer, ResidentLedger
from costpol.ledger.sqlite import SqliteLedger
from costpol.runtime.health import Health, Part
from costpol.runtime.live import Unsettled
from costpol.runtime.remote_caches import RemoteCaches

if TYPE_CHECKING:
    from costpol.cache.edge import EdgeCache
    from costpol.runtime.judge import CacheJudge

_SWEPT_AT_ONCE = 500
"""Entries that one sweep deletes: about ten milliseconds."""

Ledger = SqliteLedger | ResidentLedger

_LEDGER_ROOM = 256 * 2**10
"""Bytes of the disk below which the next bookings may not fit."""

_log = logging.getLogger("costpol.stores")


def _at_once(write: Callable[[], None]) -> None:
    write()


@dataclass(slots=True)
class _Shared:
    cache: EdgeCache
    users: int = 0


@dataclass(slots=True)
class Stores:
    """The open stores of one process. `folder` is the data folder, `caches` the one below it for answer caches."""

    folder: Path
    ledger: Ledger
    caches: Path
    unsettled: Unsettled
    scratch: Path
    claim: Claim | None = None
    remote: RemoteCaches = field(default_factory=RemoteCaches)
    health: Health = field(default_factory=Health)
    _open: dict[str, _Shared] = field(default_factory=dict)
    _judges: dict[tuple[str, str], CacheJudge] = field(default_factory=dict)

    def acquire_cache(
        self, embedder_id: str, dimension: int, max_entries: int, quantized: bool | None = None
    ) -> EdgeCache:
        """The cache of an embedder, opened at its first use. Each call asks for one `release_cache`. One that is open
        stays as it is: see `Snapshot.adopt`.

        Raises `ProvisionError`, and `StoreLockedError` where another process has it open.
        """
        from costpol.cache.edge import open_cache

        shared = self._open.get(embedder_id)
        if shared is None:
            cache = open_cache(self.caches, embedder_id, dimension, max_entries, quantized)
            shared = self._open[embedder_id] = _Shared(cache)
        shared.users += 1
        return shared.cache

    def release_cache(self, embedder_id: str) -> None:
        """Say that a policy is done with a cache; the last one closes it."""
        shared = self._open[embedder_id]
        shared.users -= 1
        if shared.users == 0:
            del self._open[embedder_id]
            shared.cache.close()

    def judge(self, embedder_id: str, dimension: int, version: str, floor: float) -> CacheJudge:
        """What the caches of an embedder have learned, with one set of templates; kept until `keep_judge` names
        another."""
        from costpol.runtime.judge import open_judge

        judge = self._judges.get((embedder_id, version))
        if judge is None:
            for (other, _), kept in self._judges.items():
                if other == embedder_id:
                    _save(kept)  # so that the new one finds, and tells, what it cannot use
            name = embedder_id.replace("/", "_").replace(":", "_")
            judge = open_judge(self.caches / f"learned-{name}.npz", embedder_id, dimension, version, floor)
            self._judges[embedder_id, version] = judge
        return judge

    def keep_judge(self, judge: CacheJudge) -> None:
        """From now on only this one learns. What the others have learned is written once more and let go."""
        for key, other in list(self._judges.items()):
            if other is not judge:
                del self._judges[key]
                _save(other)
                other.close()

    def learned(self) -> list[dict[str, object]]:
        """What the judge in use reports, row by row."""
        return [row for judge in self._judges.values() for row in judge.report()]

    def scratch_folder(self) -> Path:
        """The name of a folder for something that lives no longer than this process; it does not exist yet."""
        return Path(tempfile.mkdtemp(dir=self.scratch)) / "index"

    def sweep(self, now: float) -> None:
        """Upkeep: owed settlements, lapsed holds, what was learned, expired answers; a little at a time."""
        left = self.unsettled.retry()
        self.health.note("settlements", f"{left} settlements wait for the ledger" if left else None)
        self.health.note("disk", _full(self.folder))
        try:
            self.ledger.sweep(now)
        except StoreError as error:
            self.health.note("ledger", error.message)
        else:
            self.health.note("ledger", None)
        for judge in self._judges.values():
            judge.keep_up(now)
        unswept = None
        for shared in list(self._open.values()):  # a thread may be opening another
            try:
                shared.cache.sweep(now, _SWEPT_AT_ONCE)
            except StoreError as error:
                unswept = error.message
        self.health.note("cache", unswept)

    def troubles(self) -> dict[Part, str]:
        """What is amiss with the stores now, by part."""
        found = dict(self.health.troubles)
        if self.ledger.trouble is not None:
            found["ledger"] = self.ledger.trouble
        for shared in list(self._open.values()):
            if shared.cache.trouble is not None:
                found["cache"] = f"answers are not kept: {shared.cache.trouble}"
        if (away := self.remote.trouble()) is not None:
            found["cache"] = f"the cache is bypassed: {away}"
        return found

    def close(self) -> None:
        """Settle what is owed, flush, and let go of all files."""
        if self.unsettled.retry():
            _log.error("%d settlements could not be written to the ledger", len(self.unsettled.waiting))
        for shared in self._open.values():
            try:
                shared.cache.close()
            except StoreError as error:
                _log.error("an answer cache was not closed in good order: %s", error.message)
        self._open.clear()
        for judge in self._judges.values():
            _save(judge)
        self.ledger.close()
        if self.claim is not None:
            self.claim.release()
        shutil.rmtree(self.scratch, ignore_errors=True)


def _save(judge: CacheJudge) -> None:
    try:
        judge.save()
    except StoreError as error:
        _log.error("%s", error.message)


def _full(folder: Path) -> str | None:
    try:
        disk = os.statvfs(folder)
    except OSError as error:
        return f"the data folder `{folder}` cannot be looked at: {(error.strerror or '').lower()}"
    room = disk.f_bavail * disk.f_frsize
    return None if room >= _LEDGER_ROOM else f"the disk of `{folder}` is full: {room:,} bytes are free"


def open_stores(folder: Path, worker: int | None = None, defer: Defer = _at_once) -> Stores:
    """The stores under a data folder, made where there are none. `worker` numbers one of several processes; one that
    is alone keeps its ledger in memory, and `defer` decides when it is written.

    Raises `ProvisionError` where the folder or the ledger cannot be used, `StoreLockedError` where another process has
    it.
    """
    path = folder / "ledger.sqlite"
    ledger: Ledger
    claim = None
    if worker is None:
        ledger = ResidentLedger(path, defer)
    else:
        claim = Claim(path, shared=True)
        ledger = SqliteLedger(path)
    suffix = "" if worker is None else f"-worker-{worker}"
    scratch = folder / f"scratch{suffix}"
    shutil.rmtree(scratch, ignore_errors=True)  # what a killed process left
    scratch.mkdir(mode=0o700)
    return Stores(folder, ledger, folder / f"cache{suffix}", Unsettled(ledger.settle), scratch, claim)
