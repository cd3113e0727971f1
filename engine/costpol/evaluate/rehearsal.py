"""A policy provisioned for trying it out: all that serving it takes, save the models.

Cache and ledger are the real ones, empty, in a folder that goes away afterwards.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from costpol.ledger.sqlite import SqliteLedger
from costpol.runtime.live import Unsettled
from costpol.runtime.provision import Provisioner
from costpol.runtime.snapshot import Snapshot
from costpol.runtime.stores import Stores


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A snapshot of the policy and the stores that it decides with."""

    snapshot: Snapshot
    stores: Stores


@asynccontextmanager
async def rehearse(
    files: Mapping[str, bytes], clock: Callable[[], float], *, pays: bool = True
) -> AsyncIterator[Rehearsal]:
    """The policy of these files; prices are those at `clock`. Without `pays` an embedder that costs money is left out.

    A policy that loads may be tried out, whatever the linter says of it: its errors are among the snapshot's findings.
    Raises `BundleError` for one that does not, `ProvisionError` where something that it needs cannot be had.
    """
    import aiohttp

    with TemporaryDirectory(prefix="costpol-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "scratch").mkdir()
        ledger = SqliteLedger(":memory:")
        stores = Stores(folder, ledger, folder / "cache", Unsettled(ledger.settle), folder / "scratch")
        async with aiohttp.ClientSession() as session:
            try:
                provisioner = Provisioner(
                    stores, session, os.environ, calls=False, pays=pays, strict=False, clock=clock
                )
                snapshot = await provisioner.provision(files, 1)
                try:
                    yield Rehearsal(snapshot, stores)
                finally:
                    snapshot.retire()
            finally:
                stores.close()
