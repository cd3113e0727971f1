from __future__ import annotations

import asyncio

from costpol.proxy.patience import Patience


def overdue(waits: dict[str, tuple[float, float]], period: float = 0.05) -> list[str]:
    """Who was found overdue, of those who begin and end at these seconds."""
    found: list[str] = []

    async def main() -> None:
        patience = Patience(period)

        async def wait(name: str, begin: float, end: float) -> None:
            await asyncio.sleep(begin)
            patience.begin(name, lambda: found.append(name))
            await asyncio.sleep(end - begin)
            patience.end(name)

        await asyncio.gather(*(wait(name, *times) for name, times in waits.items()))
        await asyncio.sleep(period * 3)

    asyncio.run(main())
    return found


def test_who_waits_long_is_overdue_once() -> None:
    assert overdue({"long": (0.0, 0.4)}) == ["long"]


def test_who_ends_soon_is_never_overdue() -> None:
    assert overdue({"quick": (0.0, 0.0), "long": (0.01, 0.4), "late": (0.2, 0.2)}) == ["long"]


def test_a_pause_between_waits_does_not_stop_the_clock() -> None:
    assert overdue({"first": (0.0, 0.2), "second": (0.5, 0.8)}) == ["first", "second"]


def test_a_patience_of_another_loop_is_its_own() -> None:
    for _ in range(2):
        assert overdue({"long": (0.0, 0.3)}) == ["long"]
