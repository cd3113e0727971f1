"""Texts that wait together are embedded together."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import numpy as np
import pytest

from costpol.commands import Failed
from costpol.embedding import batches
from costpol.embedding.batches import BUSY, DEFECT, TIMEOUT, Batches

LONG = 60.0


@dataclass
class Embedder:
    """Gives each text the vector of its length, once its gate is open; remembers the batches."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    seen: list[list[str]] = field(default_factory=list)
    at_work: int = 0
    most_at_work: int = 0

    async def embed(self, texts: list[str]) -> list[np.ndarray | Failed]:
        self.seen.append(texts)
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        await self.gate.wait()
        self.at_work -= 1
        if "bug" in texts:
            raise RuntimeError("bug")
        return [np.array([len(text)]) for text in texts]


async def start(gathering: Batches, texts: list[str]) -> list[asyncio.Task[np.ndarray | Failed]]:
    """Ask for each text, in one go each."""
    tasks = []
    for text in texts:
        tasks.append(asyncio.create_task(gathering.embed(text)))
        for _ in range(5):
            await asyncio.sleep(0)
    return tasks


def test_a_lone_text_goes_out_at_once_and_what_comes_meanwhile_goes_out_together() -> None:
    async def main() -> None:
        embedder = Embedder()
        gathering = Batches(embedder.embed, size=10, together=1, timeout=LONG)
        tasks = await start(gathering, ["a", "bb", "ccc", "dddd"])
        assert embedder.seen == [["a"]]
        embedder.gate.set()
        assert [vector[0] for vector in await asyncio.gather(*tasks)] == [1, 2, 3, 4]
        assert embedder.seen == [["a"], ["bb", "ccc", "dddd"]]

    asyncio.run(main())


def test_texts_of_one_moment_are_one_batch() -> None:
    async def main() -> None:
        embedder = Embedder()
        embedder.gate.set()
        gathering = Batches(embedder.embed, size=10, together=4, timeout=LONG)
        answers = await asyncio.gather(*(gathering.embed("x" * length) for length in (3, 1, 2)))
        assert [vector[0] for vector in answers] == [3, 1, 2]
        assert len(embedder.seen) == 1

    asyncio.run(main())


def test_batches_and_what_is_under_way_are_bounded() -> None:
    async def main() -> None:
        embedder = Embedder()
        gathering = Batches(embedder.embed, size=2, together=3, timeout=LONG)
        tasks = await start(gathering, [str(number) for number in range(20)])
        embedder.gate.set()
        await asyncio.gather(*tasks)
        assert embedder.most_at_work == 3
        assert max(map(len, embedder.seen)) == 2
        assert sorted(text for batch in embedder.seen for text in batch) == sorted(map(str, range(20)))

    asyncio.run(main())


def test_who_waited_too_long_is_told_and_is_not_embedded_later() -> None:
    async def main() -> None:
        embedder = Embedder()
        gathering = Batches(embedder.embed, size=10, together=1, timeout=0.01)
        assert await asyncio.gather(*await start(gathering, ["first", "second"])) == [TIMEOUT, TIMEOUT]
        embedder.gate.set()
        gathering._timeout = LONG
        assert not isinstance(await gathering.embed("third"), Failed)
        assert embedder.seen == [["first"], ["third"]]

    asyncio.run(main())


def test_a_caller_who_leaves_takes_the_text_along() -> None:
    async def main() -> None:
        embedder = Embedder()
        gathering = Batches(embedder.embed, size=10, together=1, timeout=LONG)
        first, second, third = await start(gathering, ["first", "second", "third"])
        second.cancel()
        embedder.gate.set()
        await asyncio.gather(first, third)
        assert embedder.seen == [["first"], ["third"]]
        assert second.cancelled()

    asyncio.run(main())


def test_a_crowd_beyond_the_bound_is_answered_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MOST_WAITING", 2)

    async def main() -> None:
        embedder = Embedder()
        gathering = Batches(embedder.embed, size=1, together=1, timeout=LONG)
        tasks = await start(gathering, ["under way", "waits", "waits too"])
        assert await gathering.embed("one too many") == BUSY
        tasks[1].cancel()
        await asyncio.sleep(0)
        (admitted,) = await start(gathering, ["takes the place"])
        assert not admitted.done()
        embedder.gate.set()
        assert not isinstance(await admitted, Failed)

    asyncio.run(main())


def test_who_would_wait_in_vain_is_told_so_at_once() -> None:
    async def main() -> None:
        now = [0.0]
        embedder = Embedder()
        gathering = Batches(embedder.embed, size=1, together=1, timeout=LONG, clock=lambda: now[0])
        (first,) = await start(gathering, ["takes half of the time"])
        now[0] = LONG / 2
        embedder.gate.set()
        assert not isinstance(await first, Failed)
        embedder.gate.clear()
        tasks = await start(gathering, ["under way", "just in time"])
        assert await gathering.embed("too late") == BUSY
        embedder.gate.set()
        await asyncio.gather(*tasks)

    asyncio.run(main())


def test_one_slow_batch_does_not_keep_later_ones_out() -> None:
    async def main() -> None:
        now = [0.0]
        embedder = Embedder()
        gathering = Batches(embedder.embed, size=1, together=1, timeout=LONG, clock=lambda: now[0])
        (first,) = await start(gathering, ["slow"])
        now[0] = LONG * 5
        embedder.gate.set()
        await first
        (under_way,) = await start(gathering, ["nobody is before it"])
        assert not isinstance(await under_way, Failed)
        answers = await asyncio.gather(*(gathering.embed(text) for text in ("fast", "again")))
        assert not any(isinstance(answer, Failed) for answer in answers)

    asyncio.run(main())


def test_a_defect_is_a_reason_for_its_batch_alone(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        embedder = Embedder()
        embedder.gate.set()
        gathering = Batches(embedder.embed, size=10, together=1, timeout=LONG)
        assert await gathering.embed("bug") == DEFECT
        assert not isinstance(await gathering.embed("fine"), Failed)

    asyncio.run(main())
    assert "defect in costpol" in caplog.text
