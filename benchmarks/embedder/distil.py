"""Makes the artifact of the built-in embedder from the transformer.

    python benchmarks/embedder/distil.py --data DIR --out engine/costpol/embedding/static_en

First the model2vec distillation (every token alone through the transformer, PCA to 256 dimensions, Zipf weights), then
training on the similarities that the transformer gives to many texts. `DIR` holds `clinc150/data_full.json`.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from dataclasses import replace
from pathlib import Path

import artifact
import corpus
import numpy as np
import thresholds
import torch
import training
from teacher import Teacher

from costpol.commands import Failed
from costpol.embedding.static import StaticEmbedder
from costpol.embedding.wordpiece import WordPiece

SEED = 20240607
DIMENSION = 256
VERSION = "2"
ORDER_WEIGHT = 0.25
"""Chosen on CLINC150's validation part: more costs likeness of paraphrases, less leaves reversed questions alike."""


def distilled(teacher: Teacher) -> tuple[list[str], np.ndarray]:
    """The kept pieces and their rows as model2vec makes them, with random rows for the buckets after them."""
    from model2vec.distill import distill_from_model

    static = distill_from_model(teacher.model, teacher.tokenizer, pca_dims=DIMENSION, quantize_to="float32")
    rows = {piece: static.embedding[row] for piece, row in static.tokenizer.get_vocab().items()}
    order = teacher.tokenizer.get_vocab()
    pieces = sorted((piece for piece in order if piece in rows and artifact.kept(piece)), key=order.__getitem__)
    known = np.stack([rows[piece] for piece in pieces]).astype(np.float32)
    known /= np.median(np.linalg.norm(known, axis=1))
    random = np.random.default_rng(SEED).standard_normal((artifact.BUCKETS, DIMENSION)).astype(np.float32)
    random /= np.linalg.norm(random, axis=1, keepdims=True)
    return pieces, np.concatenate([known, random])


def taught(teacher: Teacher, texts: list[str], keep: Path | None) -> np.ndarray:
    """The transformer's vectors of the texts, from `keep` where it holds those of just these texts."""
    digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]
    kept = keep / f"taught-{digest}.npy" if keep else None
    if kept and kept.exists():
        return np.load(kept, allow_pickle=False)
    started = time.monotonic()
    vectors = teacher.embed(texts)
    print(f"{len(texts)} texts through the transformer in {time.monotonic() - started:.0f} s", flush=True)
    if kept:
        np.save(kept, vectors, allow_pickle=False)
    return vectors


def embed_all(embedder: StaticEmbedder, texts: list[str]) -> np.ndarray:
    vectors = [embedder.embed(text) for text in texts]
    return np.stack([vector for vector in vectors if not isinstance(vector, Failed)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--keep", type=Path, help="a folder for the transformer's answers, to train again without it")
    parser.add_argument("--untrained", action="store_true", help="stop after the distillation, to compare with")
    arguments = parser.parse_args()
    if not (arguments.data / corpus.CLINC).exists():
        print(f"skipped: there is no `{arguments.data / corpus.CLINC}`")
        return
    torch.set_num_threads(1)
    teacher = Teacher()
    print(teacher.source)
    pieces, rows = distilled(teacher)
    cut = WordPiece(pieces, artifact.BUCKETS)
    if not arguments.untrained:
        texts = [text for text in corpus.training_texts(SEED, pieces, arguments.data) if cut.rows(text)]
        vectors = taught(teacher, texts, arguments.keep)
        rows = training.train(rows, [cut.rows(text) for text in texts], vectors, training.Recipe(SEED))
    version, order_weight = ("1", 0.0) if arguments.untrained else (VERSION, ORDER_WEIGHT)
    manifest = artifact.Manifest(version, order_weight, similarity_floor=0.0, cache_threshold=1.0)
    artifact.write(arguments.out, pieces, rows, manifest)
    embedder = StaticEmbedder(arguments.out)
    labelled = thresholds.read_labelled(arguments.data)
    known, strangers = embed_all(embedder, labelled.texts), embed_all(embedder, labelled.strangers)
    floor = thresholds.similarity_floor(*thresholds.nearest_example(known, labelled.intents, strangers, SEED))
    threshold = thresholds.cache_threshold(known, labelled.intents)
    chosen = replace(manifest, similarity_floor=floor, cache_threshold=threshold)
    digest = artifact.write(arguments.out, pieces, rows, chosen)
    print(f"{len(pieces)} pieces, {rows.shape}, digest {digest[:8]}")


if __name__ == "__main__":
    main()
