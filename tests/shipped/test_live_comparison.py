"""The benchmark that compares the sidecar with the dry-run, on the log of the demo."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_sidecar_decides_what_the_dry_run_promised() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    arguments = ["--log", "examples/demo/support.jsonl", "--limit", "40"]
    run = subprocess.run(
        [sys.executable, "benchmarks/live.py", *arguments],
        check=False, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.startswith("support.jsonl: 40 of 40 decisions agree")
