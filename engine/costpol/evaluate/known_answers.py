"""Questions whose answers are known: a FAQ, or a log. What a cache is warmed from.

A FAQ is YAML or JSON Lines. Its `request` is how the application asks, without the question: whatever it states
(system prompt, tools) is part of an answer's identity, and live requests find only what was kept for their like.

    request: {model: gpt-4.1, messages: [{role: system, content: You are the support assistant of a bank.}]}
    questions:
      - {question: How do I block my card?, answer: Open the app and choose ...}
      - question: [What does a transfer cost?, How much is a transfer?]
        answer: Transfers within the country are free.
        intent: prices

A log is that of `costpol dry-run`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from msgspec import DecodeError, Struct, ValidationError, convert, json

from costpol.errors import UsageError, WireError
from costpol.evaluate.answer import UNSTATED, is_recorded
from costpol.evaluate.corpus import Corpus
from costpol.evaluate.record import Record
from costpol.inference.caller import ANONYMOUS, Caller
from costpol.inference.response import Response
from costpol.inference.tokens import estimate_tokens, request_tokens
from costpol.inference.usage import Usage
from costpol.providers.openai import decode_request, decode_response
from costpol.providers.openai.completion import completion_body

_LARGEST = 64 * 2**20
"""Bytes of a FAQ."""
_YAML = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class KnownAnswer:
    """A request body and the body that answers it. `time` is when it was answered, `None` where nothing says so."""

    place: str
    request: bytes
    answer: bytes
    caller: Caller = ANONYMOUS
    time: float | None = None
    answer_id: str | None = None
    intent: str | None = None


class _Question(Struct, forbid_unknown_fields=True):
    question: str | list[str] = ""
    answer: str = ""
    intent: str | None = None
    tenant: str | None = None
    user: str | None = None
    request: dict[str, Any] | None = None


class _Faq(Struct, forbid_unknown_fields=True):
    questions: list[Any]
    request: dict[str, Any] | None = None


class KnownAnswers:
    """The known answers of several files, one after the other. Iterate once."""

    def __init__(self, files: tuple[str, ...], stdin: BinaryIO, template: Mapping[str, Any] | None = None) -> None:
        """`template` is the request of FAQs that state none. Raises `UsageError` for a file that cannot be read."""
        self._files, self._stdin, self._template = files, stdin, template
        self.skipped: dict[str, int] = {}
        """Lines without a usable answer, by reason."""
        for file in files:
            if file != "-" and not Path(file).is_file():
                fault = f"`{file}` is a folder" if Path(file).is_dir() else f"there is no file `{file}`"
                raise UsageError(fault, "name a FAQ (YAML or JSON Lines) or a log")

    def __iter__(self) -> Iterator[KnownAnswer]:
        for file in self._files:
            if file.endswith(_YAML):
                yield from self._yaml(file)
            elif file != "-" and not file.endswith(".gz") and _is_faq(Path(file)):
                yield from self._lines(file)
            else:
                yield from self._log(file)

    def _yaml(self, file: str) -> Iterator[KnownAnswer]:
        import yaml

        try:
            document = yaml.load(_read(Path(file)).decode("utf-8-sig"), Loader=yaml.CSafeLoader)
        except UnicodeDecodeError as error:
            raise UsageError(f"{file}: this is not YAML in UTF-8, as byte {error.start + 1:,} shows") from None
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
            fault = getattr(error, "problem", None) or str(error).splitlines()[0]
            raise UsageError(f"{file}{place}: this is not YAML: {fault}") from None
        faq = document if isinstance(document, dict) else {"questions": document}
        parsed = _converted(faq, _Faq, file)
        template = self._template if parsed.request is None else parsed.request
        places = [f"{file}: question {number}" for number in range(1, len(parsed.questions) + 1)]
        asked = [
            known
            for place, item in zip(places, parsed.questions, strict=True)
            for known in _asked(_converted(item, _Question, place), template, place)
        ]
        yield from asked  # nothing of a file that is wrong somewhere

    def _lines(self, file: str) -> Iterator[KnownAnswer]:
        template = self._template
        asked: list[KnownAnswer] = []
        for number, line in enumerate(_read(Path(file)).splitlines(), 1):
            if not line.strip():
                continue
            place = f"{file}:{number}"
            try:
                item = _converted(json.decode(line), _Question, place)
            except (DecodeError, RecursionError):
                raise UsageError(f"{place}: this is not JSON") from None
            if item.request is not None and not item.question:
                template = item.request  # from here on
            else:
                asked += _asked(item, template, place)
        yield from asked

    def _log(self, file: str) -> Iterator[KnownAnswer]:
        corpus = Corpus((file,), self._stdin)
        untimed = 0
        for record in corpus:
            timed, untimed = corpus.gaps.times == untimed, corpus.gaps.times
            answer = _body(record)
            if answer is None:
                self._skip("no plain answer is recorded")
                continue
            arrival = record.arrival
            yield KnownAnswer(
                record.id, _compact(arrival.request.raw), answer, arrival.caller, arrival.now if timed else None,
                arrival.answer_id,
            )  # fmt: skip
        for _ in range(corpus.skipped.count):
            self._skip("it is no record")

    def _skip(self, reason: str) -> None:
        self.skipped[reason] = self.skipped.get(reason, 0) + 1


def _asked(item: _Question, template: Mapping[str, Any] | None, place: str) -> Iterator[KnownAnswer]:
    questions = [item.question] if isinstance(item.question, str) else item.question
    if not item.answer.strip() or not questions or not all(question.strip() for question in questions):
        raise UsageError(f"{place}: a question and its answer are expected", "write `question:` and `answer:`")
    request = template if item.request is None else item.request
    if request is None or "model" not in request:
        raise UsageError(
            f"{place}: nothing says what the application asks besides the question",
            "state `request: {model: ..., messages: [...]}` as the application sends it, without the question",
        )
    messages = request.get("messages") or []
    for question in questions:
        body = json.encode({**request, "messages": [*messages, {"role": "user", "content": question}]})
        try:
            asked = decode_request(body)
        except WireError as error:
            raise UsageError(f"{place}: `request`: {error.message}") from None
        usage = Usage(input_tokens=request_tokens(asked), output_tokens=max(estimate_tokens(item.answer), 1))
        answer = completion_body(asked.model, item.answer, usage)
        yield KnownAnswer(place, body, answer, Caller(item.tenant, item.user), intent=item.intent)


def _body(record: Record) -> bytes | None:
    """The recorded answer as a completion; `None` where it is none that could be given again."""
    answer: Response = record.answer
    if not is_recorded(answer) or answer.body is None:
        return None
    try:
        told = decode_response(answer.body)
    except WireError:
        return None  # told in a shape of its own, and no plain text
    if told.content and told.model != UNSTATED:
        return answer.body
    if answer.tool_calls or answer.refusal or answer.finish_reason != "stop" or not answer.content:
        return None
    return completion_body(answer.model or record.arrival.request.model, answer.content, record.usage)


def _compact(body: bytes) -> bytes:
    """A request as the providers' own libraries spell it. Messages are part of an answer's identity byte by byte, and
    whoever wrote the log may have put blanks between them."""
    return json.encode(json.decode(body))


def _is_faq(path: Path) -> bool:
    """Whether JSON Lines are questions with answers, by the first of them."""
    try:
        with path.open("rb") as file:
            first = file.readline(_LARGEST)
        found = json.decode(first)
    except (OSError, DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return isinstance(found, dict) and ("question" in found or (set(found) == {"request"} and _bare(found["request"])))


def _bare(request: Any) -> bool:
    """Whether a request lacks its question: such a line introduces a FAQ."""
    messages = request.get("messages") if isinstance(request, dict) else None
    return not any(isinstance(each, dict) and each.get("role") == "user" for each in messages or ())


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise UsageError(f"`{path}` cannot be read: {(error.strerror or 'unknown reason').lower()}") from error
    if len(data) > _LARGEST:
        raise UsageError(f"`{path}` is larger than {_LARGEST >> 20} MiB", "split it")
    return data


_WORDS = {
    "`str`": "a text", "`str | array`": "a text or a list of them", "`array`": "a list", "`object`": "a mapping",
    "`int`": "a number", "`float`": "a number", "`bool`": "true or false", "`null`": "nothing",
    "Object contains unknown field": "there is an unknown key",
}  # fmt: skip


def _converted(data: Any, kind: type[Any], place: str) -> Any:
    try:
        return convert(data, kind)
    except ValidationError as error:
        told = str(error)
        for theirs, ours in _WORDS.items():
            told = told.replace(theirs, ours)
        raise UsageError(
            f"{place}: {told[:1].lower()}{told[1:]}", "see `costpol cache warm --help` for the form of a FAQ"
        ) from None
