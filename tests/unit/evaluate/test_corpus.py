from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costpol.errors import UsageError
from costpol.evaluate import corpus as module
from costpol.evaluate.corpus import Corpus

LINE = json.dumps({"request": {"model": "m", "messages": [{"role": "user", "content": "hello"}]}}).encode() + b"\n"


def corpus(*paths: Path | str, stdin: bytes = b"", limit: int | None = None) -> Corpus:
    return Corpus([str(path) for path in paths], io.BytesIO(stdin), limit)


def test_broken_lines_are_counted_and_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(LINE + b"{torn\n" + b"\n" + b"[]\n" + LINE + b'{"id": "no request"}\n' + LINE)
    read = corpus(log)
    assert len(list(read)) == 3
    assert read.skipped.count == 3
    assert read.skipped.first == [f"{log}:2: not JSON", f"{log}:4: not an object", f"{log}:6: no `request`"]


def test_only_the_first_broken_lines_are_named(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(b"x\n" * 50)
    read = corpus(log)
    assert list(read) == []
    assert (read.skipped.count, len(read.skipped.first)) == (50, 20)


def test_a_last_line_without_its_end_is_read(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(b"\xef\xbb\xbf" + LINE + LINE.rstrip())
    assert len(list(corpus(log))) == 2


@pytest.mark.parametrize("name", ["log.jsonl.gz", "log.jsonl"])
def test_a_gzipped_log_is_known_by_how_it_begins(tmp_path: Path, name: str) -> None:
    log = tmp_path / name
    log.write_bytes(gzip.compress(LINE * 3))
    assert len(list(corpus(log))) == 3
    log.write_bytes(LINE * 2)
    assert len(list(corpus(log))) == 2


def test_standard_input_may_be_gzipped_and_stand_among_files(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(LINE)
    read = corpus(log, "-", log, stdin=gzip.compress(LINE * 3))
    assert [record.id for record in read] == [f"{log}:1", "<stdin>:1", "<stdin>:2", "<stdin>:3", f"{log}:1"]


@pytest.mark.parametrize(
    ("start", "what"),
    [(b"\x28\xb5\x2f\xfdrest", "zstd"), (b"BZh9", "bzip2"), (LINE.decode().encode("utf-16"), "UTF-16")],
)
def test_a_log_in_another_form_is_refused_before_anything_is_read(tmp_path: Path, start: bytes, what: str) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(start)
    with pytest.raises(UsageError, match=what):
        corpus(log)
    with pytest.raises(UsageError, match=f"<stdin>.*{what}"):
        list(corpus("-", stdin=start))


def test_a_torn_archive_gives_what_it_holds(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl.gz"
    log.write_bytes(gzip.compress(LINE * 3, mtime=0)[:-20])
    whole = tmp_path / "whole.jsonl"
    whole.write_bytes(LINE)
    read = corpus(log, whole)
    assert any(record.id == f"{whole}:1" for record in read)
    assert read.skipped.count == 1
    assert "torn" in read.skipped.first[0]


def test_a_line_that_is_too_long_is_skipped_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LINE", 2**20)
    log = tmp_path / "log.jsonl"
    log.write_bytes(LINE + b'{"x": "' + b"x" * 3 * 2**20 + b'"}\n' + LINE)
    read = corpus(log)
    assert [record.id for record in read] == [f"{log}:1", f"{log}:3"]
    assert read.skipped.first == [f"{log}:2: longer than 1 MiB"]


def test_standard_input_and_several_files_are_one_log(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(LINE)
    read = corpus(log, "-", log, stdin=LINE * 2)
    assert [record.id for record in read] == [f"{log}:1", "<stdin>:1", "<stdin>:2", f"{log}:1"]
    assert read.gaps.times == 4


def test_a_limit_counts_records_not_lines(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(b"x\n" + LINE * 5)
    read = corpus(log, limit=2)
    assert [record.id for record in read] == [f"{log}:2", f"{log}:3"]


def test_the_position_reaches_the_size(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(LINE * 3)
    read = corpus(log, log)
    assert read.size == 6 * len(LINE)
    assert len(list(read)) == 6
    assert read.position == read.size


def test_a_log_that_is_not_there_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(LINE)
    with pytest.raises(UsageError, match="cannot be read: no such file"):
        corpus(log, tmp_path / "missing.jsonl")
    with pytest.raises(UsageError, match="is a folder"):
        corpus(tmp_path)


def written(path: Path, *times: float | None) -> Path:
    """A log with a record per time, each named after its log and its place."""
    request = json.loads(LINE)
    lines = [
        json.dumps(request | {"id": f"{path.stem}{number}"} | ({} if time is None else {"time": time}))
        for number, time in enumerate(times, 1)
    ]
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def told(read: Corpus) -> str:
    return " ".join(f"{record.id}@{record.arrival.now:g}" for record in read)


def test_several_logs_are_one_log_by_their_times(tmp_path: Path) -> None:
    a, b = written(tmp_path / "a", 10, 20, 30), written(tmp_path / "b", 5, 20, 25, 40)
    read = corpus(a, b)
    assert told(read) == "b1@5 a1@10 a2@20 b2@20 b3@25 a3@30 b4@40"
    assert read.gaps.backwards == read.gaps.times == 0
    assert told(corpus(b, a)) == "b1@5 a1@10 b2@20 a2@20 b3@25 a3@30 b4@40", "at the same time, the first named first"


def test_standard_input_is_merged_as_well(tmp_path: Path) -> None:
    a, b = written(tmp_path / "a", 10, 30), written(tmp_path / "b", 20)
    assert told(corpus(a, "-", stdin=gzip.compress(b.read_bytes()))) == "a1@10 b1@20 a2@30"


def test_a_log_that_is_unsorted_itself_stays_as_it_is_and_is_told(tmp_path: Path) -> None:
    a, b = written(tmp_path / "a", 10, 30, 15, 40), written(tmp_path / "b", 20, 35)
    read = corpus(a, b)
    assert told(read) == "a1@10 b1@20 a2@30 a3@30 b2@35 a4@40"
    assert read.gaps.backwards == 1


def test_a_line_without_a_time_goes_on_by_the_second_in_its_own_log(tmp_path: Path) -> None:
    a, b = written(tmp_path / "a", 10, None, None, 20), written(tmp_path / "b", 11.5)
    read = corpus(a, b)
    assert told(read) == "a1@10 a2@11 b1@11.5 a3@12 a4@20"
    assert read.gaps.times == 2


def test_logs_that_begin_without_a_time_come_last_as_they_are_named(tmp_path: Path) -> None:
    a, b = written(tmp_path / "a", None, 7), written(tmp_path / "b", 20)
    c, d = written(tmp_path / "c", None), written(tmp_path / "d", 10)
    assert told(corpus(c, b, a, d)) == "d1@10 b1@20 c1@21 a1@22 a2@22"


def test_broken_lines_of_several_logs_are_told_once(tmp_path: Path) -> None:
    a, b = written(tmp_path / "a", 10), written(tmp_path / "b", 5)
    a.write_text("{torn\n" + a.read_text())
    read = corpus(a, b, limit=2)
    assert told(read) == "b1@5 a1@10"
    assert read.skipped.first == [f"{a}:1: not JSON"]


def test_of_many_logs_only_those_are_open_that_are_read(tmp_path: Path) -> None:
    days = [written(tmp_path / f"day{number:02}", number * 10, number * 10 + 12) for number in range(40)]
    read = corpus(*reversed(days))
    most = max(len(read._open) for _ in read)
    assert most <= 3
    assert read.position == read.size


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(logs=st.lists(st.lists(st.integers(0, 50), min_size=1, max_size=8).map(sorted), min_size=2, max_size=4))
def test_sorted_logs_make_a_sorted_log_of_all_their_records(tmp_path: Path, logs: list[list[int]]) -> None:
    read = corpus(*(written(tmp_path / "abcd"[number], *times) for number, times in enumerate(logs)))
    records = list(read)
    assert [record.arrival.now for record in records] == sorted(time for times in logs for time in times)
    assert len({record.id for record in records}) == sum(map(len, logs))
    assert read.gaps.backwards == 0
