from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from costpol.commands import CallFailed
from costpol.errors import UsageError
from costpol.evaluate.corpus import Corpus
from costpol.evaluate.record import Record
from costpol.inference.caller import Caller
from costpol.inference.response import Response
from costpol.inference.usage import Usage
from costpol.pipeline.arrival import Arrival
from costpol.pipeline.decision import Decision, Note, Outcome
from costpol.providers.openai import decode_request
from costpol.proxy.recorder import MAX_PENDING, Recorder, line_of
from costpol.runtime.health import Health

BODY = {
    "choices": [{"message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 7, "completion_tokens": 3},
}
USAGE = Usage(input_tokens=7, output_tokens=3)
RAW = json.dumps(BODY, indent=2).encode()


def arrival_of(text: str = "hello", **caller: str) -> Arrival:
    body = {"model": "large", "messages": [{"role": "user", "content": text}]}
    return Arrival(decode_request(json.dumps(body, indent=1).encode()), Caller(**caller), 1_770_000_000.25, 3600.0)


def answered(**changes: Any) -> Outcome:
    members: dict[str, Any] = {"complete": True, "body": RAW} | changes
    response = Response("hi", "stop", USAGE, "small", members.pop("calls", ()), **members)
    return Outcome("answered", Decision("d"), (), response=response, usage=USAGE)


def read_back(*paths: Path) -> tuple[list[Record], Corpus]:
    corpus = Corpus([str(path) for path in paths], io.BytesIO())
    return list(corpus), corpus


def kept(tmp_path: Path, outcome: Outcome) -> Record:
    """One request as a dry-run reads it."""
    path = tmp_path / "log.jsonl"
    path.write_bytes(line_of("r1", arrival_of(tenant="acme", user="ada"), outcome))
    (record,), _ = read_back(path)
    return record


def test_what_is_recorded_is_what_a_dry_run_reads(tmp_path: Path) -> None:
    record = kept(tmp_path, answered())
    assert record.id == "r1"
    assert record.arrival.now == 1_770_000_000.25
    assert record.arrival.deadline == 3600
    assert record.arrival.caller == Caller("acme", "ada")
    assert (record.arrival.request.model, record.arrival.request.question) == ("large", "hello")
    assert (record.usage.input_tokens, record.usage.output_tokens, record.usage.estimated) == (7, 3, False)
    assert record.answer.content == "hi"


def test_a_stream_without_a_body_is_told_by_its_text_and_usage(tmp_path: Path) -> None:
    record = kept(tmp_path, answered(body=None, calls=("pay",)))
    assert (record.answer.content, record.answer.tool_calls) == ("hi", ("pay",))
    assert (record.usage.input_tokens, record.usage.output_tokens) == (7, 3)


def test_an_answer_that_broke_off_is_not_taken_for_a_whole_one(tmp_path: Path) -> None:
    assert kept(tmp_path, answered(complete=False)).answer.finish_reason == "incomplete"


def test_tokens_of_another_prompt_are_not_those_of_the_request(tmp_path: Path) -> None:
    outcome = answered()
    with_template = Outcome("answered", Decision("d", template="t@1"), (), response=outcome.response, usage=USAGE)
    without_tools = Outcome(
        "answered", Decision("d"), (Note("prompt", "tools left out", {}),), response=outcome.response, usage=USAGE
    )
    for changed in (with_template, without_tools):
        record = kept(tmp_path, changed)
        assert record.usage.estimated
        assert record.usage.output_tokens == 3


def test_a_hit_tells_what_the_answer_once_took(tmp_path: Path) -> None:
    assert kept(tmp_path, Outcome("hit", Decision("d"), (), body=RAW)).usage.input_tokens == 7


def test_refused_requests_count_and_failed_ones_are_errors(tmp_path: Path) -> None:
    assert kept(tmp_path, Outcome("refused", Decision("d"), ())).usage.estimated
    path = tmp_path / "failed.jsonl"
    path.write_bytes(line_of("r", arrival_of(), Outcome("failed", Decision("d"), (), failure=CallFailed("timeout"))))
    records, corpus = read_back(path)
    assert records == []
    assert "the recorded answer is an error" in corpus.skipped.first[0]


def test_only_its_owner_may_read_it_and_it_goes_on_where_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    for number in range(2):
        recorder = Recorder(path, Health())
        recorder.add(f"r{number}", arrival_of(), answered())
        recorder.close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert [record.id for record in read_back(path)[0]] == ["r0", "r1"]


def test_it_is_bounded_by_rotation(tmp_path: Path) -> None:
    path, line = tmp_path / "log.jsonl", line_of("r00", arrival_of(), answered())
    recorder = Recorder(path, Health(), size=3 * len(line))
    for number in range(10):
        recorder.add(f"r{number:02}", arrival_of(), answered())
    recorder.close()
    older = tmp_path / "log.jsonl.1"
    assert [record.id for record in read_back(older, path)[0]] == ["r06", "r07", "r08", "r09"]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["log.jsonl", "log.jsonl.1"]


def test_a_disk_that_is_full_is_told_and_stops_nobody(tmp_path: Path) -> None:
    path, health = tmp_path / "log.jsonl", Health()
    recorder = Recorder(path, health)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, recorder._file)
    os.close(full)
    recorder.add("r", arrival_of(), answered())
    recorder.close()
    assert recorder.dropped == 1
    assert health.troubles["record"] == f"requests are not recorded in `{path}`: no space left on device"


def test_what_comes_too_fast_is_dropped(tmp_path: Path) -> None:
    health = Health()
    recorder = Recorder(tmp_path / "log.jsonl", health)
    recorder._taken = MAX_PENDING
    recorder.add("r", arrival_of(), answered())
    assert recorder.dropped == 1
    assert "record" in health.troubles
    recorder.close()


def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written: no such file or directory"):
        Recorder(tmp_path / "nowhere" / "log.jsonl", Health())
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="cannot be written"):
        Recorder(tmp_path / "link", Health())
