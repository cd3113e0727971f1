from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pytest

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
