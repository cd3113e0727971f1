"""What a client of the official library sees."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import openai
import pytest

FAQ = "how do I reset my password?"


@pytest.fixture
def sidecar(common: Any) -> Any:
    return common[0]


@pytest.fixture
def provider(common: Any) -> Any:
    common[1].app.seen.clear()
    return common[1]


@pytest.fixture
def tenant(request: pytest.FixtureRequest) -> dict[str, str]:
    """A tenant of the test's own, so that no answer is in the cache already."""
    return {"x-costpol-tenant": request.node.name[:100]}


def ask(client: openai.OpenAI, text: str = FAQ, model: str = "large", **options: Any) -> Any:
    return client.chat.completions.with_raw_response.create(
        model=model, messages=[{"role": "user", "content": text}], **options
    )


def streamed(client: openai.OpenAI, text: str = FAQ, model: str = "large", **options: Any) -> list[Any]:
    return list(
        client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": text}], stream=True, **options
        )
    )


def text_of(chunks: list[Any]) -> str:
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


def test_an_answer_says_what_was_decided_and_what_it_cost(sidecar: Any, tenant: Any) -> None:
    client = sidecar.client(**tenant)
    raw = ask(client)
    answer, headers = raw.parse(), raw.headers
    assert answer.choices[0].message.content.startswith("Answer ")
    assert headers["x-costpol-policy"].startswith("g1-")
    assert (headers["x-costpol-intent"], headers["x-costpol-route"]) == ("faq", "default")
    assert (headers["x-costpol-model"], headers["x-costpol-cache"]) == ("small", "miss")
    assert headers["x-request-id"] == "req_simulated"
    cost = (answer.usage.prompt_tokens * 1 + answer.usage.completion_tokens * 4) / Decimal(1_000_000)
    asked = (answer.usage.prompt_tokens * 10 + answer.usage.completion_tokens * 40) / Decimal(1_000_000)
    assert Decimal(headers["x-costpol-cost-usd"]) == cost
    assert Decimal(headers["x-costpol-saved-usd"]) == asked - cost


def test_a_repeat_is_answered_from_the_cache_whole_and_as_a_stream(sidecar: Any, provider: Any, tenant: Any) -> None:
    client = sidecar.client(**tenant)
    first = ask(client).parse()
    again = ask(client)
    chunks = streamed(client, stream_options={"include_usage": True})
    assert len(provider.app.seen) == 1
    assert again.headers["x-costpol-cache"] == "hit"
    assert again.headers["x-costpol-cost-usd"] == "0"
    assert again.parse().choices[0].message.content == first.choices[0].message.content == text_of(chunks)
    assert again.parse().id != first.id
    assert chunks[-1].usage.total_tokens == first.usage.total_tokens


def test_a_similar_question_hits_and_another_tenant_s_does_not(sidecar: Any, tenant: Any) -> None:
    acme, other = sidecar.client(**tenant), sidecar.client(**{"x-costpol-tenant": "other"})
    ask(acme, "how do I reset my password")
    assert ask(acme, "How do I reset my password?!").headers["x-costpol-cache"] == "hit"
    assert ask(other, "how do I reset my password").headers["x-costpol-cache"] == "miss"


def test_a_stream_is_kept_and_answers_the_next_question(sidecar: Any, provider: Any, tenant: Any) -> None:
    client = sidecar.client(**tenant)
    chunks = streamed(client)
    assert all(chunk.usage is None for chunk in chunks), "usage that nobody asked for"
    raw = ask(client)
    assert raw.headers["x-costpol-cache"] == "hit"
    assert raw.parse().choices[0].message.content == text_of(chunks)
    assert json.loads(provider.app.seen[0].body)["stream_options"] == {"include_usage": True}


def test_a_client_that_asks_for_usage_gets_it(sidecar: Any) -> None:
    assert streamed(sidecar.client(), stream_options={"include_usage": True})[-1].usage.total_tokens > 0


