from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from yarl import URL

from costpol.commands import CallFailed
from costpol.proxy.upstream import Upstream, is_event_stream, open_session, read_whole, returned_headers
from costpol.runtime.endpoint import Endpoint


def body(model: str = "m", **options: Any) -> bytes:
    return json.dumps({"model": model, "messages": [{"role": "user", "content": "hi"}], **options}).encode()


def with_upstream(url: str, scenario: Callable[[Upstream, Endpoint], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with open_session() as session:
            headers = (("Content-Type", "application/json"), ("Authorization", "Bearer ours"))
            return await scenario(Upstream(session), Endpoint(URL(f"{url}/chat/completions"), headers, False))

    return asyncio.run(main())


def test_bytes_go_out_and_come_back_as_they_are(provider: Any) -> None:
    async def scenario(upstream: Upstream, endpoint: Endpoint) -> Any:
        response = await upstream.send(endpoint, body(), (), 5.0)
        assert not isinstance(response, CallFailed)
        return response.status, await read_whole(response), returned_headers(response)

    status, answer, headers = with_upstream(provider.url, scenario)
    assert status == 200
    assert json.loads(answer)["object"] == "chat.completion"
    assert headers == [(b"x-request-id", b"req_simulated")]
    assert provider.app.seen[-1].body == body()
    assert provider.app.seen[-1].headers["authorization"] == "Bearer ours"


def test_a_caller_s_header_takes_the_place_of_the_endpoint_s(provider: Any) -> None:
    async def scenario(upstream: Upstream, endpoint: Endpoint) -> None:
        response = await upstream.send(endpoint, body(), (("Authorization", "Bearer theirs"),), 5.0)
        assert not isinstance(response, CallFailed)
        response.release()

    with_upstream(provider.url, scenario)
    assert provider.app.seen[-1].headers["authorization"] == "Bearer theirs"


def test_a_dead_upstream_is_unreachable() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]

    async def scenario(upstream: Upstream, endpoint: Endpoint) -> Any:
        return await upstream.send(endpoint, body(), (), 5.0)

    assert with_upstream(f"http://127.0.0.1:{port}", scenario) == CallFailed("unreachable")
    assert with_upstream("http://nowhere.invalid", scenario) == CallFailed("unreachable")


def test_a_silent_upstream_times_out(provider: Any) -> None:
    async def scenario(upstream: Upstream, endpoint: Endpoint) -> Any:
        return await upstream.send(endpoint, body("m:fail-hang"), (), 0.2)

    assert with_upstream(provider.url, scenario) == CallFailed("timeout")


def test_a_body_that_ends_early_is_broken(provider: Any) -> None:
    async def scenario(upstream: Upstream, endpoint: Endpoint) -> Any:
        response = await upstream.send(endpoint, body("m:fail-cut"), (), 5.0)
        assert not isinstance(response, CallFailed)
        return await read_whole(response)

    assert with_upstream(provider.url, scenario) == CallFailed("broken")


def test_an_answer_beyond_the_bound_is_broken(provider: Any) -> None:
    async def scenario(upstream: Upstream, endpoint: Endpoint) -> Any:
        response = await upstream.send(endpoint, body(stream=True), (), 5.0)
        assert not isinstance(response, CallFailed)
        assert is_event_stream(response)
        return await read_whole(response, limit=100)

    assert with_upstream(provider.url, scenario) == CallFailed("broken")


@pytest.mark.parametrize("status", [429, 500])
def test_a_failing_status_is_handed_on_with_its_advice(provider: Any, status: int) -> None:
    async def scenario(upstream: Upstream, endpoint: Endpoint) -> Any:
        response = await upstream.send(endpoint, body(f"m:fail-{status}"), (), 5.0)
        assert not isinstance(response, CallFailed)
        return response.status, dict(returned_headers(response))

    answered, headers = with_upstream(provider.url, scenario)
    assert answered == status
    assert headers.get(b"retry-after") == (b"7" if status == 429 else None)


def test_large_bodies_arrive_whole(provider: Any) -> None:
    large = body(padding="x" * (3 * 2**20))

    async def scenario(upstream: Upstream, endpoint: Endpoint) -> None:
        response = await upstream.send(endpoint, large, (), 10.0)
        assert not isinstance(response, CallFailed)
        response.release()

    with_upstream(provider.url, scenario)
    assert provider.app.seen[-1].body == large
