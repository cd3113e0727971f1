"""A small OpenAI-compatible upstream for demos, tests and measurements: no model, no key, no bill.

The answer follows from the question alone, so that equal questions have equal answers. Usage is counted as the engine
estimates tokens. A stream reports usage only where `stream_options.include_usage` asks for it, as the original does.

A failure is asked for by the end of the model's name (`any-name:fail-429`) or by the header `x-simulate: fail-429`:

| word             | what happens                                                       |
| ---------------- | ------------------------------------------------------------------ |
| `fail-<status>`  | that status, with the original's error shape; 429 has `retry-after` |
| `fail-hang`      | nothing is ever answered                                           |
| `fail-garbage`   | 200 and bytes that are not JSON                                    |
| `fail-cut`       | the body ends in its middle, and so does the connection            |
| `fail-stall`     | a stream stops after its second event and stays open               |
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec

from costpol.inference.tokens import estimate_tokens

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

CREATED = 1_750_000_000
"""The `created` of every answer: a constant, for answers that can be compared."""
_KEPT = 1000
_SENTENCES = (
    "Yes, that works the way you describe it.",
    "Open the settings, choose the second entry, and confirm.",
    "The short answer is three working days.",
    "It depends on the plan; the basic one does not include it.",
    "You will find it under your profile, next to the notifications.",
    "Two causes are likely, and the first is quickly ruled out.",
    "Nothing has to be done, it renews by itself.",
    "Please keep the receipt, it will be asked for.",
)


class _Part(msgspec.Struct):
    text: str = ""


class _Message(msgspec.Struct):
    role: str = "user"
    content: str | list[_Part] | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class _Options(msgspec.Struct):
    include_usage: bool = False


class _Body(msgspec.Struct):
    model: str
    messages: list[_Message]
    stream: bool = False
    stream_options: _Options | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    response_format: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class SimulatedProvider:
    """The ASGI application. `latency` is seconds until the first byte, `pause` seconds between events of a stream.

    `seen` keeps the latest requests, `left` counts streams and answers whose client went away before the end.
    """

    latency: float = 0.0
    pause: float = 0.0
    sentences: int = 3
    seen: deque[Seen] = field(default_factory=lambda: deque(maxlen=_KEPT))
    left: int = 0

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await _read(receive)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        self.seen.append(Seen(scope["path"], headers, body))
        if scope["path"].endswith("/models"):
            await _answer(send, 200, msgspec.json.encode({"object": "list", "data": []}))
        elif not scope["path"].endswith("/chat/completions"):
            await _fail(send, 404, f"Unknown request URL: {scope['method']} {scope['path']}.")
        else:
            await self._complete(body, headers.get("x-simulate", ""), receive, send)

    async def _complete(self, body: bytes, wish: str, receive: Receive, send: Send) -> None:
        try:
            asked = msgspec.json.decode(body, type=_Body)
        except msgspec.DecodeError as error:
            await _fail(send, 400, f"The request cannot be read: {error}.")
            return
        failure = wish or asked.model.rpartition(":")[2]
        word = failure.removeprefix("fail-") if failure.startswith("fail-") else ""
        if self.latency:
            await asyncio.sleep(self.latency)
        if word.isdigit():
            await _fail(send, int(word), f"Simulated failure {word}.")
        elif word == "hang":
            await self._wait_until_left(receive)
        elif word == "garbage":
            await _answer(send, 200, b"<html>not what you asked for</html>")
        elif asked.stream:
            await self._stream(asked, word, receive, send)
        else:
            text, reason = self._text(asked)
            whole = msgspec.json.encode(_completion(asked, text, reason))
            if word == "cut":
                await _head(send, 200, b"application/json", len(whole))
                await send({"type": "http.response.body", "body": whole[: len(whole) // 2], "more_body": True})
            else:
                await _answer(send, 200, whole)

    async def _stream(self, asked: _Body, word: str, receive: Receive, send: Send) -> None:
        text, reason = self._text(asked)
        events = _events(asked, text, reason)
        if word in ("cut", "stall"):
            events = events[:2]
        await _head(send, 200, b"text/event-stream; charset=utf-8")
        leaving = asyncio.ensure_future(self._wait_until_left(receive)) if self.pause or word == "stall" else None
        for event in events:
            if leaving is not None and self.pause:
                await asyncio.wait((leaving,), timeout=self.pause)
                if leaving.done():
                    return
            await send({"type": "http.response.body", "body": event, "more_body": True})
        if word == "stall" and leaving is not None:
            await leaving
        elif word != "cut":
            if leaving is not None:
                leaving.cancel()
            await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})

    async def _wait_until_left(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left += 1

    def _text(self, asked: _Body) -> tuple[str, str]:
        question = next((each.text for each in reversed(asked.messages) if each.role == "user"), "")
        digest = sha256(question.encode("utf-8", "surrogatepass")).digest()
        chosen = [_SENTENCES[octet % len(_SENTENCES)] for octet in digest[: self.sentences]]
        text = f"Answer {digest.hex()[:8]}. " + " ".join(chosen)
        if asked.response_format and asked.response_format.get("type") != "text":
            text = msgspec.json.encode({"answer": text}).decode()
        limit = asked.max_tokens if asked.max_completion_tokens is None else asked.max_completion_tokens
        if limit is None or estimate_tokens(text) <= limit:
            return text, "stop"
        while text and estimate_tokens(text) > limit:
            text = text.rpartition(" ")[0]
        return text, "length"


def _completion(asked: _Body, text: str, reason: str) -> dict[str, Any]:
    return _common(asked, text, "chat.completion") | {
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, "refusal": None},
                "logprobs": None,
                "finish_reason": reason,
            }
        ],
        "usage": _usage(asked, text),
    }


def _events(asked: _Body, text: str, reason: str) -> list[bytes]:
    common = _common(asked, text, "chat.completion.chunk")
    wants_usage = asked.stream_options is not None and asked.stream_options.include_usage
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": word} for word in text.split(" ")[:1]]
    deltas += [{"content": " " + word} for word in text.split(" ")[1:]]
    chunks = [common | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks.append(common | {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
    if wants_usage:
        chunks = [chunk | {"usage": None} for chunk in chunks]
        chunks.append(common | {"choices": [], "usage": _usage(asked, text)})
    return [b"data: " + msgspec.json.encode(chunk) + b"\n\n" for chunk in chunks]


def _common(asked: _Body, text: str, kind: str) -> dict[str, Any]:
    number = sha256(f"{asked.model}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()[:24]
    return {"id": f"chatcmpl-{number}", "object": kind, "created": CREATED, "model": asked.model}


def _usage(asked: _Body, text: str) -> dict[str, Any]:
    prompt = sum(estimate_tokens(message.text) + 4 for message in asked.messages)
    completion = estimate_tokens(text)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


async def _read(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return body
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


async def _head(send: Send, status: int, kind: bytes, length: int | None = None, *more: tuple[bytes, bytes]) -> None:
    headers = [(b"content-type", kind), (b"x-request-id", b"req_simulated"), *more]
    if length is not None:
        headers.append((b"content-length", b"%d" % length))
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def _answer(send: Send, status: int, body: bytes, *more: tuple[bytes, bytes]) -> None:
    await _head(send, status, b"application/json", len(body), *more)
    await send({"type": "http.response.body", "body": body})


async def _fail(send: Send, status: int, message: str) -> None:
    kind = "rate_limit_error" if status == 429 else "server_error" if status >= 500 else "invalid_request_error"
    body = {"error": {"message": message, "type": kind, "param": None, "code": "simulated"}}
    more = ((b"retry-after", b"7"),) if status == 429 else ()
    await _answer(send, status, msgspec.json.encode(body), *more)
