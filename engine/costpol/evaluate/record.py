"""One line of a log -> what happened: who asked what, when, and what it took.

Only `request` is required. What a line leaves out is filled in the same way for every policy, so that two policies are
always compared on the same past:

| left out        | taken instead                                                                    |
| --------------- | -------------------------------------------------------------------------------- |
| `time`          | one second after the line before it; the first line starts 2026                  |
| `usage`, input  | the estimate of the request's own text                                           |
| `usage`, output | the estimate of the recorded answer                                              |
| `response`      | an answer of the median length of those recorded so far, or 256 tokens           |
"""

from __future__ import annotations

import re
from bisect import insort
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from msgspec import DecodeError, Raw, Struct, ValidationError, json
from msgspec.structs import replace

from costpol.errors import WireError
from costpol.evaluate.answer import Answer, read_answer
from costpol.inference.caller import Caller
from costpol.inference.request import Request
from costpol.inference.response import Response
from costpol.inference.tokens import request_tokens
from costpol.inference.usage import Usage
from costpol.pipeline.arrival import Arrival
from costpol.providers.openai import decode_request
from costpol.units import parse_duration

FIRST_INSTANT = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
ASSUMED_OUTPUT_TOKENS = 256
"""The length of an answer before any has been seen: about the mean of public traces of production chats."""
_END_OF_TIME = datetime(3000, 1, 1, tzinfo=UTC).timestamp()
_FINE = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
"""A number that lies beyond the year 3000 as seconds counts something finer, if it lies after 2000 as that."""
_OBSERVED = 2000
"""Answers that the median is taken of: the first ones, so that a long log stays a small table."""
_ONE_PER_LINE = "where one request per line is expected (`jq -c '.[]'` makes lines of an array)"
_NULL = Raw(b"null")
_NUMBER = re.compile(r"\d{9,19}(\.\d{1,9})?")
"""Epoch time as text; a date has at most eight digits in a row."""


class BrokenLineError(Exception):
    """A line that is no record; the message says why."""


class _Line(Struct, gc=False):
    request: Raw = _NULL
    response: Raw = _NULL
    id: str | int | None = None
    time: str | float | None = None
    tenant: str | int | None = None
    user: str | int | None = None
    agent: str | int | None = None
    session: str | int | None = None
    stage: str | int | None = None
    deadline: str | float | None = None
    answer_id: str | int | None = None


_LINE = json.Decoder(_Line)
_KINDS = {"time": "an instant", "deadline": "a duration"}


@dataclass(frozen=True, slots=True)
class Record:
    """One recorded request. `usage` is complete: whatever was not recorded is estimated."""

    id: str
    """Its own `id`, or its place (`log.jsonl:17`)."""
    arrival: Arrival
    usage: Usage
    answer: Response
    """As recorded; where nothing was, an answer that ended well."""


@dataclass(frozen=True, slots=True)
class Written:
    """One line as it was written, before anything is filled in. `instant` is `None` where it states no time."""

    place: str
    line: _Line
    request: Request
    answer: Answer
    instant: float | None


@dataclass(slots=True)
class Gaps:
    """How many records left out what, and had it filled in."""

    usage: int = 0
    """Token counts estimated from a recorded text."""
    answers: int = 0
    """Records without any answer: its length is assumed."""
    times: int = 0
    backwards: int = 0
    """Records older than the one before: taken as simultaneous with it, because a clock runs forward."""


