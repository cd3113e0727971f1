"""Equal questions at the same time are one call, within a scope; a failure is nobody else's."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import openai
import pytest

STAMPEDE = 200


@pytest.fixture
def slow(provider: Any) -> Any:
    provider.app.latency = 0.4
    return provider


def stampede(address: str, tenants: list[str], *, stream: bool = False, model: str = "large") -> Counter[str]:
    """One question from every tenant at once; how many answers had which cache status (or error)."""

    async def ask(client: openai.AsyncOpenAI, tenant: str) -> str:
        try:
            answer = await client.chat.completions.with_raw_response.create(
                model=model,
                messages=[{"role": "user", "content": "what are your opening hours?"}],
                stream=stream,
                extra_headers={"x-costpol-tenant": tenant},
            )
            if stream:
                text = ""
                async for event in answer.parse():  # type: ignore[attr-defined]
                    text += event.choices[0].delta.content or "" if event.choices else ""
                assert text
        except openai.APIStatusError as error:
            return str(error.status_code)
        return str(answer.headers["x-costpol-cache"])

    async def run() -> Counter[str]:
        async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="k", max_retries=0, timeout=30) as client:
            return Counter(await asyncio.gather(*(ask(client, tenant) for tenant in tenants)))

    return asyncio.run(run())


@pytest.mark.parametrize("stream", [False, True], ids=["json", "stream"])
def test_a_stampede_is_one_call(slow: Any, sidecar: Any, stream: bool) -> None:
    assert stampede(sidecar.address, ["acme"] * STAMPEDE, stream=stream) == {"miss": 1, "hit": STAMPEDE - 1}
    assert len(slow.app.seen) == 1


def test_tenants_do_not_share_a_call(slow: Any, sidecar: Any) -> None:
    assert stampede(sidecar.address, ["north", "south"] * 20) == {"miss": 2, "hit": 38}
    assert len(slow.app.seen) == 2


def test_callers_do_not_fail_one_after_the_other(slow: Any, sidecar: Any) -> None:
    counted = stampede(sidecar.address, ["acme"] * 20, model="missing")
    assert counted == {"404": 20}
    assert len(slow.app.seen) == 20, "a failure is not shared"
