"""What does a policy do with the steps of an agent that calls tools?

Reads `tau-bench/gpt-4o-airline.json` of tau-bench (Sierra, MIT; https://github.com/sierra-research/tau-bench) under
`--data` or `COSTPOL_BENCH_DATA`: 200 recorded trajectories of a GPT-4o airline agent. Every assistant turn becomes one
request, whose messages are the trajectory up to there and whose answer is the turn; a trajectory is a session. The data
does not hold the tools' schemas: each request offers the tools that the trajectories call, by name alone, so tokens
are estimated too low by about the length of those schemas. The log is replayed through `costpol dry-run`.

Exit 0: measured, or the data is missing (`skipped`).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from banking77 import dry_run, summary

MODEL = "gpt-4o"
_START = 1_767_600_000
_SECONDS_BETWEEN_TURNS = 4.0


def main() -> int:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("COSTPOL_BENCH_DATA"), help="the folder that holds tau-bench/")
    parser.add_argument("--policies", default="policies", help="the policy (default: policies)")
    parser.add_argument("--write", type=Path, help="write the log here, and replay nothing")
    options = parser.parse_args()
    recorded = None if options.data is None else Path(options.data) / "tau-bench" / "gpt-4o-airline.json"
    if recorded is None or not recorded.is_file():
        print("skipped: no tau-bench/gpt-4o-airline.json under --data or COSTPOL_BENCH_DATA")
        return 0
    runs = json.loads(recorded.read_bytes())
    if options.write is not None:
        write_log(runs, options.write)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "tau-bench.jsonl"
        count = write_log(runs, log)
        print(f"tau-bench: {len(runs)} trajectories, {count:,} requests, policy {options.policies}")
        started = time.perf_counter()
        report = dry_run(log, options.policies)
        seconds = time.perf_counter() - started
    print(f"{summary(report)}; {report['requests'] / seconds:,.0f} requests/s")
    for lever in report["levers"]:
        if lever["saved_usd"] or lever["own_cost_usd"]:
            print(f"  {lever['lever']}: {lever['net_usd']:+.4f} USD")
    return 0


def write_log(runs: list[dict[str, Any]], log: Path) -> int:
    """One record per assistant turn; returns how many."""
    tools = [{"type": "function", "function": {"name": name}} for name in tool_names(runs)]
    count = 0
    clock = float(_START)
    with log.open("w", encoding="utf-8") as file:
        for index, run in enumerate(runs):
            session = f"task-{run['task_id']}-trial-{run['trial']}-{index}"
            for turn, message in enumerate(run["traj"]):
                if message["role"] != "assistant":
                    continue
                clock += _SECONDS_BETWEEN_TURNS
                record = {
                    "id": f"{session}-{turn}",
                    "time": clock,
                    "tenant": "airline",
                    "agent": "airline",
                    "session": session,
                    "request": {"model": MODEL, "messages": run["traj"][:turn], "tools": tools},
                    "response": {"content": message.get("content"), "tool_calls": message.get("tool_calls")},
                }
                file.write(json.dumps(record) + "\n")
                count += 1
    return count


def tool_names(runs: list[dict[str, Any]]) -> list[str]:
    """All tools that any trajectory calls."""
    calls = (call for run in runs for message in run["traj"] for call in message.get("tool_calls") or ())
    return sorted({call["function"]["name"] for call in calls})


if __name__ == "__main__":
    sys.exit(main())