def test_rules_route_by_what_is_asked(sidecar: Any, provider: Any) -> None:
    raw = ask(sidecar.client(), "please analyze this text", model="small")
    assert (raw.headers["x-costpol-route"], raw.headers["x-costpol-model"]) == ("deep-work", "large")
    assert raw.headers["x-costpol-saved-usd"].startswith("-")
    assert json.loads(provider.app.seen[-1].body)["model"] == "large"


def test_nothing_of_costpol_s_own_and_no_key_goes_upstream(sidecar: Any, provider: Any) -> None:
    ask(sidecar.client(**{"x-costpol-tenant": "acme", "OpenAI-Organization": "org-1", "Idempotency-Key": "i-1"}))
    sent = provider.app.seen[-1].headers
    assert not [name for name in sent if name.startswith("x-costpol") or name.startswith("x-stainless")]
    assert "authorization" not in sent
    assert "openai-organization" not in sent
    assert sent["idempotency-key"] == "i-1"
    assert sent["accept-encoding"] == "identity"


def test_a_failing_target_gives_way_to_the_next(sidecar: Any) -> None:
    raw = ask(sidecar.client(), model="shaky")
    assert raw.headers["x-costpol-model"] == "small"
    assert raw.parse().choices[0].message.content
    assert text_of(streamed(sidecar.client(), model="shaky"))


@pytest.mark.parametrize(("model", "status"), [("missing", 404), ("busy", 429), ("down", 503)])
def test_an_upstream_error_is_passed_on_as_it_came(sidecar: Any, model: str, status: int) -> None:
    with pytest.raises(openai.APIStatusError) as error:
        ask(sidecar.client(), model=model)
    assert error.value.status_code == status
    assert error.value.body["code"] == "simulated"  # type: ignore[index]
    assert error.value.response.headers.get("retry-after") == ("7" if status == 429 else None)
    assert error.value.response.headers["x-costpol-model"] == model
    request_id = error.value.response.headers["x-costpol-request-id"]
    assert f"request {request_id} failed: {status} (tried {model})" in sidecar.log.read_text()


@pytest.mark.parametrize(
    ("model", "status", "code"),
    [("silent", 504, "upstream_timeout"), ("garbled", 502, "upstream_broken"), ("torn", 502, "upstream_broken")],
)
def test_an_upstream_that_does_not_answer_is_an_error_of_the_gateway(
    sidecar: Any, model: str, status: int, code: str
) -> None:
    with pytest.raises(openai.InternalServerError) as error:
        ask(sidecar.client(), model=model)
    assert error.value.status_code == status
    assert error.value.body["code"] == code  # type: ignore[index]


@pytest.mark.parametrize("model", ["torn", "stalled"])
def test_a_stream_that_breaks_off_ends_with_an_error(sidecar: Any, model: str) -> None:
    before = sidecar.metric("costpol_requests_total", outcome="incomplete")
    received: list[Any] = []
    with pytest.raises(openai.APIError) as error:
        received.extend(
            sidecar.client().chat.completions.create(
                model=model, messages=[{"role": "user", "content": "tell me a joke"}], stream=True
            )
        )
    assert received
    assert error.value.code in ("upstream_broken", "upstream_timeout")
    assert sidecar.metric("costpol_requests_total", outcome="incomplete") == before + 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"not json", "not valid JSON"),
        (b"{}", "`model` is missing"),
        (b'{"model": "m", "messages": []}', "must not be empty"),
        (b'{"model": "m", "model": "n", "messages": [{"role": "user", "content": "x"}]}', "given twice"),
    ],
)
def test_a_bad_request_is_told_so_in_the_provider_s_words(sidecar: Any, body: bytes, words: str) -> None:
    status, headers, answer = sidecar.request("POST", "/v1/chat/completions", body)
    error = json.loads(answer)["error"]
    assert status == 400
    assert words in error["message"]
    assert error["type"] == "invalid_request_error"
    assert "x-costpol-request-id" in headers


