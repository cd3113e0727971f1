"""The `/embeddings` call of OpenAI and of all who answer like it.

One text is sent as a text, several as a list: an endpoint that knows no lists serves single requests all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from costpol.embedding.remote import RemoteEmbedder

if TYPE_CHECKING:
    import aiohttp

BASE_URL = "https://api.openai.com/v1"


class _Item(msgspec.Struct):
    embedding: list[float]
    index: int | None = None


class _Answer(msgspec.Struct):
    data: list[_Item]


@dataclass(frozen=True, slots=True)
class _Wire:
    url: str
    headers: Mapping[str, str]
    model: str

    def question(self, texts: Sequence[str], dimension: int | None) -> dict[str, Any]:
        body = {"model": self.model, "encoding_format": "float", "input": texts[0] if len(texts) == 1 else texts}
        return body if dimension is None else body | {"dimensions": dimension}

    def rows(self, answer: bytes, count: int) -> Sequence[Sequence[float] | None]:
        """By their `index`; in the order given where no item has one."""
        items = msgspec.json.decode(answer, type=_Answer).data
        if len(items) == count and all(item.index is None for item in items):
            return [item.embedding for item in items]
        placed = {item.index: item.embedding for item in items}
        if len(placed) != len(items) or not placed.keys() <= set(range(count)):
            raise msgspec.DecodeError("the vectors do not say whose they are")
        return [placed.get(place) for place in range(count)]


class OpenAICompatibleEmbedder(RemoteEmbedder):
    """One model behind one endpoint. `base_url` ends before `/embeddings` (`https://api.openai.com/v1`).

    `send_dimension` asks the endpoint for `dimension` numbers, which only some models understand.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        base_url: str,
        model: str,
        key: str | None,
        dimension: int,
        timeout: float,
        batch: int = 16,
        send_dimension: bool = False,
        proxy: str | None = None,
    ) -> None:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        super().__init__(
            session,
            _Wire(base_url.rstrip("/") + "/embeddings", headers, model),
            id=f"openai-compatible/{model}@{urlsplit(base_url).netloc}/{dimension}",
            dimension=dimension,
            timeout=timeout,
            batch=batch,
            send_dimension=send_dimension,
            proxy=proxy,
        )
