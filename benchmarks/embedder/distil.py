"""Makes the artifact of the built-in embedder from the transformer.

    python benchmarks/embedder/distil.py --out engine/costpol/embedding/static_en

Stage one is the model2vec distillation: every token alone through the transformer, PCA to 256 dimensions, Zipf weights.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import artifact
import numpy as np
import torch
from teacher import Teacher

SEED = 20240607
DIMENSION = 256


def distilled(teacher: Teacher) -> tuple[list[str], np.ndarray]:
    """The kept pieces and their rows as model2vec makes them, with random rows for the buckets after them."""
    from model2vec.distill import distill_from_model

    static = distill_from_model(teacher.model, teacher.tokenizer, pca_dims=DIMENSION, quantize_to="float32")
    rows = {piece: static.embedding[row] for piece, row in static.tokenizer.get_vocab().items()}
    pieces = [piece for piece in teacher.tokenizer.get_vocab() if piece in rows and artifact.kept(piece)]
    pieces.sort(key=teacher.tokenizer.get_vocab().__getitem__)
    known = np.stack([rows[piece] for piece in pieces]).astype(np.float32)
    length = float(np.median(np.linalg.norm(known, axis=1)))
    random = np.random.default_rng(SEED).standard_normal((artifact.BUCKETS, DIMENSION)).astype(np.float32)
    random *= length / np.linalg.norm(random, axis=1, keepdims=True)
    return pieces, np.concatenate([known, random])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    teacher = Teacher()
    pieces, rows = distilled(teacher)
    manifest = artifact.Manifest(version="1", similarity_floor=0.45, cache_threshold=0.9)
    digest = artifact.write(arguments.out, pieces, rows, manifest)
    print(f"{len(pieces)} pieces, {rows.shape}, digest {digest[:8]}")


if __name__ == "__main__":
    main()
