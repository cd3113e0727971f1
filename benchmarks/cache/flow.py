"""A stream through the real flow: a compiled policy, the replay driver, the Edge cache, the guards, the judge.

Each run provisions a policy of its own in an empty folder and replays one order of the stream through it, as
`costpol dry-run` would. Nothing here decides anything: a hit is what the flow says is one.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import numpy as np

from cache.rules import Run, order
from cache.streams import Embedding, Stream
from costpol.commands import Failed
from costpol.embedding.embedder import EMPTY_TEXT, Embedder
from costpol.evaluate.record import RecordReader
from costpol.evaluate.rehearsal import Rehearsal, Stage
from costpol.evaluate.replay import Replay
from costpol.policy.bundle import Bundle
from costpol.runtime.provision import Provisioner
from costpol.runtime.stores import Stores

START = 1_767_600_000.0
_POLICY = {
    "models": "kind: models\nproviders: {sim: {type: openai, base_url: 'http://127.0.0.1:9/v1', key: $NOT_SET}}\n"
    "models: {large: {provider: sim, price: {input: 2 USD, output: 8 USD}}}\ntiers: {only: large}\n",
    "routing": "kind: routing\ndefault: only\n",
    "prompts": "kind: prompts\notherwise: {max_output_tokens: 1k}\n",
    "personalization": "kind: personalization\nexclusions: []\n",
}


@dataclass
class TableEmbedder:
    """Vectors that were made before, by text: stands for an embedder that would need hours for all the runs."""

    embedding: Embedding
    texts: dict[str, np.ndarray] = field(default_factory=dict)
    local: bool = True
    max_characters: int = 10_000
    similarity_floor: float | None = None

    @property
    def id(self) -> str:
        return f"table-{self.embedding.name}"

    @property
    def dimension(self) -> int:
        return int(self.embedding.vectors.shape[1])

    @property
    def cache_threshold(self) -> float | None:
        return self.embedding.floor

    def embed(self, text: str) -> np.ndarray | Failed:
        return self.texts.get(text.strip(), EMPTY_TEXT)

    async def embed_async(self, text: str) -> np.ndarray | Failed:
        return self.embed(text)

    async def embed_all(self, texts: Sequence[str]) -> list[np.ndarray | Failed]:
        return [self.embed(text) for text in texts]


class _Provisioner(Provisioner):
    """With an embedder that no policy can name."""

    table: TableEmbedder | None = None

    async def _embedder(self, bundle: Bundle, opened: ExitStack) -> Embedder | None:
        return self.table or await super()._embedder(bundle, opened)


def policy(rule: str, guards: Iterable[str] | None = None, max_entries: int = 50_000) -> dict[str, bytes]:
    """The smallest policy with a cache. `rule` is `max_wrong_hits: 1%` or `threshold: 0.95`."""
    chosen = "" if guards is None else f", guards: [{', '.join(guards)}]"
    cache = f"kind: cache\notherwise: {{{rule}, ttl: 100d, scope: tenant{chosen}}}\nmax_entries: {max_entries}\n"
    return {f"p/{name}.yaml": f"{text}...\n".encode() for name, text in (_POLICY | {"cache": cache}).items()}


@asynccontextmanager
async def rehearse(files: dict[str, bytes], table: TableEmbedder | None) -> AsyncIterator[Rehearsal]:
    """As a dry-run has it, with an embedder of our own where one is given."""
    async with aiohttp.ClientSession() as session:

        def provisioner(stores: Stores) -> Provisioner:
            made = _Provisioner(stores, session, os.environ, calls=False, clock=lambda: START)
            made.table = table
            return made

        async with Stage(provisioner).rehearse(files) as rehearsal:
            yield rehearsal


def replayed(
    stream: Stream, embedding: Embedding, rule: str, seed: int, *, guards: Iterable[str] | None = None,
    in_order: bool = False,
) -> Run:  # fmt: skip
    """One order of a stream under one rule; the clock is the stream's own, a message every five seconds."""
    return asyncio.run(_replay(stream, embedding, policy(rule, guards), seed, in_order))


async def _replay(
    stream: Stream, embedding: Embedding, files: dict[str, bytes], seed: int, in_order: bool
) -> Run:  # fmt: skip
    table = None
    if embedding.name != "static":
        vectors = zip(stream.texts, embedding.vectors, strict=True)
        table = TableEmbedder(embedding, {text.strip(): vector for text, vector in vectors})
    rows = order(stream, seed, in_order)
    hits = wrong = afresh = 0
    guarded: Counter[str] = Counter()
    times = []
    async with rehearse(files, table) as rehearsal:
        replay, reader = Replay(rehearsal), RecordReader()
        for number, row in enumerate(rows):
            line = _line(stream, int(row), number, seed)
            record = reader.read(line, str(number))
            started = time.perf_counter()
            done = await replay.run(record)
            times.append(time.perf_counter() - started)
            outcome = done.outcome
            if outcome.kind == "hit":
                hits += 1
                wrong += outcome.hit_answer_id != stream.answers[row]
            afresh += done.verified is not None
            for note in outcome.trace:
                if note.what == "refused by guard":
                    guarded[str(dict(note.facts)["guard"])] += 1
    return Run(len(stream.texts), hits, wrong, afresh, float(np.median(times)), float(np.max(times)), guarded)


def _line(stream: Stream, row: int, number: int, seed: int) -> bytes:
    content = stream.texts[row]
    record = {
        "id": f"{seed}-{number}",
        "time": START + number * 5.0,
        "tenant": "t",
        "answer_id": stream.answers[row],
        "request": {"model": "large", "messages": [{"role": "user", "content": content}]},
        "response": {"content": stream.answers[row], "usage": {"prompt_tokens": 50, "completion_tokens": 200}},
    }
    return json.dumps(record).encode()
