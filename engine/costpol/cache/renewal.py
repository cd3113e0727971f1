"""Moving a cache to a fresh shard, a few points at a time, while it serves.

The engine never gives back the room of a deleted vector (about 1.2 KiB per entry at 256 dimensions) other than by its
optimizer, which would stop the process for seconds. So a worn shard is copied and replaced. Meanwhile every change is
made to both; the old one answers, and alone counts after a crash, until the new one takes over.
"""

from __future__ import annotations

from costpol.cache.collection import Collection
from costpol.cache.shard import Offset
from costpol.errors import StoreError

_POINTS = 100
"""Points copied in one step: about 10 ms."""

_FLUSH_EVERY = 50
"""Steps between two flushes of the new shard, so that the last one has little left to write."""


class Renewal:
    """One move from the shard that counts to a fresh one."""

    def __init__(self, collection: Collection) -> None:
        """Raises `StoreError` where no shard can be made."""
        self._collection = collection
        self._name, self.shard = collection.new_shard()
        self._offset: Offset = None
        self._steps = 0

    def step(self) -> bool:
        """Copy a few points; `True` once the new shard has taken over. Raises `StoreError`."""
        self._offset = self._collection.shard.copy(self.shard, self._offset, _POINTS)
        self._steps += 1
        if self._offset is not None:
            if self._steps % _FLUSH_EVERY == 0:
                self.shard.flush()
            return False
        self.shard.flush()
        try:
            self._collection.take_over(self._name, self.shard)
        except OSError as error:
            raise StoreError(f"the manifest of the answer cache cannot be written: {error.strerror}") from error
        return True
