"""The example utterances of a policy's intents, searched by vector.

Built once when a policy is provisioned and thrown away with it, so nothing is written ahead and nothing is locked.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from costpol.cache.shard import Shard
from costpol.commands import Failed, NearestIntents, Neighbour
from costpol.errors import ProvisionError, StoreError

if TYPE_CHECKING:
    from costpol.commands import Vector

_BATCH = 256

_log = logging.getLogger("costpol.cache")


class IntentIndex:
    """Answers `NearestIntents`. The payloads stay in memory: a search then costs the scan alone."""

    def __init__(self, directory: Path, examples: Sequence[tuple[str, str, Vector]]) -> None:
        """An index of (intent, example, unit vector) in a directory that does not exist yet; its owner removes it.

        Raises `ProvisionError` where the directory cannot be used or a vector does not fit the others.
        """
        self._examples = [(intent, example) for intent, example, _ in examples]
        self._shard: Shard | None = None
        if not examples:
            return
        self._dimension = len(examples[0][2])
        if any(vector.shape != (self._dimension,) for _, _, vector in examples):
            raise ProvisionError(
                "the embedder gave vectors of different lengths for the examples of the intents",
                "see that the embedder's endpoint serves one model only",
            )
        try:
            self._shard = Shard.create(directory, self._dimension, durable=False)
            for start in range(0, len(examples), _BATCH):
                batch = examples[start : start + _BATCH]
                self._shard.put([(str(UUID(int=start + i)), vector, {}) for i, (_, _, vector) in enumerate(batch)])
        except StoreError as error:
            raise ProvisionError(
                f"the index of intent examples cannot be built in `{directory}`: {error.message}",
                "see that the disk has room and that this user may write there",
            ) from error

    def nearest(self, c: NearestIntents) -> tuple[Neighbour, ...] | Failed:
        """The examples nearest to a vector, nearest first."""
        if self._shard is None:
            return ()
        if c.vector.shape != (self._dimension,) or not abs(float(c.vector @ c.vector) - 1.0) < 1e-3:
            return Failed("vector-unfit")
        try:
            found = self._shard.nearest(c.vector, c.limit)
        except StoreError as error:
            _log.warning("search of intent examples failed: %s", error.message)
            return Failed("intents-search-failed")
        return tuple(Neighbour(*self._examples[id.int], similarity=min(1.0, similarity)) for id, similarity in found)

    def close(self) -> None:
        """Let go of the files. Closing twice is no error."""
        if self._shard is not None:
            self._shard.close()
            self._shard = None
