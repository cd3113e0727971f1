"""Vectors from an OpenAI-compatible `/embeddings` endpoint, over a session that the caller owns.

`provision` asks once before a policy is served and raises; a request asks once and gets a reason instead of a vector
when that fails, so that the request goes on without one. Nothing is retried.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from costpol.commands import Failed
from costpol.embedding.embedder import EMPTY_TEXT, REMOTE_ONLY, bounded
from costpol.errors import ProvisionError

if TYPE_CHECKING:
    import aiohttp

    from costpol.commands import Vector

MAX_CHARACTERS = 8192
MAX_ANSWER_BYTES = 1_000_000
"""More than 4,096 numbers take in JSON; an answer beyond is not read."""


class _Item(msgspec.Struct):
    embedding: list[float]


class _Answer(msgspec.Struct):
    data: list[_Item]


class OpenAICompatibleEmbedder:
    """One model behind one endpoint.

    `base_url` ends before `/embeddings` (`https://api.openai.com/v1`). `timeout` is seconds for the whole call.
    `send_dimension` asks the endpoint for `dimension` numbers, which only some models understand.
    """

    local = False
    max_characters = MAX_CHARACTERS
    similarity_floor = None
    cache_threshold = None

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        base_url: str,
        model: str,
        key: str | None,
        dimension: int,
        timeout: float,
        send_dimension: bool = False,
    ) -> None:
        self.id = f"openai-compatible/{model}@{urlsplit(base_url).netloc}/{dimension}"
        self.dimension = dimension
        self._session = session
        self._url = base_url.rstrip("/") + "/embeddings"
        self._headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})
        self._timeout = timeout
        self._question: dict[str, object] = {"model": model, "encoding_format": "float"}
        if send_dimension:
            self._question["dimensions"] = dimension

    async def provision(self) -> None:
        """Embed one word, to see that endpoint, key, model and dimension are right.

        :raises ProvisionError: they are not.
        """
        answer = await self.embed_async("ready")
        if isinstance(answer, Failed):
            raise ProvisionError(
                f"the embedder `{self.id}` does not answer as it should: {answer.reason}",
                help=f"check the key, the model and its dimension, and that `{self._url}` can be reached",
            )

    def embed(self, text: str) -> Vector | Failed:
        """Always `REMOTE_ONLY`: only `embed_async` can wait for the network."""
        return REMOTE_ONLY

    async def embed_async(self, text: str) -> Vector | Failed:
        """The unit vector of a text, or why there is none: `embedder_` and `empty_text`, `timeout`, `unreachable`,
        `status_<code>`, `broken_answer`, `wrong_dimension`."""
        if not text or text.isspace():
            return EMPTY_TEXT
        import aiohttp

        body = msgspec.json.encode(self._question | {"input": bounded(text, MAX_CHARACTERS)})
        try:
            async with self._session.post(
                self._url, data=body, headers=self._headers, timeout=aiohttp.ClientTimeout(total=self._timeout)
            ) as response:
                if response.status != 200:
                    return Failed(f"embedder_status_{response.status}")
                answer = await _read(response)
        except TimeoutError:
            return Failed("embedder_timeout")
        except aiohttp.ClientError:
            return Failed("embedder_unreachable")
        return self._vector(answer)

    def _vector(self, answer: bytes) -> Vector | Failed:
        import numpy as np

        try:
            items = msgspec.json.decode(answer, type=_Answer).data
        except (msgspec.DecodeError, UnicodeDecodeError):
            return Failed("embedder_broken_answer")
        if len(items) != 1:
            return Failed("embedder_broken_answer")
        if len(items[0].embedding) != self.dimension:
            return Failed("embedder_wrong_dimension")
        length = math.hypot(*items[0].embedding)
        if not 0 < length < math.inf:
            return Failed("embedder_broken_answer")
        return (np.array(items[0].embedding) / length).astype(np.float32)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """At most `MAX_ANSWER_BYTES`; what is cut off will not decode."""
    answer = bytearray()
    async for chunk in response.content.iter_chunked(65536):
        answer += chunk
        if len(answer) > MAX_ANSWER_BYTES:
            break
    return bytes(answer[:MAX_ANSWER_BYTES])
