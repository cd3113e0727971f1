"""Whose ledger it is: one process alone, or several that share the file and say so.

The claim is a lock on a file beside the ledger, which the kernel lets go when its process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from costpol.errors import ProvisionError, StoreLockedError


class Claim:
    """A claim on a ledger, held until it is released."""

    def __init__(self, ledger: Path, *, shared: bool) -> None:
        """Raises `StoreLockedError` where another process has a claim that this one does not go with."""
        path = ledger.with_name(ledger.name + ".lock")
        try:
            ledger.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise ProvisionError(
                f"the lock `{path}` cannot be made: {(error.strerror or str(error)).lower()}",
                "name a data folder that this user may write to, on a disk with room",
            ) from error
        try:
            fcntl.flock(self._descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._descriptor)
            raise StoreLockedError(
                f"the ledger `{ledger}` is in use by another process",
                "stop that process, or give this one a data folder of its own; "
                "several processes share a ledger as workers of one `costpol serve --workers`",
            ) from error

    def release(self) -> None:
        """Let others have the ledger. Releasing twice is no error."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
