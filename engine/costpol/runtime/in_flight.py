"""Equal questions that are being answered at the same time: one asks the model, the others wait for its answer.

One event loop uses it. It holds no answers: whoever waited looks the answer up in the cache, within its own scope.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


@dataclass(slots=True)
class InFlight:
    """The questions being answered, by identity."""

    _ends: dict[str, asyncio.Future[None]] = field(default_factory=dict)

    def lead(self, identity: str) -> bool:
        """Whether this request is the first; it must then call `end`."""
        if identity in self._ends:
            return False
        self._ends[identity] = asyncio.get_running_loop().create_future()
        return True

    async def wait(self, identity: str, patience: float) -> None:
        """Until the first has ended, or patience has."""
        end = self._ends.get(identity)
        if end is not None:
            await asyncio.wait([end], timeout=patience)

    def end(self, identity: str) -> None:
        """The first has its answer, or has none: everybody else goes on."""
        self._ends.pop(identity).set_result(None)

    def __len__(self) -> int:
        return len(self._ends)
