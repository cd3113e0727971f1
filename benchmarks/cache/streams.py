"""Streams of messages whose right answers are known, and their vectors."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from costpol.commands import Failed
from costpol.embedding.measured import STATIC_EN
from costpol.embedding.static import StaticEmbedder

TEACHER = Path(__file__).parent.parent / "embedder"


@dataclass(frozen=True)
class Stream:
    """Messages in file order and the name of each one's right answer."""

    name: str
    texts: list[str]
    answers: list[str]


@dataclass(frozen=True)
class Embedding:
    """One unit vector per message, by one embedder. `floor` is the cosine of its fixed rule."""

    name: str
    vectors: np.ndarray
    floor: float


def read(data: Path, name: str) -> Stream | None:
    """A known stream (`banking77`, `clinc150`) out of the data folder; `None` where it is missing."""
    if name == "banking77":
        return read_file(data / "banking77" / "train.csv", name, "category")
    path = data / "clinc150" / "data_full.json"
    if not path.exists():
        return None
    pairs = json.loads(path.read_text(encoding="utf-8"))["train"]
    return Stream(name, [text for text, _ in pairs], [label for _, label in pairs])


def read_file(path: Path, name: str | None = None, column: str = "answer_id") -> Stream | None:
    """A stream of your own: CSV or JSONL with `text` and `answer_id`."""
    if not path.exists():
        return None
    with path.open(encoding="utf-8", newline="") as file:
        lines = path.suffix == ".jsonl"
        rows = [json.loads(line) for line in file if line.strip()] if lines else [*csv.DictReader(file)]
    return Stream(name or path.stem, [row["text"] for row in rows], [str(row[column]) for row in rows])


def embed_static(stream: Stream) -> Embedding:
    """By the built-in embedder. A message without words has no vector and gets a zero one: nothing is like it."""
    embedder = StaticEmbedder(STATIC_EN)
    found = [embedder.embed(text) for text in stream.texts]
    zero = np.zeros(embedder.dimension, dtype=np.float32)
    vectors = np.stack([zero if isinstance(vector, Failed) else vector for vector in found])
    return Embedding("static", vectors, embedder.cache_threshold)


def embed_minilm(stream: Stream, cache: Path, python: str) -> list[Embedding]:
    """By the transformer in another interpreter (it needs torch), kept in `cache`; none where it is not installed."""
    kept = cache / f"{stream.name}_minilm.npy"
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        texts = cache / f"{stream.name}.json"
        texts.write_text(json.dumps(stream.texts), encoding="utf-8")
        script = (
            "import json, sys, numpy, torch; torch.set_num_threads(1); sys.path.insert(0, sys.argv[1]);"
            "from teacher import Teacher;"
            "numpy.save(sys.argv[3], Teacher().embed(json.load(open(sys.argv[2], encoding='utf-8'))))"
        )
        done = subprocess.run(
            [python, "-c", script, str(TEACHER), str(texts), str(kept)], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            print(f"minilm skipped: {reason}", file=sys.stderr)
            return []
    vectors = np.load(kept, allow_pickle=False).astype(np.float32)
    if len(vectors) != len(stream.texts):
        print(f"minilm skipped: {kept} is of another stream", file=sys.stderr)
        return []
    return [Embedding("minilm", vectors, 0.95)]