def test_a_body_beyond_the_limit_is_refused(sidecar: Any) -> None:
    status, _, answer = sidecar.request("POST", "/v1/chat/completions", None, content_length=str(11 * 2**20))
    assert (status, json.loads(answer)["error"]["code"]) == (413, "request_too_large")


def test_how_large_a_body_may_be_is_an_option(start: Callable[..., Any]) -> None:
    sidecar = start("--max-body=2KiB", "--workers=2")
    body = json.dumps({"model": "small", "messages": [{"role": "user", "content": "x" * 1500}]}).encode()
    assert sidecar.request("POST", "/v1/chat/completions", body)[0] == 200
    status, _, answer = sidecar.request("POST", "/v1/chat/completions", body + b" " * 2048)
    error = json.loads(answer)["error"]
    assert (status, error["message"]) == (413, "the request body is larger than 2 KiB")


@pytest.mark.parametrize(("path", "status"), [("/v1/chat/completions", 405), ("/v1/realtime", 404)])
def test_an_upgrade_to_a_web_socket_is_refused_without_noise(sidecar: Any, path: str, status: int) -> None:
    upgrade = {"connection": "Upgrade", "upgrade": "websocket", "sec_websocket_version": "13"}
    found, _, answer = sidecar.request("GET", path, sec_websocket_key="dGhlIHNhbXBsZSBub25jZQ==", **upgrade)
    assert (found, json.loads(answer)["error"]["type"]) == (status, "invalid_request_error")
    assert "upgrade" not in sidecar.log.read_text().lower()


def test_whoever_asks_for_the_head_gets_the_head(sidecar: Any) -> None:
    for path in ("/-/ready", "/-/healthy", "/metrics", "/v1/models"):
        status, _, body = sidecar.request("HEAD", path)
        assert (status, body) == (200, b"")
    assert sidecar.request("HEAD", "/v1/chat/completions")[0] == 405


def test_models_are_listed_and_found(sidecar: Any) -> None:
    names = [model.id for model in sidecar.client().models.list()]
    assert names[:3] == ["cheap", "strong", "shaky"]
    assert "large" in names
    assert sidecar.client().models.retrieve("large").id == "large"
    with pytest.raises(openai.NotFoundError):
        sidecar.client().models.retrieve("nobody")


def test_what_is_not_served_says_what_is(sidecar: Any) -> None:
    with pytest.raises(openai.NotFoundError, match="POST /v1/chat/completions"):
        sidecar.client().embeddings.create(model="m", input="x")
    status, headers, _ = sidecar.request("GET", "/v1/chat/completions")
    assert (status, headers["allow"]) == (405, "POST")


def test_pages_of_other_sites_are_not_answered(sidecar: Any) -> None:
    body = b'{"model": "m", "messages": [{"role": "user", "content": "x"}]}'
    assert sidecar.request("POST", "/v1/chat/completions", body, Origin="https://evil.example")[0] == 403
    assert sidecar.request("GET", "/-/policy", Host="evil.example")[0] == 403
    assert sidecar.request("POST", "/-/reload", Origin="https://evil.example")[0] == 403


def test_an_odd_identity_is_refused(sidecar: Any) -> None:
    body = b'{"model": "m", "messages": [{"role": "user", "content": "x"}]}'
    assert sidecar.request("POST", "/v1/chat/completions", body, x_costpol_tenant="x" * 200)[0] == 400
    assert sidecar.request("POST", "/v1/chat/completions", body, x_costpol_deadline="soon")[0] == 400


def test_operations_tell_how_it_is(sidecar: Any) -> None:
    assert sidecar.get("/-/healthy") == {"status": "healthy"}
    assert sidecar.get("/-/ready")["status"] == "ready"
    policy = sidecar.get("/-/policy")
    assert policy["generation"] == 1
    assert policy["last_error"] is None
    assert policy["embedder"].startswith("static-en/")
    before = sidecar.metric("costpol_requests_total", outcome="answered")
    ask(sidecar.client())
    assert sidecar.metric("costpol_requests_total", outcome="answered") == before + 1
    assert sidecar.metric("costpol_cost_usd_total") > 0
