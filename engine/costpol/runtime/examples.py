"""The examples of a policy's intents, embedded and searchable; while their embedder is away, a reason instead."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from costpol.commands import Failed, NearestIntents, Neighbour
from costpol.embedding.embedder import Embedder, is_away
from costpol.errors import AwayError, ProvisionError
from costpol.policy.bundle import Bundle

if TYPE_CHECKING:
    from costpol.cache.intents import IntentIndex
    from costpol.commands import Vector

NOT_EMBEDDED = Failed("embedder_examples_missing")
"""The answer until the embedder has answered for the first time."""

Known = dict[tuple[str, str], "Vector"]
"""Vectors of examples, by embedder and text."""

_log = logging.getLogger("costpol.embedding")


@dataclass(slots=True)
class Examples:
    """The examples of one policy. `folder` is for the index, and goes away with `close`. `known` holds the vectors of
    the policy before, then those of this one: a reload embeds only what is new."""

    bundle: Bundle
    embedder: Embedder
    folder: Path
    known: Known
    _index: IntentIndex | None = None
    _trying: asyncio.Task[None] | None = None

    def nearest(self, command: NearestIntents) -> tuple[Neighbour, ...] | Failed:
        """Answers `NearestIntents`."""
        return NOT_EMBEDDED if self._index is None else self._index.nearest(command)

    async def build(self) -> None:
        """Embed what is not known and build the index.

        Raises `AwayError` where the embedder does not answer now, `ProvisionError` where it never will.
        """
        from costpol.cache.intents import IntentIndex

        intents = self.bundle.intents.intents if self.bundle.intents is not None else {}
        written = [(name, text) for name, intent in intents.items() for text in intent.examples]
        id = self.embedder.id
        vectors = {(id, text): self.known[id, text] for _, text in written if (id, text) in self.known}
        fresh = [(name, text) for name, text in written if (id, text) not in vectors]
        answers = await self.embedder.embed_all([text for _, text in fresh])
        for (name, text), answer in zip(fresh, answers, strict=True):
            if isinstance(answer, Failed):
                raise (AwayError if is_away(answer) else ProvisionError)(
                    f"the example `{text}` of the intent `{name}` cannot be embedded: {answer.reason}",
                    "see that the embedder answers, and that the example has a word in it",
                )
            vectors[id, text] = answer
        examples = [(name, text, vectors[id, text]) for name, text in written]
        self._index = await asyncio.to_thread(IntentIndex, self.folder, examples)
        self.known.clear()
        self.known.update(vectors)

    def build_later(self, pause: float, note: Callable[[str | None], None] = lambda trouble: None) -> None:
        """Try in the background, every `pause` seconds, until the embedder has answered; `note` is told why there is
        no index, and `None` once there is one."""
        self._trying = asyncio.create_task(self._try(pause, note))

    async def _try(self, pause: float, note: Callable[[str | None], None]) -> None:
        while True:
            try:
                await self.build()
            except AwayError as error:
                note(error.message)
                await asyncio.sleep(pause)
            except ProvisionError as error:
                note(error.message)
                _log.error("questions are not compared by likeness: %s", error.message)
                return
            else:
                note(None)
                _log.warning("the embedder `%s` answers: questions are compared by likeness", self.embedder.id)
                return

    def close(self) -> None:
        """Let go of the index and its folder."""
        if self._trying is not None:
            self._trying.cancel()
        if self._index is not None:
            self._index.close()
        shutil.rmtree(self.folder.parent, ignore_errors=True)
