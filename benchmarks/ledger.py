"""What the ledger adds to a request: microseconds per reserve and settle, beside a dict and with a second process.

    python benchmarks/ledger.py [PAIRS]

Every pair is timed alone, over 500 subjects, while 300 other reservations are open.
"""

from __future__ import annotations

import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from costpol.commands import Account, Granted, Hold, Reserve, Settle
from costpol.ledger.sqlite import SqliteLedger

NOW = 1_700_000_000.0
IN_FLIGHT = 300
SUBJECTS = 500
LIMIT = 10**15


def reserve_command(index: int, holds: int) -> Reserve:
    accounts = (
        Account(f"budget-{n}/usd/{f'user-{index % SUBJECTS}' if n % 2 else 'everybody'}", NOW, NOW, NOW + 86400)
        for n in range(holds)
    )
    return Reserve(tuple(Hold(account, 1000, LIMIT, "b") for account in accounts), NOW, NOW + 300)


def measure(pair: Callable[[Reserve, tuple[int, ...]], None], holds: int, pairs: int) -> list[float]:
    """Microseconds of each pair."""
    times = []
    for index in range(pairs):
        command, amounts = reserve_command(index, holds), (900,) * holds
        start = time.perf_counter_ns()
        pair(command, amounts)
        times.append((time.perf_counter_ns() - start) / 1000)
    return times


def sqlite_pair(ledger: SqliteLedger) -> Callable[[Reserve, tuple[int, ...]], None]:
    def pair(command: Reserve, amounts: tuple[int, ...]) -> None:
        granted = ledger.reserve(command)
        assert isinstance(granted, Granted), granted
        failure = ledger.settle(Settle(granted.reservation, amounts, NOW))
        assert failure is None, failure

    return pair


def dict_pair() -> Callable[[Reserve, tuple[int, ...]], None]:
    used: dict[str, int] = {}

    def pair(command: Reserve, amounts: tuple[int, ...]) -> None:
        for hold in command.holds:
            assert used.get(hold.account.name, 0) + hold.amount <= hold.limit
        for hold in command.holds:
            used[hold.account.name] = used.get(hold.account.name, 0) + hold.amount
        for hold, amount in zip(command.holds, amounts, strict=True):
            used[hold.account.name] += amount - hold.amount

    return pair


def open_filled(path: Path, holds: int) -> SqliteLedger:
    ledger = SqliteLedger(path, busy_seconds=5.0)
    for index in range(IN_FLIGHT):
        ledger.reserve(reserve_command(index, holds))
    return ledger


def worker(path: Path, holds: int, pairs: int, results: multiprocessing.Queue[list[float]]) -> None:
    ledger = SqliteLedger(path, busy_seconds=5.0)
    results.put(measure(sqlite_pair(ledger), holds, pairs))


def measure_two_processes(path: Path, holds: int, pairs: int) -> list[float]:
    open_filled(path, holds).close()
    spawn = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[list[float]] = spawn.Queue()
    workers = [spawn.Process(target=worker, args=(path, holds, pairs, results)) for _ in range(2)]
    for process in workers:
        process.start()
    times = results.get() + results.get()
    for process in workers:
        process.join()
    return times


def row(name: str, holds: int, times: list[float]) -> None:
    cuts = statistics.quantiles(times, n=100)
    print(f"{name:<22} {holds:>5} {cuts[9]:>9.1f} {cuts[49]:>9.1f} {cuts[98]:>9.1f}")


def main(pairs: int) -> None:
    print(f"{'us per pair':<22} {'holds':>5} {'p10':>9} {'median':>9} {'p99':>9}")
    for holds in (1, 3, 6):
        with tempfile.TemporaryDirectory() as folder:
            row("dict", holds, measure(dict_pair(), holds, pairs))
            ledger = open_filled(Path(folder, "one.db"), holds)
            row("sqlite", holds, measure(sqlite_pair(ledger), holds, pairs))
            ledger.close()
            row("sqlite, 2 processes", holds, measure_two_processes(Path(folder, "two.db"), holds, pairs))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
