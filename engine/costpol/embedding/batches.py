"""Texts that wait at the same time are embedded together, and every request waits for its own no longer than it may.

A text goes out at once while fewer than `together` batches are under way. What comes later gathers, and goes out when
one of them ends: a lone request waits for nobody, and a crowd makes few calls. Who would wait in vain, as long as the
last batch took, is told so at once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from costpol.commands import Failed

if TYPE_CHECKING:
    from costpol.commands import Vector

BUSY = Failed("embedder_busy")
TIMEOUT = Failed("embedder_timeout")
DEFECT = Failed("embedder_defect")

MOST_WAITING = 1024
"""Requests that may wait; who comes then is answered at once."""

EmbedBatch = Callable[[list[str]], Awaitable["list[Vector | Failed]"]]
"""One answer per text, in their order."""

_Batch = list[tuple[str, "asyncio.Future[Vector | Failed]"]]

_log = logging.getLogger("costpol.embedding")


class Batches:
    """Gathers texts for one embedder. Used within one event loop."""

    def __init__(
        self,
        embed: EmbedBatch,
        *,
        size: int,
        together: int,
        timeout: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`size` texts at most are one batch, `timeout` is seconds from the question to its vector, by `clock`."""
        self._embed = embed
        self._size, self._together, self._timeout = size, together, timeout
        self._waiting: deque[tuple[str, asyncio.Future[Vector | Failed]]] = deque()
        self._at_work: set[asyncio.Task[None]] = set()
        self._clock = clock
        self._pace = 0.0
        """Seconds that the last batch took which was answered."""

    async def embed(self, text: str) -> Vector | Failed:
        """The answer for one text; `TIMEOUT` where it comes too late, `BUSY` where it surely would."""
        if len(self._at_work) >= self._together and self._too_many_wait():
            return BUSY
        answer: asyncio.Future[Vector | Failed] = asyncio.get_running_loop().create_future()
        self._waiting.append((text, answer))
        if len(self._at_work) < self._together:
            task = asyncio.create_task(self._work())
            self._at_work.add(task)
            task.add_done_callback(self._at_work.discard)
        try:
            async with asyncio.timeout(self._timeout):
                return await answer
        except TimeoutError:
            return TIMEOUT

    def _too_many_wait(self) -> bool:
        """Whether so many do that whoever comes now would wait in vain."""
        if not self._crowded():
            return False
        self._waiting = deque(each for each in self._waiting if not each[1].done())
        return self._crowded()

    def _crowded(self) -> bool:
        batches = len(self._waiting) // self._size + 2  # those that wait, its own, and the one under way
        return len(self._waiting) >= MOST_WAITING or batches * self._pace > self._timeout * self._together

    async def _work(self) -> None:
        """Embed batch by batch until nobody waits."""
        try:
            while batch := self._gather():
                await self._answer(batch)
        finally:  # at once: who asks next must not count on a task that has looked already
            self._at_work.discard(asyncio.current_task())

    async def _answer(self, batch: _Batch) -> None:
        began = self._clock()
        try:
            answers = await self._embed([text for text, _ in batch])
            if any(not isinstance(answer, Failed) for answer in answers):
                self._pace = self._clock() - began
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)
        except Exception:  # noqa: BLE001 - a defect must not leave callers waiting
            _log.exception("texts were not embedded because of a defect in costpol")
            for _, future in batch:
                if not future.done():
                    future.set_result(DEFECT)

    def _gather(self) -> _Batch:
        """The next batch; who does not wait any more is left out."""
        batch: _Batch = []
        while self._waiting and len(batch) < self._size:
            each = self._waiting.popleft()
            if not each[1].done():
                batch.append(each)
        return batch
