"""Several processes on one socket, to use more than one core.

They share the ledger file, so budgets hold for all of them together. Each has an answer cache of its own, because the
embedded store belongs to one process, and each finds a changed policy by itself. A worker whose parent is gone, however
it ended, stops.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_FIRST_PAUSE, _LAST_PAUSE = 0.5, 30.0
_LOOK_SECONDS = 0.2
_STEADY_SECONDS = 60.0
"""A worker that lived so long died of something new: it is started again at once."""

_METRICS = "costpol-metrics-"

_log = logging.getLogger("costpol.workers")


@dataclass(slots=True)
class _Worker:
    number: int
    process: subprocess.Popen[bytes]
    started: float
    ready: threading.Event
    announced: list[str] = field(default_factory=list)


class Workers:
    """The worker processes. `arguments` is the command line of one, to which its number and the socket are added."""

    def __init__(self, arguments: Sequence[str], listener: socket.socket, count: int) -> None:
        self._arguments, self._listener, self._count = arguments, listener, count
        self._metrics = Path()
        self._workers: list[_Worker] = []
        self._stopping = False
        self._pause = _FIRST_PAUSE

    def run(self, announce: Callable[[str], None]) -> int:
        """Run until stopped by a signal; the exit code of a worker that could not start ends all of them."""
        self._metrics, lock = make_metrics_folder()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._pass_on)
        self._workers = [self._start(number) for number in range(self._count)]
        code = self._await_ready()
        if code is None:
            announce(f"{self._workers[0].announced[0]}, {self._count} workers")
            code = self._watch()
        self._stopping = True
        self._signal(signal.SIGTERM)
        for worker in self._workers:
            worker.process.wait()
        shutil.rmtree(self._metrics, ignore_errors=True)
        os.close(lock)
        return code

    def _start(self, number: int) -> _Worker:
        descriptor = self._listener.fileno()
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "costpol",
                *self._arguments,
                f"--worker={number}",
                f"--listener={descriptor}",
            ],
            pass_fds=(descriptor,),
            stdin=subprocess.PIPE,  # never written to: its end tells the worker that this process is gone
            stdout=subprocess.PIPE,
            env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(self._metrics)},
        )
        worker = _Worker(number, process, time.monotonic(), threading.Event())
        threading.Thread(target=_read_announcement, args=(worker,), daemon=True).start()
        return worker

    def _await_ready(self) -> int | None:
        """Wait until every worker answers requests; the exit code of one that ended instead."""
        for worker in self._workers:
            worker.ready.wait()
            if not worker.announced:
                return 0 if self._stopping else worker.process.wait()
        return None

    def _watch(self) -> int:
        while not self._stopping:
            for position, worker in enumerate(self._workers):
                code = worker.process.poll()
                if code is None or self._stopping:
                    continue
                self._bury(worker)
                lived = time.monotonic() - worker.started
                self._pause = _FIRST_PAUSE if lived > _STEADY_SECONDS else min(self._pause * 2, _LAST_PAUSE)
                _log.error("worker %d ended with %d, it is started again in %g s", worker.number, code, self._pause)
                self._wait(self._pause)
                if not self._stopping:
                    self._workers[position] = self._start(worker.number)
            time.sleep(_LOOK_SECONDS)
        return 0

    def _wait(self, seconds: float) -> None:
        """Until so many seconds have passed, or a signal says to stop."""
        until = time.monotonic() + seconds
        while not self._stopping and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)

    def _bury(self, worker: _Worker) -> None:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.process.pid, str(self._metrics))  # type: ignore[no-untyped-call]

    def _stop(self, number: int, frame: object) -> None:
        self._stopping = True
        self._signal(signal.SIGTERM)

    def _pass_on(self, number: int, frame: object) -> None:
        self._signal(signal.Signals(number))

    def _signal(self, number: signal.Signals) -> None:
        for worker in self._workers:
            if worker.process.poll() is None:
                worker.process.send_signal(number)


def make_metrics_folder(parent: Path | None = None) -> tuple[Path, int]:
    """A folder for what the workers count together, and the descriptor of the lock that marks it as in use.

    It lies in memory where the system has such a place: the files are memory maps with holes, and writing into a hole
    of a full disk kills a process. Folders of processes that are gone are removed.
    """
    if parent is None:
        memory = Path("/dev/shm")  # noqa: S108 - the folder made in it is private
        parent = memory if os.access(memory, os.W_OK | os.X_OK) else Path(tempfile.gettempdir())
    for left in parent.glob(f"{_METRICS}*/lock"):
        try:
            descriptor = os.open(left, os.O_RDWR)
        except OSError:
            continue  # another user's
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left.parent, ignore_errors=True)
        except BlockingIOError:
            pass  # in use
        finally:
            os.close(descriptor)
    folder = Path(tempfile.mkdtemp(prefix=_METRICS, dir=parent))
    unlocked = folder / "lock.new"
    descriptor = os.open(unlocked, os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    unlocked.rename(folder / "lock")
    return folder, descriptor


def _read_announcement(worker: _Worker) -> None:
    stream = worker.process.stdout
    assert stream is not None  # noqa: S101 - it is a pipe
    line = stream.readline().decode().strip()
    if line:
        worker.announced.append(line)
    worker.ready.set()
    for _ in stream:
        pass
