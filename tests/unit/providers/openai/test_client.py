"""The provider's own client reads what we serve, over a transport without sockets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from costpol.inference.request import Request
from costpol.providers.openai import decode_request, error_body, models_body, replay_body, replay_stream

CASES = sorted((Path(__file__).parents[3] / "cases/wire/openai/answers").glob("*.json"))
STORED = {path.stem: json.dumps(json.loads(path.read_text())["answer"]).encode() for path in CASES}
ASKED: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Größe?"}], "max_tokens": 9}


class Sidecar:
    """Answers every chat completion from one stored answer, and keeps the requests it read."""

    def __init__(self, stored: bytes) -> None:
        self.stored = stored
        self.requests: list[Request] = []
        transport = httpx2.MockTransport(self.answer)
        self.client = openai.OpenAI(
            api_key="k",
            base_url="http://costpol.test/v1",
            max_retries=0,
            http_client=httpx2.Client(transport=transport),
        )

    def answer(self, sent: httpx2.Request) -> httpx2.Response:
        if sent.url.path == "/v1/models":
            return httpx2.Response(200, content=models_body(["gpt-4o"], 1))
        request = decode_request(sent.content)
        self.requests.append(request)
        if request.model == "dear":
            content = error_body(429, "budget `team` is used up", "insufficient_quota", "budget_exceeded")
            return httpx2.Response(429, content=content)
        if not request.stream:
            return httpx2.Response(200, content=replay_body(self.stored, request, "chatcmpl-new", 1))
        events = b"".join(replay_stream(self.stored, request, "chatcmpl-new", 1))
        return httpx2.Response(200, content=events, headers={"content-type": "text/event-stream"})


@pytest.mark.parametrize("stored", STORED.values(), ids=STORED)
def test_a_whole_answer_is_read_as_it_was_stored(stored: bytes) -> None:
    sidecar = Sidecar(stored)
    answer = sidecar.client.chat.completions.create(**ASKED)
    assert answer.to_dict() == json.loads(stored) | {"id": "chatcmpl-new", "created": 1}
    (request,) = sidecar.requests
    assert (request.question, request.max_output_tokens) == ("Größe?", 9)


@pytest.mark.parametrize("stored", STORED.values(), ids=STORED)
def test_a_stream_adds_up_to_what_was_stored(stored: bytes) -> None:
    sidecar = Sidecar(stored)
    with sidecar.client.chat.completions.stream(**ASKED, stream_options={"include_usage": True}) as stream:
        answer = [event.snapshot for event in stream if event.type == "chunk"][-1]
    want = json.loads(stored)
    for choice, wanted in zip(answer.choices, want["choices"], strict=True):
        assert choice.finish_reason == wanted["finish_reason"]
        assert (choice.message.content or None) == wanted["message"]["content"]
        assert choice.message.refusal == wanted["message"]["refusal"]
        calls = [(call.id, call.function.name, call.function.arguments) for call in choice.message.tool_calls or ()]
        assert calls == [
            (call["id"], call["function"]["name"], call["function"]["arguments"])
            for call in wanted["message"].get("tool_calls", ())
        ]
    assert (answer.usage and answer.usage.to_dict()) == want.get("usage")
    (request,) = sidecar.requests
    assert request.wants_usage


def test_a_refusal_reaches_the_caller_with_its_code_and_words() -> None:
    with pytest.raises(openai.RateLimitError, match="budget `team` is used up") as caught:
        Sidecar(b"").client.chat.completions.create(**ASKED | {"model": "dear"})
    assert caught.value.code == "budget_exceeded"


def test_models_are_listed() -> None:
    assert [model.id for model in Sidecar(b"").client.models.list()] == ["gpt-4o"]
