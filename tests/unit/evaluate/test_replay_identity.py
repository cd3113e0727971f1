"""Whatever shapes an answer besides the question must be equal for it to be given again: over the whole flow."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costpol.evaluate.corpus import Corpus
from costpol.evaluate.rehearsal import rehearse
from costpol.evaluate.replay import Replay

QUESTION = "how do I reset my password"
ALIKE = "how can I reset my password"


def user(*parts: dict[str, Any], text: str = QUESTION) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "text", "text": text}, *parts] if parts else text}


def tool(name: str) -> list[dict[str, Any]]:
    return [{"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}]


IMAGES = [{"type": "image_url", "image_url": {"url": f"https://example.org/{name}.png"}} for name in "ab"]
FILES = [{"type": "file", "file": {"file_id": f"file-{name}"}} for name in "ab"]
SOUNDS = [{"type": "input_audio", "input_audio": {"data": data, "format": "wav"}} for data in ("QUFB", "QkJC")]
SYSTEM = [{"role": "system", "content": f"Answer {how}."} for how in ("briefly", "at length", "in German")]
HISTORY = [[{"role": "user", "content": "hello"}, {"role": "assistant", "content": reply}] for reply in ("Hi.", "Yes?")]

SHAPES: Mapping[str, list[dict[str, Any]]] = {
    "system prompt": [{"before": [prompt]} for prompt in SYSTEM],
    "history": [{"before": history} for history in HISTORY],
    "tools": [{"tools": tool(name)} for name in ("search", "pay")],
    "output format": [{"response_format": {"type": kind}} for kind in ("text", "json_object")],
    "sampling": [{"temperature": 0}, {"temperature": 1}, {"top_p": 0.5}, {"seed": 7}, {"stop": ["."]}],
    "length": [{"max_tokens": 10}, {"max_completion_tokens": 50}],
    "model class": [{"model": "large"}, {"model": "analyze"}],
    "locale": [{"metadata": {"locale": locale}} for locale in ("de", "fr")],
    "images": [{"parts": [image]} for image in IMAGES],
    "files": [{"parts": [file]} for file in FILES],
    "audio": [{"parts": [sound]} for sound in SOUNDS],
}
VARIANTS = [(name, variant) for name, variants in SHAPES.items() for variant in variants]


def body(variant: dict[str, Any], text: str) -> dict[str, Any]:
    settings_ = {key: value for key, value in variant.items() if key not in ("before", "parts")}
    question = user(*variant.get("parts", ()), text=text)
    return {"model": "large", "messages": [*variant.get("before", ()), question], **settings_}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pair=st.lists(st.sampled_from(range(len(VARIANTS))), min_size=2, max_size=2, unique=True), alike=st.booleans())
def test_an_answer_is_given_again_only_where_all_else_is_equal(
    pair: list[int],
    alike: bool,
    corpus_of: Callable[[list[dict[str, Any]]], Corpus],
    policy: Callable[..., dict[str, bytes]],
    record: Callable[..., dict[str, Any]],
) -> None:
    first, second = (VARIANTS[number][1] for number in pair)
    second_text = ALIKE if alike else QUESTION
    lines = [record(request=body(*each)) for each in ((first, QUESTION), (second, second_text), (first, QUESTION))]
    files = policy(
        cache="kind: cache\notherwise: {threshold: 0.6, ttl: 1h, scope: tenant, multi_turn: true, tools: true}\n...\n",
        personalization="kind: personalization\nexclusions: []\n...\n",
        routing="kind: routing\ndefault: cheap\nrules:\n"
        "  - {name: named, when: {model: analyze}, route: strong}\n...\n",
    )

    async def run() -> list[str]:
        async with rehearse(files, lambda: 1_770_000_000.0) as rehearsal:
            replay = Replay(rehearsal)
            return [(await replay.run(line)).outcome.kind for line in corpus_of(lines)]

    once, other, again = asyncio.run(run())
    assert (once, other, again) == ("answered", "answered", "hit"), (first, second)
