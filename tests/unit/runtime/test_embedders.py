"""Declared embedders: opened once, shared, left alone while they fail."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from aiohttp import ClientSession

from costpol.commands import Failed
from costpol.embedding import sentence_transformer
from costpol.embedding.embedder import EMPTY_TEXT
from costpol.embedding.local_model import TextModel
from costpol.errors import ProvisionError
from costpol.policy.nodes.models import Embedder as Declared
from costpol.runtime.breaker import Breaker
from costpol.runtime.embedders import RESTING, Embedders, GuardedEmbedder

VECTOR = np.array([1.0, 0.0], dtype=np.float32)
REMOTE = Declared(type="openai", model="e", base_url="http://127.0.0.1:9/v1", dimension=2, price=0)
LOCAL = Declared(type="sentence-transformers", model="small")


class Scripted:
    """Answers as it is told, and counts the questions."""

    id, dimension, local, max_characters, similarity_floor, cache_threshold = "scripted/2", 2, False, 100, 0.5, 0.9

    def __init__(self) -> None:
        self.answer: Any = VECTOR
        self.asked = 0

    def embed(self, text: str) -> Any:
        return Failed("embedder_remote")

    async def embed_async(self, text: str) -> Any:
        self.asked += 1
        return self.answer

    async def embed_all(self, texts: Sequence[str]) -> list[Any]:
        return [self.answer for _ in texts]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def guarded(failures: int = 3, rest: float = 10.0) -> tuple[GuardedEmbedder, Scripted, Clock]:
    inner, clock = Scripted(), Clock()
    return GuardedEmbedder(inner, Breaker(failures, rest), clock), inner, clock


def test_after_some_failures_in_a_row_it_is_not_asked_until_it_has_rested() -> None:
    async def main() -> None:
        embedder, inner, clock = guarded()
        inner.answer = Failed("embedder_timeout")
        assert [await embedder.embed_async("x") for _ in range(5)] == [Failed("embedder_timeout")] * 3 + [RESTING] * 2
        assert inner.asked == 3
        clock.now = 10.0
        assert [await embedder.embed_async("x") for _ in range(2)] == [Failed("embedder_timeout"), RESTING]
        clock.now = 20.0
        inner.answer = VECTOR
        for _ in range(3):
            assert not isinstance(await embedder.embed_async("x"), Failed)
        assert inner.asked == 7

    asyncio.run(main())


@pytest.mark.parametrize("reason", ["embedder_status_400", "embedder_busy", "embedder_model_error"])
def test_what_is_wrong_with_a_text_or_a_crowd_says_nothing_of_the_embedder(reason: str) -> None:
    async def main() -> None:
        embedder, inner, _ = guarded()
        inner.answer = Failed(reason)
        assert [await embedder.embed_async("x") for _ in range(9)] == [Failed(reason)] * 9

    asyncio.run(main())


def test_an_empty_text_asks_nobody_and_wakes_nobody() -> None:
    async def main() -> None:
        embedder, inner, clock = guarded(failures=1)
        inner.answer = Failed("embedder_unreachable")
        await embedder.embed_async("x")
        clock.now = 10.0
        assert await embedder.embed_async(" ") == EMPTY_TEXT
        inner.answer = VECTOR
        assert not isinstance(await embedder.embed_async("x"), Failed)

    asyncio.run(main())


def test_provisioning_asks_also_while_it_rests_and_proves_it_once() -> None:
    async def main() -> None:
        proofs: list[int] = []

        async def prove() -> None:
            proofs.append(1)
            if len(proofs) == 1:
                raise ProvisionError("wrong key")

        embedder, inner, _ = guarded(failures=1)
        embedder.prove = prove
        inner.answer = Failed("embedder_timeout")
        await embedder.embed_async("x")
        inner.answer = VECTOR
        with pytest.raises(ProvisionError, match="wrong key"):
            await embedder.embed_all(["a"])
        for _ in range(2):
            assert len(await embedder.embed_all(["a", "b"])) == 2
        assert len(proofs) == 2

    asyncio.run(main())


def test_it_says_of_itself_what_the_embedder_says() -> None:
    embedder, inner, _ = guarded()
    assert (embedder.id, embedder.dimension, embedder.local) == (inner.id, 2, False)
    assert (embedder.similarity_floor, embedder.cache_threshold, embedder.max_characters) == (0.5, 0.9, 100)
    assert embedder.embed("x") == Failed("embedder_remote")


def opened(use: Any, environment: dict[str, str] | None = None) -> Any:
    async def main() -> Any:
        async with ClientSession() as session:
            return await use(Embedders(session, environment or {}))

    return asyncio.run(main())


def test_one_declaration_is_one_embedder_for_as_long_as_it_is_used() -> None:
    async def use(embedders: Embedders) -> None:
        first = await embedders.acquire("a", REMOTE)
        assert await embedders.acquire("renamed", Declared(**fields(REMOTE))) is first
        embedders.release(REMOTE)
        assert await embedders.acquire("a", REMOTE) is first
        embedders.release(REMOTE)
        embedders.release(REMOTE)
        assert await embedders.acquire("a", REMOTE) is not first

    opened(use)


def fields(declared: Declared) -> dict[str, Any]:
    return {name: getattr(declared, name) for name in ("type", "model", "base_url", "dimension", "price")}


@pytest.mark.parametrize(
    ("declared", "id"),
    [
        (REMOTE, "openai-compatible/e@127.0.0.1:9/2"),
        (Declared(type="openai", model="text-embedding-3-small", dimension=512, key_source="$K"),
         "openai-compatible/text-embedding-3-small@api.openai.com/512"),
        (Declared(type="gemini", model="gemini-embedding-001", dimension=768, key_source="$K"),
         "gemini/gemini-embedding-001@generativelanguage.googleapis.com/768"),
    ],
)  # fmt: skip
def test_an_api_has_its_maker_s_address_where_none_is_declared(declared: Declared, id: str) -> None:
    assert opened(lambda embedders: embedders.acquire("a", declared), {"K": "secret"}).id == id


def test_a_key_that_is_not_set_is_named() -> None:
    declared = Declared(type="gemini", model="gemini-embedding-001", dimension=768, key_source="$GEMINI_API_KEY")
    with pytest.raises(ProvisionError, match=r"the embedder `gem` needs its key .* `GEMINI_API_KEY`"):
        opened(lambda embedders: embedders.acquire("gem", declared))


def test_a_model_is_loaded_once_and_let_go_with_its_last_user(monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[tuple[str, bool]] = []

    def load_model(model: str, *, download: bool) -> TextModel:
        loads.append((model, download))
        return TextModel("small/2", 2, lambda texts: np.ones((len(texts), 2)), lambda text: True, 0.4, 0.9)

    monkeypatch.setattr(sentence_transformer, "load_model", load_model)

    async def use(embedders: Embedders) -> None:
        first = await embedders.acquire("minilm", LOCAL)
        second = await embedders.acquire("minilm", LOCAL)
        assert first is second
        assert loads == [("small", False)]
        assert (first.similarity_floor, first.cache_threshold) == (0.4, 0.9)
        vector = await first.embed_async("hello")
        assert not isinstance(vector, Failed)
        assert vector.tolist() == pytest.approx([0.5**0.5] * 2)
        embedders.release(LOCAL)
        assert not isinstance(await first.embed_async("hello"), Failed)
        embedders.release(LOCAL)
        assert await first.embed_async("hello") == Failed("embedder_defect")

    opened(use)


@pytest.mark.parametrize(
    ("type", "module"), [("sentence-transformers", "sentence_transformers"), ("fastembed", "fastembed")]
)
def test_a_missing_extra_says_what_to_install(type: Any, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ProvisionError, match=f"needs the package `{type}`, which is not installed") as raised:
        opened(lambda embedders: embedders.acquire("m", Declared(type=type, model="small")))
    assert raised.value.help == f"run `pip install 'costpol[{type}]'`"
