"""The Gemini embedder against a server on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientSession, web

from costpol.commands import Failed
from costpol.embedding.gemini import GeminiEmbedder
from costpol.errors import ProvisionError

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def served(answer: Answer, use: Callable[[GeminiEmbedder], Awaitable[Any]], model: str = "gemini-embedding-001") -> Any:
    async def run() -> Any:
        app = web.Application()
        app.router.add_post("/v1beta/{path:.*}", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1beta"
        try:
            async with ClientSession() as session:
                return await use(
                    GeminiEmbedder(session, base_url=base_url, model=model, key="AIza-test", dimension=2, timeout=60)
                )
        finally:
            await runner.cleanup()

    return asyncio.run(run())


async def lengths(request: web.Request) -> web.Response:
    """Answers each text with a vector of its length that is not at unit length."""
    asked = (await request.json())["requests"]
    return web.json_response(
        {"embeddings": [{"values": [len(each["content"]["parts"][0]["text"]) * 2.0, 0.0]} for each in asked]}
    )


def test_a_batch_asks_for_each_text_with_its_dimension_and_the_key_in_a_header_alone() -> None:
    seen: list[tuple[str, str, Any]] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append((request.path_qs, request.headers["x-goog-api-key"], await request.json()))
        return await lengths(request)

    served(answer, lambda embedder: asyncio.gather(embedder.embed_async("a"), embedder.embed_async("bb")))
    each = {"model": "models/gemini-embedding-001", "taskType": "SEMANTIC_SIMILARITY", "outputDimensionality": 2}
    assert seen == [
        (
            "/v1beta/models/gemini-embedding-001:batchEmbedContents",
            "AIza-test",
            {"requests": [each | {"content": {"parts": [{"text": text}]}} for text in ("a", "bb")]},
        )
    ]


def test_a_model_that_knows_no_tasks_is_told_none() -> None:
    async def answer(request: web.Request) -> web.Response:
        assert "taskType" not in (await request.json())["requests"][0]
        return await lengths(request)

    assert not isinstance(served(answer, lambda e: e.embed_async("a"), "models/gemini-embedding-2"), Failed)


def test_vectors_are_scaled_to_unit_length_in_the_order_of_the_texts() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"embeddings": [{"values": [0.3, 0.4]}, {"values": [0.0, 0.1]}]})

    first, second = served(answer, lambda embedder: embedder.embed_all(["a", "b"]))
    assert first.tolist() == pytest.approx([0.6, 0.8])
    assert second.tolist() == pytest.approx([0.0, 1.0])


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (429, {"error": {"code": 429}}, "embedder_status_429"),
        (403, {}, "embedder_status_403"),
        (200, {}, "embedder_broken_answer"),
        (200, {"embeddings": []}, "embedder_broken_answer"),
        (200, {"embeddings": [{"values": [1, 0]}, {"values": [1, 0]}]}, "embedder_broken_answer"),
        (200, {"embeddings": [{"values": [1, 0, 0]}]}, "embedder_wrong_dimension"),
        (200, {"embeddings": [{"values": [0, 0]}]}, "embedder_broken_answer"),
    ],
)
def test_what_is_no_vector_is_answered_as_a_reason(status: int, body: dict[str, Any], reason: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response(body, status=status)

    assert served(answer, lambda embedder: embedder.embed_async("a")) == Failed(reason)


def test_its_id_names_model_place_and_dimension() -> None:
    async def name(embedder: GeminiEmbedder) -> str:
        return embedder.id

    assert served(lengths, name).startswith("gemini/gemini-embedding-001@127.0.0.1:")
    assert served(lengths, name, "models/gemini-embedding-001").endswith("/2")


def test_provision_says_what_is_wrong() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=400)

    with pytest.raises(ProvisionError, match="embedder_status_400"):
        served(answer, lambda embedder: embedder.provision())
