"""Vectors from a transformer that runs in this process, in a thread of its own: one takes milliseconds, and the event
loop has other requests to serve meanwhile. `sentence_transformer` and `fastembed_model` load one.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

from costpol.commands import Failed
from costpol.embedding.batches import Batches
from costpol.embedding.embedder import EMPTY_TEXT, REMOTE_ONLY, bounded, is_empty
from costpol.errors import ProvisionError

if TYPE_CHECKING:
    from costpol.commands import Vector

MAX_CHARACTERS = 2048
"""Four passes of a common model for prose, up to sixteen for text without spaces."""

THREADS = max((os.cpu_count() or 1) // 2, 1)
"""Threads that one batch may take. They spin while they wait for each other: with one for every core, beside an event
loop at work, a text that takes 33 ms by a single thread took 340."""

MODEL_ERROR = Failed("embedder_model_error")
"""The answer for a text on which the model itself fails."""

_log = logging.getLogger("costpol.embedding")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class TextModel:
    """A loaded model. Its functions are called from one thread only.

    `encode` gives one row of `dimension` numbers per text. `fits` says whether the model reads a text to its end:
    what is beyond its longest input it drops without a word.
    """

    id: str
    dimension: int
    encode: Callable[[list[str]], Any]
    fits: Callable[[str], bool]
    similarity_floor: float | None = None
    cache_threshold: float | None = None


class ModelEmbedder:
    """A model, its thread, and the requests that wait for it: while one batch is embedded, the next one gathers.

    `timeout` is seconds from the question to its vector, `batch` how many texts are embedded together.
    """

    local = False
    max_characters = MAX_CHARACTERS

    def __init__(self, model: TextModel, *, timeout: float, batch: int) -> None:
        self.id, self.dimension = model.id, model.dimension
        self.similarity_floor, self.cache_threshold = model.similarity_floor, model.cache_threshold
        self._model = model
        self._batch = batch
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="embedder")
        self._batches = Batches(self._run, size=batch, together=1, timeout=timeout)

    def embed(self, text: str) -> Vector | Failed:
        """Always `REMOTE_ONLY`: only `embed_async` can wait for the model."""
        return REMOTE_ONLY

    async def embed_async(self, text: str) -> Vector | Failed:
        """The unit vector of a text, or why there is none: `embedder_` and `empty_text`, `timeout`, `busy`,
        `model_error`."""
        return EMPTY_TEXT if is_empty(text) else await self._batches.embed(text)

    async def embed_all(self, texts: Sequence[str]) -> list[Vector | Failed]:
        """One answer per text, in their order, however long it takes."""
        answers: list[Vector | Failed] = []
        for start in range(0, len(texts), self._batch):
            answers += await self._run(list(texts[start : start + self._batch]))
        return answers

    def close(self) -> None:
        """Let the thread and the model go; a batch that is under way still ends."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _run(self, texts: list[str]) -> list[Vector | Failed]:
        return await asyncio.get_running_loop().run_in_executor(self._thread, encode_all, self._model, texts)


def encode_all(model: TextModel, texts: Sequence[str]) -> list[Vector | Failed]:
    """One answer per text, in their order. A text on which the model fails does not fail the others.

    What a model does not read to its end is read in pieces; its vector is the direction of their sum.
    """
    pieces = [[] if is_empty(text) else list(_pieces(model, bounded(text, MAX_CHARACTERS))) for text in texts]
    try:
        rows = iter(_encode(model, [piece for parts in pieces for piece in parts]))
        return [_direction([next(rows) for _ in parts]) for parts in pieces]
    except Exception as error:  # noqa: BLE001 - whatever the model's own code raises
        if len(texts) > 1:
            return [answer for text in texts for answer in encode_all(model, [text])]
        _log.warning("the embedder `%s` fails on a text of %d characters: %s", model.id, len(texts[0]), error)
        return [MODEL_ERROR]


def _pieces(model: TextModel, text: str) -> Iterator[str]:
    if len(text) < 2 or model.fits(text):
        yield text
        return
    half = len(text) // 2
    blank = text.rfind(" ", half // 2, half)
    cut = half if blank < 0 else blank
    yield from _pieces(model, text[:cut])
    yield from _pieces(model, text[cut:])


def _encode(model: TextModel, pieces: list[str]) -> list[Vector]:
    import numpy as np

    rows = list(np.asarray(model.encode(pieces), dtype=np.float32)) if pieces else []
    if len(rows) != len(pieces):
        raise ValueError(f"{len(rows)} vectors for {len(pieces)} texts")
    return rows


def _direction(rows: list[Vector]) -> Vector | Failed:
    import numpy as np

    if not rows:
        return EMPTY_TEXT
    total: Vector = np.sum(rows, axis=0)
    length = float(total @ total) ** 0.5
    return total / np.float32(length) if 0 < length < float("inf") else MODEL_ERROR


def load_within(seconds: float, load: Callable[[], _T], what: str) -> _T:
    """What `load` returns or raises; it runs in a thread that is left alone when it takes too long.

    :raises ProvisionError: it does, or `load` raised something else than one of ours.
    """
    answers: SimpleQueue[_T | BaseException] = SimpleQueue()

    def run() -> None:
        try:
            answers.put(load())
        except BaseException as error:  # noqa: BLE001 - raised again by who waits
            answers.put(error)

    thread = Thread(target=run, name="load-embedder", daemon=True)
    thread.start()
    thread.join(seconds)
    if answers.empty():
        raise ProvisionError(
            f"{what} was not loaded within {seconds:g} seconds",
            "see that its files are on this machine, and that the disk and the network answer",
        )
    answer = answers.get()
    if isinstance(answer, ProvisionError):
        raise answer
    if isinstance(answer, Exception):
        raise ProvisionError(f"{what} cannot be loaded: {_first_line(answer)}", "see that its files are whole")
    if isinstance(answer, BaseException):
        raise answer
    return answer


def weights_digest(folder: Path) -> str:
    """SHA-256 over the weights in a folder: another digest, other vectors.

    :raises ProvisionError: there are none, or they cannot be read.
    """
    files = [*folder.rglob("*.safetensors")] or [*folder.rglob("*.onnx")] or [*folder.rglob("pytorch_model*.bin")]
    if not files:
        raise ProvisionError(f"there are no weights in `{folder}`", "name a folder that holds a model")
    digest = hashlib.sha256()
    try:
        for file in sorted(files):
            with file.open("rb") as lines:
                while part := lines.read(1 << 20):
                    digest.update(part)
    except OSError as error:
        raise ProvisionError(f"the weights in `{folder}` cannot be read: {error}", "see to its permissions") from error
    return digest.hexdigest()


def find_folder(model: str) -> Path | None:
    """The folder that a model's name means; `None` where it means a name on the hub.

    :raises ProvisionError: it can only mean a folder, and there is none.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder
    if model.startswith(("/", "~", "./", "../")):
        raise ProvisionError(f"there is no folder `{model}`", "name the folder that holds the model's files")
    return None


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
