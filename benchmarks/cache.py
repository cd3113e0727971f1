"""What a declared share of wrong hits brings, beside fixed cosine thresholds, on the same streams.

    PYTHONPATH=engine python benchmarks/cache.py --data DIR [--streams banking77 clinc150] [--stream FILE]
        [--embedders static minilm] [--limits 0.01 0.02 0.05] [--seeds 3] [--vectors DIR] [--torch PYTHON]

A stream is sent in a random order per seed, with a cold start; only misses are stored; a hit is right when the entry's
answer id is the request's. `declared` is the rule behind `max_wrong_hits`. It learns from the answers that the model
gave anyway, and from a few would-be hits that are answered afresh, which count as misses. `fixed, best` is the cosine
threshold that brought the most hits within the limit, known only with hindsight. `recognised` is the ceiling: requests
whose right answer was stored when they came. A CSV or JSONL file of your own needs `text` and `answer_id`. MiniLM's
vectors are made by another interpreter that has torch, and kept in a folder.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from cache.rules import Run, best_within, declared, fixed, order
from cache.streams import Embedding, Stream, embed_minilm, embed_static, read, read_file

SHOWN = (0.90, 0.92, 0.95)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with banking77/ and clinc150/")
    parser.add_argument("--streams", nargs="+", default=["banking77", "clinc150"], choices=["banking77", "clinc150"])
    parser.add_argument("--stream", type=Path, action="append", default=[], help="your own stream; may be repeated")
    parser.add_argument("--embedders", nargs="+", default=["static", "minilm"], choices=["static", "minilm"])
    parser.add_argument("--limits", type=float, nargs="+", default=[0.01, 0.02, 0.05])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--vectors", type=Path, default=Path(tempfile.gettempdir()) / "costpol-vectors")
    parser.add_argument("--torch", default=sys.executable, help="an interpreter that has torch and MiniLM")
    options = parser.parse_args()

    known = [read(options.data, name) for name in options.streams] if options.data else []
    streams = [stream for stream in known + [read_file(path) for path in options.stream] if stream is not None]
    if not streams:
        print("skipped: there is no stream; name a folder with --data, or a file with --stream")
        return
    for stream in streams:
        embeddings = [embed_static(stream)] if "static" in options.embedders else []
        if "minilm" in options.embedders:
            embeddings.extend(embed_minilm(stream, options.vectors, options.torch))
        print(f"\n{stream.name}: {len(stream.texts):,} messages, {len(set(stream.answers)):,} answers, "
              f"{options.seeds} seeds, recognised {recognised(stream):.1%}")  # fmt: skip
        for embedding in embeddings:
            measure(stream, embedding, options.limits, options.seeds)


def measure(stream: Stream, embedding: Embedding, limits: list[float], seeds: int) -> None:
    """One block of the table."""
    heads = "".join(f"{head:>8}" for head in ("hits", "wrong", "worst", "kept", "afresh"))
    print(f"  {embedding.name:<26}{heads}{'decided':>10}{'fits':>8}")
    thresholds = [fixed(stream, embedding, seed) for seed in range(min(seeds, 3))]
    for limit in limits:
        runs = [declared(stream, embedding, limit, seed) for seed in range(seeds)]
        kept = sum(run.wrong_share <= limit for run in runs)
        line(f"declared <= {limit:.0%}", runs, f"{kept}/{seeds}", runs[0])
        best = [best_within(found, limit) for found in thresholds]
        at = ", ".join(f"{threshold:.3g}" for threshold in sorted({threshold for threshold, _ in best}))
        line(f"fixed, best ({at})", [run for _, run in best], "")
    for threshold in SHOWN:
        line(f"fixed {threshold}", [run for found in thresholds for at, run in found if at == threshold], "")


def line(title: str, runs: list[Run], kept: str, timed: Run | None = None) -> None:
    """One row: means over the seeds and the worst wrong share."""
    hits, wrong = [run.hit_rate for run in runs], [run.wrong_share for run in runs]
    afresh = np.mean([run.verified / run.requests for run in runs])
    tail = f"{afresh:>8.1%}{timed.decision * 1e6:>7.0f} us{timed.fitting:>6.1f} s" if timed else ""
    print(f"  {title:<26}{np.mean(hits):>8.1%}{np.mean(wrong):>8.2%}{max(wrong):>8.2%}{kept:>8}{tail}", flush=True)


def recognised(stream: Stream) -> float:
    """The share of requests whose answer had been given before: no cache can hit more."""
    seen: set[str] = set()
    known = 0
    for row in order(stream, 0):
        known += stream.answers[row] in seen
        seen.add(stream.answers[row])
    return known / len(stream.texts)


if __name__ == "__main__":
    main()
