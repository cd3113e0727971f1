"""The embedders that a policy declares: opened once, shared by the policies that use them, left alone while they fail.

A model is loaded, and an API is proven to answer as declared, when the first policy needs it. A reload that leaves the
declaration as it was does neither again, so that a policy can change while its embedder is away.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from costpol.commands import Failed
from costpol.embedding.embedder import EMPTY_TEXT, Embedder, is_empty
from costpol.errors import AwayError
from costpol.policy.nodes.models import Embedder as Declared
from costpol.runtime.breaker import Breaker
from costpol.runtime.endpoint import find_proxy, read_key

if TYPE_CHECKING:
    import aiohttp

    from costpol.commands import Vector
    from costpol.embedding.local_model import TextModel
    from costpol.embedding.remote import RemoteEmbedder

RESTING = Failed("embedder_resting")
"""The answer while an embedder that kept failing is left alone."""

FAILURES, REST = 5, 10.0
"""Requests in a row that may fail before the embedder is left alone, and for how many seconds."""

LOADING, DOWNLOADING = 120.0, 900.0
"""Seconds that loading a model may take, and loading one that may be fetched."""

NOT_ITS_FAULT = frozenset(
    {"embedder_busy", "embedder_model_error"} | {f"embedder_status_{status}" for status in (400, 413, 422)}
)
"""Failures of one text, or of a crowd, that say nothing of the next."""


@dataclass(slots=True)
class GuardedEmbedder:
    """An embedder that is not asked while it fails: a request then goes on at once, without a vector."""

    embedder: Embedder
    breaker: Breaker
    elapsed: Callable[[], float]
    prove: Callable[[], Awaitable[None]] | None = None
    """What sees to it, once, that the embedder is as declared; `None` once it is."""
    id: str = field(init=False)
    dimension: int = field(init=False)
    max_characters: int = field(init=False)
    similarity_floor: float | None = field(init=False)
    cache_threshold: float | None = field(init=False)
    local: bool = False
    awaited: bool = False
    """Whether a policy is served that goes without it until it answers for the first time."""

    def __post_init__(self) -> None:
        inner = self.embedder
        self.id, self.dimension, self.max_characters = inner.id, inner.dimension, inner.max_characters
        self.similarity_floor, self.cache_threshold = inner.similarity_floor, inner.cache_threshold

    def embed(self, text: str) -> Vector | Failed:
        """As the embedder: only `embed_async` can wait."""
        return self.embedder.embed(text)

    async def embed_async(self, text: str) -> Vector | Failed:
        """As the embedder; `RESTING` while it is left alone."""
        if is_empty(text):
            return EMPTY_TEXT
        if not self.breaker.allows(self.elapsed()):
            return RESTING
        answer = await self.embedder.embed_async(text)
        if not isinstance(answer, Failed):
            self.breaker.succeeded()
        elif answer.reason not in NOT_ITS_FAULT:
            self.breaker.failed(self.elapsed())
        return answer

    async def embed_all(self, texts: Sequence[str]) -> list[Vector | Failed]:
        """As the embedder, whether it rests or not; the first time it is proven before.

        Raises `AwayError` where it does not answer, `ProvisionError` where it answers otherwise than declared.
        """
        if self.prove is not None:
            await self.prove()
            self.prove, self.awaited = None, False
        return await self.embedder.embed_all(texts)

    async def prove_within(self, seconds: float) -> None:
        """See that it is as declared, where that was not seen yet. As `embed_all` it raises; `AwayError` also where it
        has said nothing by then."""
        try:
            async with asyncio.timeout(seconds):
                await self.embed_all([])
        except TimeoutError:
            raise AwayError(f"the embedder `{self.id}` has not answered within {seconds:g} s") from None


@dataclass(slots=True)
class _Shared:
    embedder: GuardedEmbedder
    close: Callable[[], None] | None
    users: int = 0


@dataclass(slots=True)
class Embedders:
    """Those of one process. `elapsed` is a clock that only goes forward, in seconds."""

    session: aiohttp.ClientSession
    environment: Mapping[str, str]
    elapsed: Callable[[], float] = time.monotonic
    _open: dict[Declared, _Shared] = field(default_factory=dict)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def acquire(self, name: str, declared: Declared) -> Embedder:
        """The embedder of a declaration. Each call asks for one `release`.

        Raises `ProvisionError` where its key or its model cannot be had.
        """
        async with self._turn:
            shared = self._open.get(declared)
            if shared is None:
                shared = self._open[declared] = await self._opened(name, declared)
        shared.users += 1
        return shared.embedder

    def release(self, declared: Declared) -> None:
        """Say that a policy is done with an embedder; the last one lets a loaded model go."""
        shared = self._open[declared]
        shared.users -= 1
        if shared.users == 0:
            del self._open[declared]
            if shared.close is not None:
                shared.close()

    async def _opened(self, name: str, declared: Declared) -> _Shared:
        if not declared.remote:
            from costpol.embedding.local_model import ModelEmbedder

            model = await asyncio.to_thread(_load, name, declared)
            runs_here = ModelEmbedder(model, timeout=declared.timeout, batch=declared.batch)
            return _Shared(GuardedEmbedder(runs_here, Breaker(FAILURES, REST), self.elapsed), runs_here.close)
        remote = self._remote(name, declared)
        return _Shared(GuardedEmbedder(remote, Breaker(FAILURES, REST), self.elapsed, remote.provision), None)

    def _remote(self, name: str, declared: Declared) -> RemoteEmbedder:
        from costpol.embedding import gemini, openai_compatible

        source = declared.key_source
        base_url = declared.base_url
        if base_url is None:
            base_url = (gemini if declared.type == "gemini" else openai_compatible).BASE_URL
        opener = gemini.GeminiEmbedder if declared.type == "gemini" else openai_compatible.OpenAICompatibleEmbedder
        assert declared.dimension is not None  # noqa: S101 - `Embedder.problems` saw to it
        return opener(
            self.session,
            base_url=base_url,
            model=declared.model,
            key=None if source == "none" else read_key(source, self.environment, f"the embedder `{name}`"),
            dimension=declared.dimension,
            timeout=declared.timeout,
            batch=declared.batch,
            proxy=find_proxy(base_url),
        )


def _load(name: str, declared: Declared) -> TextModel:
    from costpol.embedding import fastembed_model, sentence_transformer
    from costpol.embedding.local_model import load_within

    load = fastembed_model.load_model if declared.type == "fastembed" else sentence_transformer.load_model

    def run() -> TextModel:
        return load(declared.model, download=declared.download)

    return load_within(DOWNLOADING if declared.download else LOADING, run, f"the model of the embedder `{name}`")
