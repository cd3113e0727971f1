from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from costpol.commands import Answered, Call, CallFailed, Edit
from costpol.pipeline.decision import Decision, Outcome, Refusal
from costpol.providers.openai import decode_request
from costpol.proxy.exchange import Exchange
from costpol.proxy.messages import own_task
from costpol.proxy.patience import Patience
from costpol.proxy.upstream import Upstream, open_session
from costpol.runtime.endpoint import Endpoint

CALL = Call("sim", "small", Edit(), 1.0, headers=(("x-costpol-model", "small"),))


class Client:
    """The ASGI side of a client: what it was sent, and when it leaves."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.leaves = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])

    @property
    def error(self) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.json.decode(self.body)["error"]
        return found


def exchanged(
    url: str,
    scenario: Callable[[Exchange, Client], Awaitable[Any]],
    model: str = "m",
    headers: dict[bytes, bytes] | None = None,
    **options: Any,
) -> tuple[Any, Client]:
    """Run a scenario with an exchange whose provider is at `url`."""
    question = {"model": model, "messages": [{"role": "user", "content": "hi"}], **options}

    async def main() -> tuple[Any, Client]:
        from yarl import URL

        client = Client()
        async with open_session() as session:
            endpoint = Endpoint(URL(f"{url}/chat/completions"), (("Content-Type", "application/json"),), True)
            exchange = Exchange(
                decode_request(msgspec.json.encode(question)),
                SimpleNamespace(endpoints={"sim": endpoint}),  # type: ignore[arg-type]
                headers or {},
                ((b"x-costpol-request-id", b"r1"),),
                upstream=Upstream(session),
                patience=Patience(0.05),
                task=own_task(),
                receive=client.receive,
                send=client.send,
            )
            return await scenario(exchange, client), client

    return asyncio.run(main())


def outcome(kind: Any, **results: Any) -> Outcome:
    return Outcome(kind, Decision("d", rule="default", model="small"), (), **results)


async def call(exchange: Exchange, client: Client) -> Answered | CallFailed:
    return await exchange.call(CALL)


def test_a_whole_answer_waits_for_the_outcome(provider: Any) -> None:
    reply, client = exchanged(provider.url, call)
    assert isinstance(reply, Answered)
    assert not reply.sent
    assert client.sent == []


def test_a_stream_is_passed_on_with_its_head_first(provider: Any) -> None:
    reply, client = exchanged(provider.url, call, stream=True)
    assert isinstance(reply, Answered)
    assert reply.sent
    assert reply.response.complete
    assert client.status == 200
    assert client.headers[b"x-costpol-model"] == b"small"
    assert client.headers[b"x-costpol-request-id"] == b"r1"
    assert client.headers[b"x-request-id"] == b"req_simulated"
    assert client.body.endswith(b"data: [DONE]\n\n")
    assert client.sent[-1]["more_body"], "the end is sent once all is settled"


def test_a_stream_that_fails_before_it_begins_has_sent_nothing(provider: Any) -> None:
    reply, client = exchanged(provider.url, call, model="m:fail-503", stream=True)
    assert isinstance(reply, CallFailed)
    assert (reply.kind, reply.status) == ("status", 503)
    assert client.sent == []


def test_a_client_that_leaves_gets_what_it_had_charged(provider: Any) -> None:
    provider.app.pause = 0.05

    async def leave(exchange: Exchange, client: Client) -> Any:
        asyncio.get_running_loop().call_later(0.4, client.leaves.set)
        reply = await exchange.call(CALL)
        await exchange.finish(outcome("answered", response=reply.response, sent=True), "r1", 1)  # type: ignore[union-attr]
        return reply, exchange.left

    (reply, left), _ = exchanged(provider.url, leave, stream=True)
    assert left
    assert isinstance(reply, Answered)
    assert reply.response.content.startswith("Answer")
    assert not reply.response.complete
    assert reply.response.body is None


def test_a_cancelled_call_is_replied_to_first_and_raised_at_the_end(provider: Any) -> None:
    async def cancel(exchange: Exchange, client: Client) -> Any:
        asyncio.get_running_loop().call_later(0.1, asyncio.current_task().cancel)  # type: ignore[union-attr]
        reply = await exchange.call(CALL)
        assert await exchange.call(CALL) == CallFailed("unreachable"), "no other target is tried"
        with pytest.raises(asyncio.CancelledError):
            await exchange.finish(outcome("answered"), "r1", 1)
        return reply

    reply, client = exchanged(provider.url, cancel, model="m:fail-hang")
    assert isinstance(reply, Answered)
    assert not reply.response.complete
    assert client.sent == []


def test_the_caller_s_account_goes_along_with_its_key(provider: Any) -> None:
    headers = {
        b"authorization": b"Bearer theirs", b"openai-organization": b"org", b"x-costpol-tenant": b"t",
        b"idempotency-key": b"i", b"cookie": b"c", b"host": b"h",
    }  # fmt: skip
    exchanged(provider.url, call, headers=headers)
    seen = provider.app.seen[-1].headers
    assert (seen["authorization"], seen["openai-organization"], seen["idempotency-key"]) == (
        "Bearer theirs",
        "org",
        "i",
    )
    assert not {"x-costpol-tenant", "cookie"} & seen.keys()


def finished(result: Outcome) -> Client:
    async def finish(exchange: Exchange, client: Client) -> None:
        await exchange.finish(result, "r1", 1)

    return exchanged("http://127.0.0.1:9", finish)[1]


def test_a_refusal_says_when_to_come_back() -> None:
    client = finished(outcome("refused", refusal=Refusal(429, "budget_exceeded", "used up", 12.2)))
    assert (client.status, client.error["code"], client.error["type"]) == (429, "budget_exceeded", "insufficient_quota")
    assert client.headers[b"retry-after"] == b"13"


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (CallFailed("timeout"), 504),
        (CallFailed("unreachable"), 502),
        (CallFailed("broken"), 502),
        (CallFailed("status", 302, b"moved"), 502),
        (CallFailed("status", 999, b"odd"), 502),
    ],
)
def test_a_failure_without_an_answer_of_its_own_is_put_into_words(failure: CallFailed, status: int) -> None:
    client = finished(outcome("failed", failure=failure))
    assert client.status == status
    assert client.error["type"] == "server_error"


def test_an_error_of_the_upstream_keeps_its_bytes() -> None:
    client = finished(outcome("failed", failure=CallFailed("status", 422, b"<odd>", "text/html")))
    assert (client.status, client.body, client.headers[b"content-type"]) == (422, b"<odd>", b"text/html")
    down = CallFailed("status", 503, b' {"error": {"message": "busy"}}')
    assert finished(outcome("failed", failure=down)).body == down.body


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"upstream connect error", b""])
def test_a_page_of_what_stands_before_a_dead_upstream_becomes_an_error_that_clients_can_read(body: bytes) -> None:
    client = finished(outcome("failed", failure=CallFailed("status", 502, body, "text/html")))
    assert (client.status, client.headers[b"content-type"]) == (502, b"application/json")
    assert (client.error["type"], client.error["code"]) == ("server_error", "upstream_broken")
