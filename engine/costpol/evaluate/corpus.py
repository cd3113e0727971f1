"""Logs as a stream of records: JSONL, plain or gzipped whatever their name, from files or from standard input (`-`).

Several logs that state times are one log by these times. A line that is no record is counted and named, and the rest
goes on; memory does not grow with the logs.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heapreplace
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from costpol.errors import UsageError
from costpol.evaluate.record import BrokenLineError, Gaps, Record, RecordReader, Written, read_line

MAX_LINE = 32 * 2**20
"""Bytes of one line: a request with several images in it and its answer."""
_SHOWN = 20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
_UNREAD = {
    b"\x28\xb5\x2f\xfd": "packed by zstd", b"BZh": "packed by bzip2", b"\xfd7zXZ": "packed by xz",
    b"PK\x03\x04": "a zip archive", b"\xff\xfe": "text in UTF-16", b"\xfe\xff": "text in UTF-16",
    b"PAR1": "a Parquet file",
}  # fmt: skip
"""How files begin that hold no JSONL, but something that is often taken for it."""


@dataclass(slots=True)
class Skipped:
    """Lines that are no records: how many, and the first of them as `file:line: reason`."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, place: str, reason: str) -> None:
        self.count += 1
        if len(self.first) < _SHOWN:
            self.first.append(f"{place}: {reason}")


class Corpus:
    """The records of several logs in the order of their times; logs that begin without a time come after the others, in
    the order in which they are named. Iterate once."""

    def __init__(self, logs: Sequence[str], stdin: BinaryIO, limit: int | None = None) -> None:
        """At most `limit` records are read. Raises `UsageError` for a log that is not there or cannot be opened."""
        self.skipped = Skipped()
        self._reader = RecordReader()
        self._limit = limit
        self._stdin = stdin
        self._logs = tuple(logs)
        self._open: list[BinaryIO] = []
        self._read = 0
        self.size = sum(_size(log) for log in self._logs if log != "-")
        """Bytes of all files together; 0 where only standard input is read."""

    @property
    def gaps(self) -> Gaps:
        """What the records read so far left out."""
        return self._reader.gaps

    @property
    def position(self) -> int:
        """Bytes read so far, of `size`."""
        return self._read + sum(file.tell() for file in self._open)

    def __iter__(self) -> Iterator[Record]:
        if self._limit == 0:
            return
        count = 0
        for written, at in self._in_order():
            try:
                record = self._reader.complete(written, at)
            except BrokenLineError as error:
                self.skipped.add(written.place, str(error))
                continue
            yield record
            count += 1
            if count == self._limit:
                return

    def _in_order(self) -> Iterator[tuple[Written, float | None]]:
        """What all logs hold. Where a line states no time, and its log does before, with the time to take."""
        starts: list[tuple[float, Iterator[Written]]] = []
        others: list[Iterator[Written]] = []
        for log in self._logs:
            first, lines = self._begin(log) if len(self._logs) > 1 else (None, self._lines(log))
            if first is None:
                others.append(lines)
            else:
                starts.append((first, lines))
        yield from _merged(starts)
        for lines in others:
            for written in lines:
                yield written, None

    def _begin(self, log: str) -> tuple[float | None, Iterator[Written]]:
        """The time that the first record of a log states, and all of its records. A file is closed again: of many logs
        only those are open that are read."""
        if log != "-" and Path(log).is_file():
            return next((first.instant for first in Corpus((log,), self._stdin)._lines(log)), None), self._lines(log)
        lines = self._lines(log)
        first = next(lines, None)
        return (None, lines) if first is None else (first.instant, chain((first,), lines))

    def _lines(self, log: str) -> Iterator[Written]:
        if log == "-":
            yield from self._lines_of(_unpacked(self._stdin, "<stdin>"), "<stdin>")
            return
        try:
            with Path(log).open("rb") as file:
                self._open.append(file)
                try:
                    yield from self._lines_of(_unpacked(file, log), log)
                finally:
                    self._open.remove(file)
        except OSError as error:
            raise _unreadable(log, error) from error
        self._read += _size(log)

    def _lines_of(self, stream: io.BufferedReader, name: str) -> Iterator[Written]:
        for place, line in self._texts(stream, name):
            try:
                yield read_line(line, place)
            except BrokenLineError as error:
                self.skipped.add(place, str(error))

    def _texts(self, stream: io.BufferedReader, name: str) -> Iterator[tuple[str, bytes]]:
        number = 0
        while True:
            number += 1
            place = f"{name}:{number}"
            try:
                line = stream.readline(MAX_LINE + 1)
            except (EOFError, zlib.error, gzip.BadGzipFile):
                self.skipped.add(place, "the compressed file is torn here")
                return
            if not line:
                return
            if len(line) > MAX_LINE:
                self._skip_rest(stream, line)
                self.skipped.add(place, f"longer than {MAX_LINE // 2**20} MiB")
                continue
            if number == 1:
                line = line.removeprefix(_BYTE_ORDER_MARK)
            if not line.isspace():
                yield place, line

    @staticmethod
    def _skip_rest(stream: io.BufferedReader, line: bytes) -> None:
        try:
            while line and not line.endswith(b"\n"):
                line = stream.readline(MAX_LINE)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            return  # the next read of the stream tells


def _merged(starts: Sequence[tuple[float, Iterator[Written]]]) -> Iterator[tuple[Written, float]]:
    """The lines of all logs by their times, with the clock of their own log: a line without a time comes one second
    after the one before, an older one together with it. At most one line of each log is held."""
    heap: list[tuple[float, int, Written | None, Iterator[Written]]] = [
        (first, number, None, lines) for number, (first, lines) in enumerate(starts)
    ]
    heapify(heap)
    while heap:
        clock, number, written, lines = heap[0]
        if written is not None:
            yield written, clock
        following = next(lines, None)
        if following is None:
            heappop(heap)
            continue
        instant = clock + 1.0 if following.instant is None else max(clock, following.instant)
        heapreplace(heap, (instant, number, following, lines))


def _unpacked(stream: BinaryIO, name: str) -> io.BufferedReader:
    """What a stream holds, unpacked where it begins as gzip does."""
    buffered: Any = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(stream)
    start = buffered.peek(8)[:8]
    _refuse_unread(start, name)
    return io.BufferedReader(gzip.GzipFile(fileobj=buffered)) if start.startswith(_GZIP) else buffered


def _refuse_unread(start: bytes, name: str) -> None:
    for magic, what in _UNREAD.items():
        if start.startswith(magic):
            raise UsageError(f"the log `{name}` is {what}", "make it JSON Lines in UTF-8, plain or packed by gzip")


def _size(log: str) -> int:
    try:
        path = Path(log)
        if path.is_dir():
            raise UsageError(f"`{log}` is a folder", "name the log files in it")
        if path.is_file():  # what cannot be read is told before anything is replayed
            with path.open("rb") as file:
                _refuse_unread(file.read(8), log)
        return path.stat().st_size
    except OSError as error:
        raise _unreadable(log, error) from error


def _unreadable(log: str, error: OSError) -> UsageError:
    reason = (error.strerror or str(error) or "unknown reason").lower()
    return UsageError(f"the log `{log}` cannot be read: {reason}", "name a JSONL file, or `-` for standard input")
