"""What a declared share of wrong hits brings, beside fixed cosine thresholds on the same streams, by the real flow.

    PYTHONPATH=engine python benchmarks/cache.py --data DIR [--streams banking77 clinc150 trades ...] [--stream FILE]
        [--embedder static minilm] [--limits 0.01 0.02 0.05] [--seeds 3] [--messages N] [--entries 10000 50000]
        [--vectors DIR] [--torch PYTHON] [--gptcache PYTHON]

A stream is sent in a random order per seed, with a cold start, through a compiled policy as `costpol dry-run` sends a
log: embedder, Edge cache, guards, judge and storing are the real ones. Only misses are stored; a hit is right
when the
entry's answer id is the request's. `declared` is the rule behind `max_wrong_hits`; `afresh` are the hits that it
had answered anew behind the caller, to learn from. `fixed` is a cosine threshold without guards, `fixed, best`
the one
that brought the most hits within the limit, known only with hindsight (from the first three seeds).
`recognised` is the ceiling:
requests whose right answer was stored when they came. `trades`, `skewed`, `opposites`, `rare`, `drifting` and
`single` are made by a script (`benchmarks/cache/made.py`), and so are `ward` and `desk`
(`benchmarks/cache/desks.py`); `drifting` is sent in its own order. A CSV or JSONL file of your own needs `text` and
`answer_id`. MiniLM's vectors are made by an interpreter that has torch, and kept in a folder.

Then what a decision takes with the built-in embedder at so many entries, and GPTCache's default where it is
installed.

Exit 0: measured, or there is no data (`skipped`).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from cache.desks import DESKS
from cache.flow import replayed
from cache.latency import gptcache, measure
from cache.made import MADE
from cache.rules import Run, best_within, fixed, order
from cache.streams import Stream, embed_minilm, embed_static, read, read_file

SHOWN = (0.90, 0.92, 0.95)
KNOWN = ("banking77", "clinc150")
MADE_UP = MADE | DESKS
IN_ORDER = ("drifting",)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", default=os.environ.get("COSTPOL_BENCH_DATA"), help="the folder with banking77/, clinc150/"
    )
    parser.add_argument("--streams", nargs="*", default=list(KNOWN), choices=[*KNOWN, *MADE_UP])
    parser.add_argument("--stream", type=Path, action="append", default=[], help="your own stream; may be repeated")
    parser.add_argument("--embedder", nargs="+", default=["static"], choices=["static", "minilm"])
    parser.add_argument("--limits", type=float, nargs="+", default=[0.01, 0.02, 0.05])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--messages", type=int, help="so many messages of each stream, drawn once")
    parser.add_argument("--entries", type=int, nargs="*", default=[10_000, 50_000], help="sizes to time a decision at")
    parser.add_argument("--vectors", type=Path, default=Path(tempfile.gettempdir()) / "costpol-vectors")
    parser.add_argument("--torch", default=sys.executable, help="an interpreter that has torch and MiniLM")
    parser.add_argument("--gptcache", default=sys.executable, help="an interpreter that has gptcache and faiss")
    options = parser.parse_args()

    streams = [found for name in options.streams if (found := known(name, options.data)) is not None]
    streams += [stream for stream in map(read_file, options.stream) if stream is not None]
    if not streams:
        print("skipped: there is no stream; name a folder with --data, or a file with --stream")
    for stream in streams:
        compare(drawn(stream, options.messages), options)
    if options.entries:
        time_decisions(options.entries, options.gptcache)
    return 0


def known(name: str, data: str | None) -> Stream | None:
    """A stream by its name; `None` where its data is missing."""
    if name in MADE_UP:
        return MADE_UP[name]()
    return None if data is None else read(Path(data), name)


def drawn(stream: Stream, count: int | None) -> Stream:
    """So many messages of a stream, the same ones each time."""
    if count is None or count >= len(stream.texts):
        return stream
    rows = np.sort(np.random.default_rng(0).permutation(len(stream.texts))[:count])
    return Stream(stream.name, [stream.texts[row] for row in rows], [stream.answers[row] for row in rows])


def compare(stream: Stream, options: argparse.Namespace) -> None:
    """The table of one stream."""
    embeddings = [embed_static(stream)] if "static" in options.embedder else []
    if "minilm" in options.embedder:
        embeddings += embed_minilm(stream, options.vectors, options.torch)
    in_order = stream.name in IN_ORDER
    print(f"\n{stream.name}: {len(stream.texts):,} messages, {len(set(stream.answers)):,} answers, "
          f"{options.seeds} seeds, recognised {recognised(stream, in_order):.1%}")  # fmt: skip
    for embedding in embeddings:
        heads = "".join(f"{head:>9}" for head in ("hits", "wrong", "worst", "kept", "afresh"))
        print(f"  {embedding.name:<26}{heads}{'decided':>11}{'refused by guards':>20}")
        thresholds = [fixed(stream, embedding, seed, in_order=in_order) for seed in range(min(options.seeds, 3))]
        for limit in options.limits:
            rule = f"max_wrong_hits: {limit:g}"
            runs = [replayed(stream, embedding, rule, seed, in_order=in_order) for seed in range(options.seeds)]
            kept = sum(run.wrong_share <= limit for run in runs)
            line(f"declared <= {limit:.0%}", runs, f"{kept}/{options.seeds}", declared=True)
            best = [best_within(found, limit) for found in thresholds]
            at = ", ".join(f"{threshold:.3g}" for threshold in sorted({threshold for threshold, _ in best}))
            line(f"fixed, best ({at})", [run for _, run in best], "")
        for threshold in SHOWN:
            line(f"fixed {threshold}", [run for found in thresholds for at, run in found if at == threshold], "")


def line(title: str, runs: list[Run], kept: str, declared: bool = False) -> None:
    """One row: means over the seeds and the worst wrong share."""
    hits, wrong = [run.hit_rate for run in runs], [run.wrong_share for run in runs]
    tail = ""
    if declared:
        afresh = np.mean([run.verified / run.requests for run in runs])
        names = sorted({name for run in runs for name in run.guarded})
        guarded = ", ".join(f"{name} {np.mean([run.guarded[name] for run in runs]):.0f}" for name in names)
        tail = f"{afresh:>9.1%}{np.mean([run.decision for run in runs]) * 1e3:>8.2f} ms   {guarded}"
    print(f"  {title:<26}{np.mean(hits):>9.1%}{np.mean(wrong):>9.2%}{max(wrong):>9.2%}{kept:>9}{tail}", flush=True)


def recognised(stream: Stream, in_order: bool) -> float:
    """The share of requests whose answer had been given before: no cache can hit more."""
    seen: set[str] = set()
    known = 0
    for row in order(stream, 0, in_order):
        known += stream.answers[row] in seen
        seen.add(stream.answers[row])
    return known / len(stream.texts)


def time_decisions(sizes: list[int], python: str) -> None:
    """What a decision takes at each size."""
    print(f"\n{'milliseconds, one core':<44}{'p50':>10}{'p99':>10}")
    for entries in sizes:
        timing = measure(entries)
        for title, seconds in (
            ("embedding", timing.embed),
            ("search, filtered on tenant, intent, expiry", timing.lookup),
            ("whole decision, a hit", timing.hit),
            ("whole decision, a miss, and storing it", timing.miss),
        ):
            middle, slow = np.percentile(seconds * 1e3, [50, 99]) if len(seconds) else (np.nan, np.nan)
            print(f"{entries:>7,} entries: {title:<27}{middle:>10.3f}{slow:>10.3f}", flush=True)
        found = gptcache(python, entries, 256)
        if isinstance(found, str):
            print(f"{entries:>7,} entries: GPTCache (SQLite + FAISS) {found}")
        else:
            title, (middle, slow) = "GPTCache (SQLite + FAISS)", found
            print(f"{entries:>7,} entries: {title:<27}{middle * 1e3:>10.3f}{slow * 1e3:>10.3f}")


if __name__ == "__main__":
    sys.exit(main())
