"""What a decision takes once a cache is full: the whole flow, from a decoded request to the answer or the call.

The entries belong to ten tenants and eight intents, and half of them have expired; each decision embeds its question,
asks the Edge cache with the filters on tenant, intent and expiry, reads the guards and judges the evidence. What was
learned comes from a replay of the same questions. One core, one request at a time; as in the sidecar, what a hit
teaches is learned once its answer has left.
"""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import json
import random
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from cache.flow import START, policy, rehearse
from cache.made import trades
from cache.rules import order
from costpol.commands import Answered, Call, Command, Embed, Entry, LookupSimilar, Scope, Store
from costpol.evaluate.record import RecordReader
from costpol.evaluate.rehearsal import Rehearsal
from costpol.evaluate.replay import Replay
from costpol.runtime.live import Handlers, Inline, drive

TENANTS, INTENTS, ASKED = 10, 8, 1500


@dataclass(frozen=True)
class Timing:
    """Seconds, by what was timed."""

    entries: int
    embed: np.ndarray
    lookup: np.ndarray
    hit: np.ndarray
    miss: np.ndarray


def measure(entries: int, limit: float = 0.02) -> Timing:
    """Learn, fill the store with so many entries, then ask."""
    return asyncio.run(_measure(entries, limit))


async def _measure(entries: int, limit: float) -> Timing:
    stream = trades(seed=1, count=3000)
    async with rehearse(policy(f"max_wrong_hits: {limit}", max_entries=entries + 10_000), None) as rehearsal:
        inline = dict(rehearsal.snapshot.handlers.inline)
        kept: list[Store] = []
        keep = inline[Store]

        def store(command: Store) -> Any:
            kept.append(command)
            return keep(command)

        watched = dataclasses.replace(rehearsal.snapshot, handlers=Handlers({**inline, Store: store}))
        replay, reader = Replay(Rehearsal(watched, rehearsal.stores)), RecordReader()
        for number, row in enumerate(order(stream, 0)):
            await replay.run(reader.read(_line(stream.texts[row], stream.answers[row], number), str(number)))
        _fill(keep, kept[0].entry, inline[Embed], entries)
        return await _ask(rehearsal, inline, entries)


def _fill(keep: Inline, template: Entry, embed: Inline, entries: int) -> None:
    """More entries like those that were kept: other wordings, other tenants, other intents, half of them expired."""
    chance = random.Random(3)
    stream = trades(seed=7, count=entries)
    now = START + 100_000
    for number, (text, answer) in enumerate(zip(stream.texts, stream.answers, strict=True)):
        worded = f"{text} {chance.choice(_ASIDES)} {chance.choice(_ASIDES)}"
        tenant, round_ = number % TENANTS, number // TENANTS
        entry = dataclasses.replace(
            template,
            question=f"{number:032x}",
            scope=template.scope if tenant == 0 else Scope("tenant", f"tenant:other-{tenant}"),
            intent=f"intent-{round_ % INTENTS}" if round_ % INTENTS else template.intent,
            text=worded,
            answer_id=answer,
            expires=now + (1e6 if round_ // INTENTS % 2 else -10.0),
        )
        keep(Store(entry, embed(Embed(worded)).vector))


_ASIDES = "today soon again quickly somehow abroad later maybe online indeed now here once more then thanks".split()


async def _ask(rehearsal: Rehearsal, inline: dict[type[Command], Inline], entries: int) -> Timing:
    times: dict[str, list[float]] = {"embed": [], "lookup": [], "hit": [], "miss": []}

    def timed(name: str, answer: Inline) -> Inline:
        def ask(command: Command) -> Any:
            started = time.perf_counter()
            reply = answer(command)
            times[name].append(time.perf_counter() - started)
            return reply

        return ask

    handlers = Handlers(
        {**inline, Embed: timed("embed", inline[Embed]), LookupSimilar: timed("lookup", inline[LookupSimilar])}
    )
    assert rehearsal.snapshot.handlers.judge is not None
    rehearsal.snapshot.handlers.judge.soon = asyncio.get_running_loop().call_soon
    asked, reader = trades(seed=11, count=ASKED), RecordReader()
    gc.collect()
    for number, (text, answer) in enumerate(zip(asked.texts, asked.answers, strict=True)):
        worded = f"{text} {_ASIDES[number % len(_ASIDES)]}"
        record = reader.read(_line(worded, answer, 100_000 // 5 + number), str(number))
        answered = Answered(msgspec.structs.replace(record.answer, usage=record.usage))

        async def call(command: Call, answered: Answered = answered) -> Answered:
            return answered

        started = time.perf_counter()
        outcome = await drive(
            rehearsal.snapshot.pipeline.flow(record.arrival), handlers, call, rehearsal.stores.unsettled
        )
        times["hit" if outcome.kind == "hit" else "miss"].append(time.perf_counter() - started)
        await asyncio.sleep(0)
    return Timing(entries, *(np.array(times[name]) for name in ("embed", "lookup", "hit", "miss")))


def _line(text: str, answer: str, number: int) -> bytes:
    return json.dumps(
        {
            "time": START + number * 5.0,
            "tenant": "t",
            "answer_id": answer,
            "request": {"model": "large", "messages": [{"role": "user", "content": text}]},
            "response": {"content": answer, "usage": {"prompt_tokens": 50, "completion_tokens": 200}},
        }
    ).encode()


def gptcache(python: str, entries: int, dimension: int) -> tuple[float, float] | str:
    """p50 and p99 seconds of GPTCache's default store (SQLite and FAISS, no filters), or why there are none."""
    script = Path(__file__).with_name("gptcache_lookup.py")
    command = [python, str(script), str(entries), str(dimension)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        return f"not measured: `{python}` cannot be run ({(error.strerror or '').lower()})"
    if done.returncode != 0:
        return (done.stderr.strip().splitlines() or ["not installed"])[-1]
    middle, slow = map(float, done.stdout.split()[-2:])
    return middle, slow
