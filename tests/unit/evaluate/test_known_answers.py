"""What a cache is warmed from."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from costpol.errors import UsageError
from costpol.evaluate.known_answers import KnownAnswer, KnownAnswers
from costpol.providers.openai import decode_request, decode_response

FAQ = """
request: {model: gpt-4.1, messages: [{role: system, content: You help.}], temperature: 0}
questions:
  - {question: How do I block my card?, answer: Open the app., tenant: acme, intent: cards}
  - {question: [What does it cost?, Is it free?], answer: It is free.}
"""


def read(path: Path, text: str, template: dict[str, Any] | None = None) -> tuple[list[KnownAnswer], KnownAnswers]:
    path.write_text(text)
    answers = KnownAnswers((str(path),), io.BytesIO(), template)
    return list(answers), answers


def test_every_wording_of_a_faq_becomes_a_request_as_the_application_sends_it(tmp_path: Path) -> None:
    found, _ = read(tmp_path / "faq.yaml", FAQ)
    first = found[0]
    assert json.loads(first.request) == {
        "model": "gpt-4.1",
        "messages": [
            {"role": "system", "content": "You help."},
            {"role": "user", "content": "How do I block my card?"},
        ],
        "temperature": 0,
    }
    assert (first.caller.tenant, first.intent, first.time) == ("acme", "cards", None)
    assert [decode_request(each.request).question for each in found[1:]] == ["What does it cost?", "Is it free?"]
    answer = decode_response(found[1].answer)
    assert (answer.content, answer.finish_reason) == ("It is free.", "stop")
    assert answer.usage.input_tokens
    assert answer.usage.output_tokens


def test_a_faq_may_be_json_lines_or_a_bare_list(tmp_path: Path) -> None:
    lines = [{"request": {"model": "m"}}, {"question": "one?", "answer": "1"}, {"question": "two?", "answer": "2"}]
    found, _ = read(tmp_path / "faq.jsonl", "\n".join(map(json.dumps, lines)))
    assert [decode_response(each.answer).content for each in found] == ["1", "2"]
    bare, _ = read(tmp_path / "faq.yml", "- {question: one?, answer: yes it is}\n", {"model": "m"})
    assert decode_request(bare[0].request).model == "m"


def test_a_log_gives_what_it_recorded_and_counts_the_rest(tmp_path: Path) -> None:
    request = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
    completion = {"choices": [{"message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}], "x": 1}
    lines = [
        {"request": request, "response": {"content": "hi there", "usage": {"prompt_tokens": 3}}, "tenant": "acme"},
        {"request": request, "response": completion, "time": 1_790_000_000, "answer_id": 7},
        {"request": request},
        {"request": request, "response": {"content": "half", "finish_reason": "length"}},
        {"no": "record"},
    ]
    found, answers = read(tmp_path / "log.jsonl", "\n".join(map(json.dumps, lines)))
    assert [(each.time, each.answer_id) for each in found] == [(None, None), (1_790_000_000.0, "7")]
    assert decode_response(found[0].answer).content == "hi there"
    assert json.loads(found[1].answer) == completion
    assert answers.skipped == {"no plain answer is recorded": 2, "it is no record": 1}


def test_a_logged_request_is_spelled_as_live_ones_are(tmp_path: Path) -> None:
    request = '{"model":  "m", "messages": [ {"role": "user",  "content": "\\u00e9"} ]}'
    line = f'{{"request": {request}, "response": {{"content": "a"}}}}'
    found, _ = read(tmp_path / "log.jsonl", line)
    assert found[0].request == '{"model":"m","messages":[{"role":"user","content":"é"}]}'.encode()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("f.yaml", "questions: [{question: a?, answer: b}]", "question 1: nothing says what the application asks"),
        ("f.yaml", "request: {model: m}\nquestions: [{question: a?}]", "question 1: a question and its answer"),
        ("f.yaml", "request: {model: m}\nquestions: [{question: a?, answer: 3}]", "expected a text, got a number"),
        ("f.yaml", "request: {model: m}\nquestions: [{question: a?, anwser: x}]", "there is an unknown key"),
        ("f.yaml", "questions: [", "this is not YAML"),
        ("f.jsonl", '{"question": "a?", "answer": "b", "request": {"model": "m"}}\n{', ":2: this is not JSON"),
        ("f.yaml", "request: {model: m, messages: [{role: 3}]}\nquestions: [{question: a?, answer: b}]", "`request`"),
    ],
)
def test_a_faq_that_is_wrong_somewhere_gives_nothing_but_the_place(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    with pytest.raises(UsageError) as raised:
        read(tmp_path / name, text)
    assert said in raised.value.message
    assert name in raised.value.message


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match=r"there is no file `none\.yaml`"):
        KnownAnswers(("none.yaml",), io.BytesIO())
    with pytest.raises(UsageError, match=r"`\.` is a folder"):
        KnownAnswers((".",), io.BytesIO())


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"questions: \xff\xfe", "f.yaml: this is not YAML in UTF-8, as byte 12 shows"),
        (
            b"questions: \x00",
            "f.yaml: this is not YAML: unacceptable character #x0000: control characters are not allowed",
        ),
    ],
)
def test_what_is_no_text_is_told_in_one_line(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "f.yaml").write_bytes(data)
    with pytest.raises(UsageError) as raised:
        list(KnownAnswers((str(tmp_path / "f.yaml"),), io.BytesIO()))
    assert raised.value.message.removeprefix(f"{tmp_path}/") == said
