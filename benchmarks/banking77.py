"""What does a policy do with ten thousand real questions of bank customers, and how often is its cache wrong?

Reads `banking77/train.csv` of Banking77 (PolyAI, CC BY 4.0; https://github.com/PolyAI-LDN/task-specific-datasets) under
`--data` or `COSTPOL_BENCH_DATA`: 10,003 questions, each with one of 77 categories. Each becomes one request for gpt-4.1
with a support prompt of our own; its category names the right answer, so that every cache hit can be judged. The log is
replayed through `costpol dry-run` in three seeded orders. No answers are recorded, so output tokens are assumed: the
shares and hit rates are what this measures, the dollars rest on that assumption.

About 14 % of the data's labels are suspect, and a category is broader than an answer: wrong hits are a rough bound.

Exit 0: measured, or the data is missing (`skipped`).
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SEEDS = (1, 2, 3)
MODEL = "gpt-4.1"
PROMPT = (
    "You are the support assistant of a bank. Answer questions about cards, payments, transfers, top-ups, exchange "
    "rates and identity checks, in plain words and in at most five sentences. Say what the customer can do next. Never "
    "ask for a password or a full card number. If the answer depends on the customer's own account, say where in the "
    "app to look."
)
_START = 1_767_600_000
_SECONDS_APART = 5.0


def main() -> int:
    """Measure, and print a line per seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("COSTPOL_BENCH_DATA"), help="the folder that holds banking77/")
    parser.add_argument("--policies", default="policies", help="the policy (default: policies)")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--write", type=Path, help="write the log of the first seed here, and replay nothing")
    options = parser.parse_args()
    table = None if options.data is None else Path(options.data) / "banking77" / "train.csv"
    if table is None or not table.is_file():
        print("skipped: no banking77/train.csv under --data or COSTPOL_BENCH_DATA")
        return 0
    rows = read_questions(table)
    if options.write is not None:
        write_log(rows, options.seeds[0], options.write)
        return 0
    print(f"banking77: {len(rows):,} requests, policy {options.policies}")
    for seed in options.seeds:
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "banking77.jsonl"
            write_log(rows, seed, log)
            started = time.perf_counter()
            report = dry_run(log, options.policies)
            seconds = time.perf_counter() - started
        print(f"seed {seed}: {summary(report)}; {report['requests'] / seconds:,.0f} requests/s")
    return 0


def read_questions(table: Path) -> list[tuple[str, str]]:
    """Question and category, in the data's order."""
    with table.open(encoding="utf-8", newline="") as file:
        return [(row["text"].strip(), row["category"]) for row in csv.DictReader(file)]


def write_log(rows: Sequence[tuple[str, str]], seed: int, log: Path) -> None:
    """The questions in a seeded order, five seconds apart."""
    order = list(rows)
    random.Random(seed).shuffle(order)
    with log.open("w", encoding="utf-8") as file:
        for number, (question, category) in enumerate(order):
            record = {
                "id": f"b{number:05}",
                "time": _START + number * _SECONDS_APART,
                "tenant": "bank",
                "agent": "support",
                "answer_id": category,
                "request": {
                    "model": MODEL,
                    "messages": [{"role": "system", "content": PROMPT}, {"role": "user", "content": question}],
                },
            }
            file.write(json.dumps(record) + "\n")


def dry_run(log: Path, policies: str) -> dict[str, Any]:
    """The report of `costpol dry-run` on a log."""
    arguments = ["dry-run", str(log), "--policies", policies, "--format", "json"]
    command = [sys.executable, "-m", "costpol.cli.main", *arguments]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr.decode(errors="replace"))
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def summary(report: dict[str, Any]) -> str:
    """The figures in one line."""
    cache = report["cache"]
    wrong = "-" if cache["wrong_hit_rate"] is None else f"{cache['wrong_hit_rate']:.1%}"
    return (
        f"saved {report['saved_fraction']:.1%}, {cache['hits']:,} hits ({cache['hits'] / report['requests']:.1%} of "
        f"all requests), wrong {cache['wrong_hits']:,} of {cache['judged']:,} ({wrong}), guards refused "
        f"{cache['refused_by_guard']:,}, routes {report['routes']}"
    )


if __name__ == "__main__":
    sys.exit(main())
