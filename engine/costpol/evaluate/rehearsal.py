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
from costpol.policy.bundle import Bundle
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
    async with Stage.open(clock, pays=pays) as stage, stage.rehearse(files) as rehearsal:
        yield rehearsal


class Stage:
    """Where policies are tried out one after the other. What is the same for all, such as the vectors of the intents'
    examples, is made once."""

    def __init__(self, provisioner: Callable[[Stores], Provisioner]) -> None:
        self._provisioner = provisioner
        self._first: Provisioner | None = None

    @staticmethod
    @asynccontextmanager
    async def open(clock: Callable[[], float], *, pays: bool = True) -> AsyncIterator[Stage]:
        """A stage for as long as the context lasts."""
        import aiohttp

        async with aiohttp.ClientSession() as session:
            yield Stage(
                lambda stores: Provisioner(
                    stores, session, os.environ, calls=False, pays=pays, strict=False, clock=clock
                )
            )

    @asynccontextmanager
    async def rehearse(
        self, files: Mapping[str, bytes], alter: Callable[[Bundle], Bundle] | None = None
    ) -> AsyncIterator[Rehearsal]:
        """The policy of these files, altered where that is asked for, with stores of its own. One at a time."""
        with TemporaryDirectory(prefix="costpol-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            (folder / "scratch").mkdir()
            ledger = SqliteLedger(":memory:")
            stores = Stores(folder, ledger, folder / "cache", Unsettled(ledger.settle), folder / "scratch")
            try:
                if self._first is None:
                    self._first = self._provisioner(stores)
                provisioner = self._first
                provisioner.stores, provisioner.alter = stores, alter
                snapshot = await provisioner.provision(files, 1)
                try:
                    yield Rehearsal(snapshot, stores)
                finally:
                    snapshot.retire()
            finally:
                stores.close()
