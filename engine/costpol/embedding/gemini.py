"""The `batchEmbedContents` call of the Gemini API.

The number of dimensions is always asked for. Vectors of fewer than the model's own do not come at unit length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import msgspec

from costpol.embedding.remote import RemoteEmbedder

if TYPE_CHECKING:
    import aiohttp

BASE_URL = "https://generativelanguage.googleapis.com/v1beta"

_KNOWS_TASKS = ("gemini-embedding-001", "text-embedding-")
"""Models that take a task; the later ones want it said in the text, which is left as it is."""


class _Embedding(msgspec.Struct):
    values: list[float]


class _Answer(msgspec.Struct):
    embeddings: list[_Embedding]


@dataclass(frozen=True, slots=True)
class _Wire:
    url: str
    headers: Mapping[str, str]
    model: str

    def question(self, texts: Sequence[str], dimension: int | None) -> dict[str, Any]:
        each: dict[str, Any] = {"model": self.model}
        if self.model.removeprefix("models/").startswith(_KNOWS_TASKS):
            each["taskType"] = "SEMANTIC_SIMILARITY"
        if dimension is not None:
            each["outputDimensionality"] = dimension
        return {"requests": [each | {"content": {"parts": [{"text": text}]}} for text in texts]}

    def rows(self, answer: bytes, count: int) -> Sequence[Sequence[float] | None]:
        embeddings = msgspec.json.decode(answer, type=_Answer).embeddings
        if len(embeddings) != count:
            raise msgspec.DecodeError("there is not one vector per text")
        return [embedding.values for embedding in embeddings]


class GeminiEmbedder(RemoteEmbedder):
    """One Gemini model. `base_url` ends with the version."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        base_url: str = BASE_URL,
        model: str,
        key: str | None,
        dimension: int,
        timeout: float,
        batch: int = 16,
        proxy: str | None = None,
    ) -> None:
        name = model.removeprefix("models/")
        address = base_url.rstrip("/")
        super().__init__(
            session,
            _Wire(
                f"{address}/models/{quote(name, safe='')}:batchEmbedContents",
                {"x-goog-api-key": key} if key else {},
                f"models/{name}",
            ),
            id=f"gemini/{name}@{urlsplit(address).netloc}/{dimension}",
            dimension=dimension,
            timeout=timeout,
            batch=batch,
            send_dimension=True,
            proxy=proxy,
        )
