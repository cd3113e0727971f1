from __future__ import annotations

import json
from typing import Any

import openai
import pytest


def client(provider: Any) -> openai.OpenAI:
    return openai.OpenAI(base_url=provider.url, api_key="none", max_retries=0, timeout=2)


def ask(provider: Any, text: str = "hello?", model: str = "m", **options: Any) -> Any:
    return client(provider).chat.completions.create(
        model=model, messages=[{"role": "user", "content": text}], **options
    )


def test_equal_questions_have_equal_answers_and_others_others(provider: Any) -> None:
    first, again, other = ask(provider), ask(provider), ask(provider, "bye?")
    assert first.choices[0].message.content == again.choices[0].message.content
    assert first.choices[0].message.content != other.choices[0].message.content
    assert first.usage.prompt_tokens > 0
    assert first.usage.completion_tokens > 0


def test_a_stream_says_the_same_and_reports_usage_only_where_it_is_asked_for(provider: Any) -> None:
    whole = ask(provider).choices[0].message.content
    plain = list(ask(provider, stream=True))
    asked = list(ask(provider, stream=True, stream_options={"include_usage": True}))
    assert "".join(each.choices[0].delta.content or "" for each in plain) == whole
    assert all(each.usage is None for each in plain)
    assert asked[-1].choices == []
    assert asked[-1].usage.total_tokens > 0


def test_an_answer_keeps_to_its_limit(provider: Any) -> None:
    short = ask(provider, max_tokens=5)
    assert short.choices[0].finish_reason == "length"
    assert short.usage.completion_tokens <= 5


def test_json_is_given_where_it_is_asked_for(provider: Any) -> None:
    assert "answer" in json.loads(ask(provider, response_format={"type": "json_object"}).choices[0].message.content)


@pytest.mark.parametrize("status", [400, 401, 429, 500, 503])
def test_a_status_is_failed_with_on_request(provider: Any, status: int) -> None:
    with pytest.raises(openai.APIStatusError) as error:
        ask(provider, model=f"m:fail-{status}")
    assert error.value.status_code == status
    assert error.value.body["code"] == "simulated"  # type: ignore[index]


@pytest.mark.parametrize("kind", ["cut", "hang"])
def test_connections_fail_on_request(provider: Any, kind: str) -> None:
    with pytest.raises((openai.APIConnectionError, openai.APIError)):
        client(provider).with_options(timeout=0.3).chat.completions.create(
            model=f"m:fail-{kind}", messages=[{"role": "user", "content": "x"}]
        )


def test_what_arrived_is_kept_for_looking(provider: Any) -> None:
    ask(provider)
    assert json.loads(provider.app.seen[-1].body)["model"] == "m"
    assert provider.app.seen[-1].headers["authorization"] == "Bearer none"
