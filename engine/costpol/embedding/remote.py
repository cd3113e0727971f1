"""Vectors from an embedding API, over a session that the caller owns; `openai_compatible` and `gemini` speak one each.

`provision` asks once before a policy is served and raises; a request asks once and gets a reason instead of a vector
when that fails, so that the request goes on without one. Requests that come together share a call.

Nothing is retried, but for one thing: a call that is refused for what it asks is asked again text by text, so that one
text does not fail the others.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from costpol.commands import Failed
from costpol.embedding.batches import TIMEOUT, Batches
from costpol.embedding.embedder import EMPTY_TEXT, REMOTE_ONLY, bounded, is_away, is_empty
from costpol.errors import AwayError, ProvisionError

if TYPE_CHECKING:
    import aiohttp

    from costpol.commands import Vector

MAX_CHARACTERS = 8192
MAX_ANSWER_BYTES = 1_000_000
"""More than 4,096 numbers take in JSON, for each text; an answer beyond is not read."""
TOGETHER = 4
"""Calls under way at the same time, beyond which texts gather for the next one."""

BROKEN = Failed("embedder_broken_answer")
WRONG_DIMENSION = Failed("embedder_wrong_dimension")
UNREACHABLE = Failed("embedder_unreachable")

_PATIENCE = 10.0
"""Seconds that one call may take for which no request waits."""
_REFUSED = frozenset(f"embedder_status_{status}" for status in (400, 413, 422))
"""The endpoint has read the call and will not answer it: the fault is in a text, or in how many there are."""


class Wire(Protocol):
    """How one API asks and answers."""

    @property
    def url(self) -> str:
        """Where it is asked."""

    @property
    def headers(self) -> Mapping[str, str]:
        """What every call carries; the key among it."""

    def question(self, texts: Sequence[str], dimension: int | None) -> dict[str, Any]:
        """The body of a call; `dimension` where that many numbers have to be asked for."""

    def rows(self, answer: bytes, count: int) -> Sequence[Sequence[float] | None]:
        """The numbers for each of the `count` texts in their order; `None` for one that was left out.

        :raises msgspec.DecodeError: it is no answer to the call.
        """


class RemoteEmbedder:
    """One model behind one API. `timeout` is seconds from the question to its vector, `batch` how many texts one call
    may carry, `proxy` the HTTP proxy on the way.
    """

    local = False
    max_characters = MAX_CHARACTERS
    similarity_floor = None
    cache_threshold = None

    def __init__(
        self,
        session: aiohttp.ClientSession,
        wire: Wire,
        *,
        id: str,
        dimension: int,
        timeout: float,
        batch: int = 16,
        send_dimension: bool = False,
        proxy: str | None = None,
    ) -> None:
        self.id = id
        self.dimension = dimension
        self._session, self._wire, self._proxy = session, wire, proxy
        self._headers = {"content-type": "application/json", **wire.headers}
        self._timeout, self._batch = timeout, batch
        self._asked_dimension = dimension if send_dimension else None
        self._batches = Batches(self._run, size=batch, together=TOGETHER, timeout=timeout)

    async def provision(self) -> None:
        """Embed one word, to see that endpoint, key, model and dimension are right. Vectors of another length than
        declared are asked for anew, with their dimension: many models can shorten theirs.

        :raises AwayError: nobody answers now.
        :raises ProvisionError: they are not.
        """
        (answer,) = await self.embed_all(["ready"])
        if answer is WRONG_DIMENSION and self._asked_dimension is None:
            self._asked_dimension = self.dimension
            (shortened,) = await self.embed_all(["ready"])
            if not isinstance(shortened, Failed):
                return
            self._asked_dimension = None
        if isinstance(answer, Failed):
            raise (AwayError if is_away(answer) else ProvisionError)(
                f"the embedder `{self.id}` does not answer as it should: {answer.reason}",
                help=f"check the key, the model and its dimension, and that `{self._wire.url}` can be reached",
            )

    def embed(self, text: str) -> Vector | Failed:
        """Always `REMOTE_ONLY`: only `embed_async` can wait for the network."""
        return REMOTE_ONLY

    async def embed_async(self, text: str) -> Vector | Failed:
        """The unit vector of a text, or why there is none: `embedder_` and `empty_text`, `timeout`, `busy`,
        `unreachable`, `status_<code>`, `broken_answer`, `wrong_dimension`."""
        return EMPTY_TEXT if is_empty(text) else await self._batches.embed(bounded(text, MAX_CHARACTERS))

    async def embed_all(self, texts: Sequence[str]) -> list[Vector | Failed]:
        """One answer per text, in their order, call after call; none of them is hurried."""
        asked = [bounded(text, MAX_CHARACTERS) for text in texts if not is_empty(text)]
        answers: list[Vector | Failed] = []
        for start in range(0, len(asked), self._batch):
            answers += await self._run(asked[start : start + self._batch], max(self._timeout, _PATIENCE))
        rest = iter(answers)
        return [EMPTY_TEXT if is_empty(text) else next(rest) for text in texts]

    async def _run(self, texts: Sequence[str], timeout: float | None = None) -> list[Vector | Failed]:
        timeout = self._timeout if timeout is None else timeout
        answers = await self._call(texts, timeout)
        if not isinstance(answers, Failed):
            return answers
        if len(texts) > 1 and answers.reason in _REFUSED:
            alone = await asyncio.gather(*(self._call([text], timeout) for text in texts))
            return [answer if isinstance(answer, Failed) else answer[0] for answer in alone]
        return [answers] * len(texts)

    async def _call(self, texts: Sequence[str], timeout: float) -> list[Vector | Failed] | Failed:
        import aiohttp

        try:
            async with self._session.post(
                self._wire.url,
                data=msgspec.json.encode(self._wire.question(texts, self._asked_dimension)),
                headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=timeout),
                allow_redirects=False,  # the key is for this address alone
                proxy=self._proxy,
            ) as response:
                if response.status != 200:
                    return Failed(f"embedder_status_{response.status}")
                answer = await _read(response, MAX_ANSWER_BYTES * len(texts))
        except TimeoutError:
            return TIMEOUT
        except (aiohttp.ClientError, OSError):
            return UNREACHABLE
        try:
            rows = self._wire.rows(answer, len(texts))
        except (msgspec.DecodeError, UnicodeDecodeError):
            return BROKEN
        return [BROKEN if row is None else self._vector(row) for row in rows]

    def _vector(self, row: Sequence[float]) -> Vector | Failed:
        import numpy as np

        if len(row) != self.dimension:
            return WRONG_DIMENSION
        length = math.hypot(*row)
        return (np.array(row) / length).astype(np.float32) if 0 < length < math.inf else BROKEN


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """At most `limit` bytes; what is cut off will not decode."""
    answer = bytearray()
    async for chunk in response.content.iter_chunked(65536):
        answer += chunk
        if len(answer) > limit:
            break
    return bytes(answer[:limit])
