"""The OpenAI-compatible embedder, and what it shares with other remote ones, against a server on this machine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from aiohttp import ClientSession, web

from costpol.commands import Failed
from costpol.embedding.embedder import EMPTY_TEXT, REMOTE_ONLY
from costpol.embedding.openai_compatible import OpenAICompatibleEmbedder
from costpol.embedding.remote import MAX_ANSWER_BYTES, MAX_CHARACTERS
from costpol.errors import AwayError, ProvisionError

if TYPE_CHECKING:
    from costpol.commands import Vector

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def served(
    answer: Answer,
    use: Callable[[OpenAICompatibleEmbedder], Awaitable[Any]],
    timeout: float = 60,
    send_dimension: bool = False,
) -> Any:
    async def run() -> Any:
        app = web.Application()
        app.router.add_post("/v1/embeddings", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        try:
            async with ClientSession() as session:
                return await use(
                    OpenAICompatibleEmbedder(
                        session,
                        base_url=f"http://127.0.0.1:{port}/v1/",
                        model="small",
                        key="sk-test",
                        dimension=2,
                        timeout=timeout,
                        send_dimension=send_dimension,
                    )
                )
        finally:
            await runner.cleanup()

    return asyncio.run(run())


def always(status: int, body: bytes) -> Answer:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, body=body)

    return answer


def vectors(*numbers: list[float]) -> bytes:
    return json.dumps({"data": [{"index": 0, "embedding": row} for row in numbers], "model": "small"}).encode()


async def ask(embedder: OpenAICompatibleEmbedder) -> Vector | Failed:
    return await embedder.embed_async("where is my parcel?")


def test_the_answer_is_scaled_to_unit_length() -> None:
    vector = served(always(200, vectors([3, 4])), ask)
    assert isinstance(vector, np.ndarray)
    assert vector.dtype == np.float32
    assert vector.tolist() == pytest.approx([0.6, 0.8])


def test_the_question_carries_key_model_and_bounded_text() -> None:
    seen: list[tuple[str, dict[str, object]]] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append((request.headers["authorization"], await request.json()))
        return web.Response(body=vectors([1, 0]))

    served(answer, lambda embedder: embedder.embed_async("a" * (MAX_CHARACTERS + 5)), send_dimension=True)
    assert seen == [
        (
            "Bearer sk-test",
            {"model": "small", "encoding_format": "float", "dimensions": 2, "input": "a" * MAX_CHARACTERS},
        )
    ]


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (429, b"{}", "embedder_status_429"),
        (500, b"", "embedder_status_500"),
        (200, b"<html>", "embedder_broken_answer"),
        (200, b'{"data": [{"embedding": ["a", "b"]}]}', "embedder_broken_answer"),
        (200, b'{"data": []}', "embedder_broken_answer"),
        (200, b"\xff\xfe", "embedder_broken_answer"),
        (200, vectors([0, 0]), "embedder_broken_answer"),
        (200, vectors([1.7e308, 1.7e308]), "embedder_broken_answer"),
        (200, vectors([1, 0], [0, 1]), "embedder_broken_answer"),
        (200, vectors([1, 0, 0]), "embedder_wrong_dimension"),
        (200, b" " * MAX_ANSWER_BYTES + vectors([1, 0]), "embedder_broken_answer"),
    ],
)
def test_what_is_no_vector_is_answered_as_a_reason(status: int, body: bytes, reason: str) -> None:
    assert served(always(status, body), ask) == Failed(reason)


def test_a_failure_is_not_retried() -> None:
    calls: list[int] = []

    async def answer(request: web.Request) -> web.Response:
        calls.append(1)
        return web.Response(status=503)

    assert served(answer, ask) == Failed("embedder_status_503")
    assert len(calls) == 1


def test_a_slow_endpoint_times_out() -> None:
    async def answer(request: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response(body=vectors([1, 0]))

    assert served(answer, ask, timeout=0.05) == Failed("embedder_timeout")


def test_an_endpoint_that_is_not_there_is_unreachable() -> None:
    async def run() -> Vector | Failed:
        server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        async with ClientSession() as session:
            embedder = OpenAICompatibleEmbedder(
                session, base_url=f"http://127.0.0.1:{port}", model="small", key=None, dimension=2, timeout=5
            )
            return await embedder.embed_async("hello")

    assert asyncio.run(run()) == Failed("embedder_unreachable")


def test_a_text_without_a_word_is_not_sent() -> None:
    assert served(always(500, b""), lambda embedder: embedder.embed_async(" \n")) == EMPTY_TEXT


def test_provision_says_what_is_wrong() -> None:
    with pytest.raises(ProvisionError, match="embedder_wrong_dimension"):
        served(always(200, vectors([1, 0, 0])), lambda embedder: embedder.provision())


def test_provision_is_silent_when_all_is_right() -> None:
    assert served(always(200, vectors([1, 0])), lambda embedder: embedder.provision()) is None


def test_it_says_that_it_is_remote_and_which_model_it_is() -> None:
    async def look(embedder: OpenAICompatibleEmbedder) -> Failed | None:
        assert not embedder.local
        assert embedder.id.startswith("openai-compatible/small@127.0.0.1:")
        assert embedder.id.endswith("/2")
        answer = embedder.embed("hello")
        assert isinstance(answer, Failed)
        return answer

    assert served(always(500, b""), look) == REMOTE_ONLY


async def lengths(request: web.Request) -> web.Response:
    """Answers each text with a vector of its length, the last one first."""
    asked = (await request.json())["input"]
    texts = [asked] if isinstance(asked, str) else asked
    rows = [{"index": place, "embedding": [len(text), 1]} for place, text in enumerate(texts)]
    return web.json_response({"data": rows[::-1]})


async def together(embedder: OpenAICompatibleEmbedder, *texts: str) -> list[Vector | Failed]:
    return await asyncio.gather(*(embedder.embed_async(text) for text in texts))


def unit(*numbers: float) -> Any:
    return pytest.approx((np.array(numbers) / np.linalg.norm(numbers)).tolist())


def test_texts_that_come_together_share_a_call_and_each_gets_its_own_vector() -> None:
    calls: list[object] = []

    async def answer(request: web.Request) -> web.Response:
        calls.append((await request.json())["input"])
        return await lengths(request)

    answers = served(answer, lambda embedder: together(embedder, "a", "bbb", " ", "cc"))
    assert [answer if isinstance(answer, Failed) else answer.tolist() for answer in answers] == [
        unit(1, 1), unit(3, 1), EMPTY_TEXT, unit(2, 1),
    ]  # fmt: skip
    assert calls == [["a", "bbb", "cc"]]


def test_vectors_without_a_place_are_taken_in_their_order() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"data": [{"embedding": [3, 4]}, {"embedding": [1, 0]}]})

    first, second = served(answer, lambda embedder: together(embedder, "a", "b"))
    assert (first.tolist(), second.tolist()) == (unit(3, 4), unit(1, 0))


def test_a_vector_that_is_left_out_fails_its_own_text_only() -> None:
    async def answer(request: web.Request) -> web.Response:
        rows = [{"index": 2, "embedding": [3, 4]}, {"index": 0, "embedding": [1, 0, 0]}]
        return web.json_response({"data": rows})

    first, second, third = served(answer, lambda embedder: together(embedder, "a", "b", "c"))
    assert (first, second) == (Failed("embedder_wrong_dimension"), Failed("embedder_broken_answer"))
    assert third.tolist() == unit(3, 4)


@pytest.mark.parametrize("places", [(0, 0), (0, 2), (-1, 0), (0, None)])
def test_vectors_whose_place_is_wrong_are_given_to_nobody(places: tuple[int | None, int | None]) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"data": [{"index": place, "embedding": [1, 0]} for place in places]})

    assert served(answer, lambda embedder: together(embedder, "a", "b")) == [Failed("embedder_broken_answer")] * 2


def test_a_text_that_the_endpoint_refuses_does_not_fail_the_others() -> None:
    async def answer(request: web.Request) -> web.Response:
        if "bad" in (await request.json())["input"]:
            return web.Response(status=400)
        return await lengths(request)

    first, bad, last = served(answer, lambda embedder: together(embedder, "a", "bad", "cc"))
    assert bad == Failed("embedder_status_400")
    assert (first.tolist(), last.tolist()) == (unit(1, 1), unit(2, 1))


def test_an_endpoint_that_is_overrun_is_not_asked_text_by_text() -> None:
    calls: list[int] = []

    async def answer(request: web.Request) -> web.Response:
        calls.append(1)
        return web.Response(status=429)

    assert served(answer, lambda embedder: together(embedder, "a", "b")) == [Failed("embedder_status_429")] * 2
    assert len(calls) == 1


def test_a_key_is_not_carried_to_another_address() -> None:
    async def answer(request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect("http://127.0.0.1:9/elsewhere")

    assert served(answer, ask) == Failed("embedder_status_307")


def test_many_texts_are_embedded_in_bounded_calls_in_their_order() -> None:
    sizes: list[int] = []

    async def answer(request: web.Request) -> web.Response:
        asked = (await request.json())["input"]
        sizes.append(1 if isinstance(asked, str) else len(asked))
        return await lengths(request)

    texts = ["x" * (number % 7) for number in range(50)]
    answers = served(answer, lambda embedder: embedder.embed_all(texts))
    assert [answer == EMPTY_TEXT if isinstance(answer, Failed) else answer.tolist() for answer in answers] == [
        unit(len(text), 1) if text else True for text in texts
    ]
    assert sizes == [16, 16, 10]


def test_an_endpoint_that_can_shorten_its_vectors_is_asked_to() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=vectors([3, 4] if (await request.json()).get("dimensions") == 2 else [1, 2, 3]))

    async def use(embedder: OpenAICompatibleEmbedder) -> Vector | Failed:
        await embedder.provision()
        return await embedder.embed_async("hello")

    assert served(answer, use).tolist() == unit(3, 4)


@pytest.mark.parametrize(("status", "error"), [(503, AwayError), (429, AwayError), (401, ProvisionError)])
def test_provision_tells_who_is_away_from_who_is_wrong(status: int, error: type[ProvisionError]) -> None:
    with pytest.raises(ProvisionError, match=f"embedder_status_{status}") as raised:
        served(always(status, b""), lambda embedder: embedder.provision())
    assert type(raised.value) is error
