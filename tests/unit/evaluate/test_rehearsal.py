from __future__ import annotations

import asyncio
from typing import Any

import pytest

from costpol.errors import BundleError
from costpol.evaluate.rehearsal import rehearse


def test_nothing_is_left_behind(cached: Any) -> None:
    async def run() -> Any:
        async with rehearse(cached, lambda: 1_770_000_000.0) as rehearsal:
            assert rehearsal.snapshot.endpoints == {}
            assert rehearsal.stores.folder.is_dir()
            return rehearsal.stores.folder

    assert not asyncio.run(run()).exists()


def test_a_policy_with_errors_is_refused(policy: Any) -> None:
    async def run() -> None:
        async with rehearse(policy(routing="kind: routing\n...\n"), lambda: 1_770_000_000.0):
            pass

    with pytest.raises(BundleError):
        asyncio.run(run())
