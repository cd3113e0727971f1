"""How long does `costpol validate` take, process start included?

Times processes against `python -c "import yaml, jsonschema, click"`, the floor under any linter of YAML in Python, in
turn and in the same run; the fastest of `--runs` counts, which a busy machine disturbs least. Beside the wall clock
stands the processor time of the process, which waits for nobody.

The bundles are the default bundle with its routing replaced by so many rules over intents, words, tenants, tokens and
metadata, all of them reachable; and every hostile bundle of `tests/fuzz/test_hostile.py`.

Exit 0: within the limits (ratio 3 and 0.35 s for 30 rules, 1.5 s for 1,000, 1 s for each hostile one, in processor
time).
Exit 1: not.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
FLOOR = [sys.executable, "-c", "import yaml, jsonschema, click"]
RATIO_LIMIT = 3.0
LIMITS = {30: 0.35, 1000: 1.5}
HOSTILE_LIMIT = 1.0
HOSTILE = ROOT / "tests" / "fuzz" / "test_hostile.py"

_CONDITIONS = (
    "{{intent: faq, message: {{max_chars: {n}}}}}",
    "{{message: {{words: [topic-{n}, subject-{n}]}}}}",
    "{{tenant: tenant-{n}, tokens: {{min: {n}}}}}",
    "{{metadata: {{team: team-{n}}}, stage: plan}}",
    "{{agent: 'agent-{n}-*', tools: any}}",
)
_ROUTES = ("small", "standard", "strong")


@dataclass(frozen=True, slots=True)
class Timing:
    """The fastest of some runs, in seconds."""

    wall: float
    processor: float


def write_bundle(folder: Path, rules: int) -> Path:
    """The default bundle with so many routing rules, and without the tests that its own rules had."""
    shutil.copytree(ROOT / "policies", folder)
    (folder / "tests.yaml").unlink()
    written = "".join(
        f"  - name: rule-{n}\n    when: {_CONDITIONS[n % len(_CONDITIONS)].format(n=n + 1)}\n"
        f"    route: {_ROUTES[n % len(_ROUTES)]}\n    max_output_tokens: {n + 100}\n"
        for n in range(rules)
    )
    (folder / "routing.yaml").write_text(f"kind: routing\ndefault: standard\nrules:\n{written}...\n")
    return folder


def write_hostile(folder: Path) -> dict[str, Path]:
    """Every bundle that the fuzz test calls hostile on purpose, by its name."""
    location = importlib.util.spec_from_file_location("hostile", HOSTILE)
    if location is None or location.loader is None:
        raise FileNotFoundError(HOSTILE)
    cases = importlib.util.module_from_spec(location)
    location.loader.exec_module(cases)
    kinds = {name: next((k for k in cases.KINDS if text.startswith(f"kind: {k}\n")), "routing")
             for name, text in cases.HOSTILE.items()}  # fmt: skip
    bundles = {name: {f"{kinds[name]}.yaml": text} for name, text in cases.HOSTILE.items()} | cases.SEVERAL
    found = {}
    for number, (name, files) in enumerate(bundles.items()):
        found[name] = folder / f"hostile-{number}"
        found[name].mkdir()
        for file, data in (cases.SOUND | {file: text.encode() for file, text in files.items()}).items():
            (found[name] / file).write_bytes(data)
    return found


def measure_hostile(bundles: dict[str, Path]) -> dict[str, Timing]:
    """The time of each; of those near the limit, the fastest of three."""
    measured = {}
    for name, folder in bundles.items():
        command = [sys.executable, "-m", "costpol", "validate", str(folder), "--format", "concise"]
        timings = [run(command)]
        if timings[0][0].processor > HOSTILE_LIMIT / 2:
            timings += [run(command), run(command)]
        if timings[0][1] == 2:
            raise RuntimeError(f"costpol validate gives up on `{name}`")
        measured[name] = fastest([timing for timing, _ in timings])
    return measured


def fastest(timings: list[Timing]) -> Timing:
    return Timing(min(each.wall for each in timings), min(each.processor for each in timings))


def run(command: list[str]) -> tuple[Timing, int]:
    """One process: its times and its exit code."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "engine")}
    before, start = os.times(), time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment, check=False)
    wall, after = time.perf_counter() - start, os.times()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return Timing(wall, processor), done.returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=15, help="how often each process is started (default: 15)")
    parser.add_argument("--shown", type=int, default=12, help="how many hostile bundles are listed (default: 12)")
    given = parser.parse_args()
    runs = given.runs
    floor: list[Timing] = []
    measured: dict[int, list[Timing]] = {rules: [] for rules in LIMITS}
    with TemporaryDirectory() as scratch:
        folders = {rules: write_bundle(Path(scratch) / f"{rules}-rules", rules) for rules in LIMITS}
        for _ in range(runs):
            floor.append(run(FLOOR)[0])
            for rules, folder in folders.items():
                timing, code = run([sys.executable, "-m", "costpol", "validate", str(folder), "--format", "concise"])
                if code != 0:
                    print(f"costpol validate fails on its bundle of {rules} rules, exit {code}", file=sys.stderr)
                    return 1
                measured[rules].append(timing)
        hostile = measure_hostile(write_hostile(Path(scratch)))
    within = report(fastest(floor), {rules: fastest(timings) for rules, timings in measured.items()})
    within &= report_hostile(hostile, given.shown)
    print("within the limits" if within else "over the limits")
    return 0 if within else 1


def report_hostile(measured: dict[str, Timing], shown: int) -> bool:
    """The slowest of them; whether all are within the limit."""
    slowest = sorted(measured.items(), key=lambda item: item[1].processor, reverse=True)
    print(f"\n{f'{len(measured)} hostile bundles, the slowest':47} {'wall':>8} {'processor':>10} {'limit':>7}")
    for name, timing in slowest[:shown]:
        print(f"{name:47} {timing.wall:7.3f}s {timing.processor:9.3f}s {HOSTILE_LIMIT:6.2f}s")
    return slowest[0][1].processor <= HOSTILE_LIMIT


def report(floor: Timing, measured: dict[int, Timing]) -> bool:
    print(f"{'':32} {'wall':>8} {'ratio':>6} {'processor':>10} {'ratio':>6} {'limit':>7}")
    print(f"{'import yaml, jsonschema, click':32} {floor.wall:7.3f}s {1:6.2f} {floor.processor:9.3f}s {1:6.2f}")
    for rules, timing in measured.items():
        ratios = timing.wall / floor.wall, timing.processor / floor.processor
        print(
            f"{f'costpol validate, {rules:,} rules':32} {timing.wall:7.3f}s {ratios[0]:6.2f} "
            f"{timing.processor:9.3f}s {ratios[1]:6.2f} {LIMITS[rules]:6.2f}s"
        )
    small = measured[30].processor / floor.processor
    return small <= RATIO_LIMIT and all(timing.processor <= LIMITS[rules] for rules, timing in measured.items())


if __name__ == "__main__":
    sys.exit(main())
