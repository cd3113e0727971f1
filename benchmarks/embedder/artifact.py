"""Writes the artifact that `costpol.embedding.static` reads: int8 rows, a scale per row, the pieces, a manifest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

BUCKETS = 1024
"""Rows for what no piece covers: directions at random, so that unknown words still tell texts apart."""

KEPT_SIGNS = "£€¥°½¼"


def kept(piece: str) -> bool:
    """Whether a piece of BERT's vocabulary is kept: English needs ASCII and a few signs, never the special tokens."""
    if piece.startswith("[") and piece.endswith("]") and len(piece) > 2:
        return False
    return piece.isascii() or piece in KEPT_SIGNS


@dataclass(frozen=True)
class Manifest:
    """What is not a vector: see `costpol.embedding.static`."""

    version: str
    order_weight: float
    similarity_floor: float
    cache_threshold: float


def write(folder: Path, pieces: list[str], rows: np.ndarray, manifest: Manifest) -> str:
    """Write the artifact of `rows` (float32; pieces first, then buckets). Returns its digest."""
    folder.mkdir(parents=True, exist_ok=True)
    scales = (np.abs(rows).max(axis=1) / 127).astype(np.float32)
    scales[scales == 0] = 1
    vectors = np.rint(rows / scales[:, None]).astype(np.int8)
    np.save(folder / "vectors.npy", vectors, allow_pickle=False)
    np.save(folder / "scales.npy", scales, allow_pickle=False)
    (folder / "vocabulary.txt").write_text("".join(f"{piece}\n" for piece in pieces), encoding="utf-8")
    digest = digest_of(folder, manifest.order_weight)
    written = {
        "name": "static-en",
        "version": manifest.version,
        "dimension": rows.shape[1],
        "buckets": len(rows) - len(pieces),
        "order_weight": manifest.order_weight,
        "similarity_floor": manifest.similarity_floor,
        "cache_threshold": manifest.cache_threshold,
        "digest": digest,
    }
    (folder / "manifest.json").write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    return digest


def digest_of(folder: Path, order_weight: float) -> str:
    """SHA-256 over everything that shapes a vector, in a fixed order."""
    digest = hashlib.sha256()
    for name in ("vocabulary.txt", "vectors.npy", "scales.npy"):
        digest.update((folder / name).read_bytes())
    digest.update(str(order_weight).encode())
    return digest.hexdigest()
