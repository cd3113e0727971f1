"""What an embedder promises: a text becomes a unit-length vector, or a reason why not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from costpol.commands import Failed

if TYPE_CHECKING:
    from costpol.commands import Vector

EMPTY_TEXT = Failed("embedder_empty_text")
"""The answer for a text without a word or sign. It has no vector: a zero vector would be compared with others."""

REMOTE_ONLY = Failed("embedder_remote")
"""The answer of `embed` where only `embed_async` can answer."""


class Embedder(Protocol):
    """Vectors of texts, comparable with each other (dot product = cosine) under one `id` and with nothing else."""

    @property
    def id(self) -> str:
        """Stable identity: name, digest or model, dimension. Vectors of two ids must never meet in one index."""

    @property
    def dimension(self) -> int:
        """How many float32 numbers a vector has."""

    @property
    def local(self) -> bool:
        """Whether `embed` answers inline, in microseconds. Otherwise only `embed_async` answers, from a network or a
        thread."""

    @property
    def max_characters(self) -> int:
        """Longer texts are embedded by their beginning and end (see `bounded`): two of them may differ unseen."""

    @property
    def similarity_floor(self) -> float | None:
        """Below this cosine the nearest example shows no intent. `None` where nobody has measured it."""

    @property
    def cache_threshold(self) -> float | None:
        """A fixed cosine, chosen cautiously, from which one answer may serve another question; `None`: not measured."""

    def embed(self, text: str) -> Vector | Failed:
        """The vector of a text, if the embedder is local."""

    async def embed_async(self, text: str) -> Vector | Failed:
        """The vector of a text, from any embedder. Never retried: the request waits for it."""

    async def embed_all(self, texts: Sequence[str]) -> list[Vector | Failed]:
        """One answer per text, in their order. For provisioning: no request waits for it."""


def is_empty(text: str) -> bool:
    """Whether there is nothing to embed in a text."""
    return not text or text.isspace()


_AWAY = {"embedder_timeout", "embedder_unreachable", "embedder_busy", "embedder_resting", "embedder_status_429"}


def is_away(answer: Failed) -> bool:
    """Whether the same question may have an answer later: nobody was there, or had no time."""
    return answer.reason in _AWAY or answer.reason.startswith("embedder_status_5")


def bounded(text: str, limit: int) -> str:
    """At most `limit` characters: a long text keeps its first and its last half, where questions tend to stand."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return text[:half] + text[len(text) - half :]