@dataclass(slots=True)
class RecordReader:
    """Reads lines in their order; the clock and the lengths seen so far carry over."""

    gaps: Gaps = field(default_factory=Gaps)
    _clock: float | None = None
    _lengths: list[int] = field(default_factory=list)

    def read(self, line: bytes, place: str) -> Record:
        """The record in a line. Raises `BrokenLineError` that says what is wrong with it."""
        return self.complete(read_line(line, place))

    def complete(self, written: Written, at: float | None = None) -> Record:
        """What happened, as far as it was written; `at` is when, where no time was. Raises `BrokenLineError`."""
        line, request, answer = written.line, written.request, written.answer
        now = self._now(written.instant, at)
        arrival = Arrival(
            request=request,
            caller=Caller(*map(_text, (line.tenant, line.user, line.agent, line.session, line.stage))),
            now=now,
            deadline=None if line.deadline is None else _deadline(line.deadline, now),
            answer_id=_text(line.answer_id),
        )
        usage = self._usage(request, answer)
        self._clock = now
        return Record(written.place if line.id is None else str(line.id), arrival, usage, answer.response)

    def _now(self, instant: float | None, at: float | None) -> float:
        if instant is None:
            self.gaps.times += 1
            if at is not None:
                return at
            return FIRST_INSTANT if self._clock is None else self._clock + 1.0
        if self._clock is not None and instant < self._clock:
            self.gaps.backwards += 1
            return self._clock
        return instant

    def _usage(self, request: Request, answer: Answer) -> Usage:
        """What the recorded call took, all of it."""
        usage = answer.response.usage
        output = usage.output_tokens if usage.output_tokens is not None else answer.estimated_tokens
        if output is not None and len(self._lengths) < _OBSERVED:
            insort(self._lengths, output)
        if usage.input_tokens is not None and usage.output_tokens is not None:
            return usage
        if output is None:
            self.gaps.answers += 1
            output = self.assumed_output(request)
        else:
            self.gaps.usage += 1
        return replace(
            usage,
            input_tokens=request_tokens(request) if usage.input_tokens is None else usage.input_tokens,
            output_tokens=output,
            estimated=True,
        )

    def assumed_output(self, request: Request) -> int:
        """How many tokens an answer that nobody recorded is taken to have; never zero."""
        median = self._lengths[len(self._lengths) // 2] if self._lengths else ASSUMED_OUTPUT_TOKENS
        length = median if request.max_output_tokens is None else min(median, request.max_output_tokens)
        return max(length, 1) * request.answers


def read_line(line: bytes, place: str) -> Written:
    """What a line says by itself. Raises `BrokenLineError` that says what is wrong with it."""
    parsed = _parse(line)
    request = _request(parsed.request)
    answer = read_answer(parsed.response)
    if answer.failed:
        raise BrokenLineError("the recorded answer is an error: nothing was billed")
    return Written(place, parsed, request, answer, None if parsed.time is None else _instant(parsed.time))


def _parse(line: bytes) -> _Line:
    try:
        return _LINE.decode(line)
    except ValidationError as error:
        _, _, path = str(error).partition("$.")
        name = path.rstrip("`")
        if not name:
            raise BrokenLineError(_shape(line) or "not an object") from None
        raise BrokenLineError(f"`{name}` is not {_KINDS.get(name, 'a text')}") from None
    except (DecodeError, UnicodeDecodeError, RecursionError):
        raise BrokenLineError(_shape(line) or "not JSON") from None


def _shape(line: bytes) -> str | None:
    """What a line is instead, where a whole file was written as one piece of JSON."""
    line = line.strip()
    if line in (b"[", b"{"):
        return f"JSON over several lines, {_ONE_PER_LINE}"
    return f"an array, {_ONE_PER_LINE}" if line.startswith(b"[{") else None


def _request(raw: Raw) -> Request:
    body = bytes(raw)
    if body == b"null":
        raise BrokenLineError("no `request`")
    try:
        return decode_request(body)
    except WireError as error:
        raise BrokenLineError(f"`request`: {error.message}") from None


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)


def _instant(written: str | float) -> float:
    """Epoch seconds of an instant (RFC 3339, in UTC where it names no offset; or epoch seconds, milliseconds,
    microseconds or nanoseconds, which no year before 3000 confuses)."""
    if not isinstance(written, str):
        instant = written
    else:  # a number in quotes is a number: CSV exports know no others
        instant = float(written) if _NUMBER.fullmatch(written) else _from_text(written)
    if 0 <= instant < _END_OF_TIME:
        return float(instant)
    for unit in (1e3, 1e6, 1e9):
        if _FINE <= instant / unit < _END_OF_TIME:
            return instant / unit
    raise BrokenLineError("`time` is not between the years 1970 and 3000")


def _from_text(written: str) -> float:
    leap = written[17:19] == "60"  # RFC 3339 has leap seconds and small letters, which the standard library has not
    try:
        instant = datetime.fromisoformat(f"{written[:17]}59{written[19:]}".upper() if leap else written.upper())
    except ValueError:
        raise BrokenLineError("`time` is neither an RFC 3339 instant nor epoch seconds") from None
    return (instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)).timestamp() + leap


def _deadline(written: str | float, now: float) -> float:
    """Seconds that the caller could wait, from seconds, a duration (`6h`) or the instant at which the answer is due."""
    if not isinstance(written, str):
        seconds = float(written)
    elif written[4:5] == "-":
        seconds = _from_text(written) - now
    else:
        try:
            seconds = parse_duration(written)
        except ValueError as error:
            raise BrokenLineError(f"`deadline`: {error}") from None
    if not 0 <= seconds < _END_OF_TIME:
        raise BrokenLineError("`deadline` is no duration")
    return seconds
