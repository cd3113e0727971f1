"""What an answer belongs to besides its question, tried in the real flow on the real store: where anything differs that
shapes an answer, neither the same question nor one alike finds it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from costpol.commands import Answered, Call
from costpol.inference.caller import Caller
from costpol.inference.response import Response
from costpol.inference.usage import Usage
from costpol.pipeline.arrival import Arrival
from costpol.providers.openai import decode_request
from costpol.proxy.upstream import open_session
from costpol.runtime.live import drive
from costpol.runtime.provision import Provisioner
from costpol.runtime.snapshot import Snapshot
from costpol.runtime.stores import Stores, open_stores

NOW = 1_795_000_000.0
QUESTION, ALIKE = "how do I reset my password", "how do I reset my password?"
TEMPLATES = """kind: prompts
templates:
  brief: {version: 1, system: Be brief.}
  polite: {version: 1, system: Be brief.}
otherwise: {template: brief, max_output_tokens: 1k}
...
"""
CACHE = """kind: cache
intents:
  faq: {threshold: 0.9, ttl: 1h, scope: tenant}
otherwise: {threshold: 0.9, ttl: 1h, scope: tenant}
...
"""
INTENTS = "kind: intents\nintents:\n  faq: {when: {stage: help}}\n...\n"

NEW_VERSION = TEMPLATES.replace("brief: {version: 1", "brief: {version: 2")
KIND = "system: Be kind."
POLICIES = {
    "another version of the template": NEW_VERSION,
    "another version with another text": NEW_VERSION.replace("system: Be brief.", KIND, 1),
    "another text of the same version": TEMPLATES.replace("system: Be brief.", KIND, 1),
    "another template with the same text": TEMPLATES.replace("template: brief", "template: polite"),
    "no template": TEMPLATES.replace("template: brief, ", ""),
    "another longest answer": TEMPLATES.replace("1k", "2k"),
    "JSON is asked for": TEMPLATES.replace("template: brief, ", "template: brief, output: json, "),
}
REQUESTS: dict[str, dict[str, Any]] = {
    "another model of another tier": {"model": "large"},
    "another temperature": {"temperature": 1.5},
    "another tool": {"tools": [{"type": "function", "function": {"name": "search"}}]},
    "a turn before": {"before": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]},
    "another language": {"metadata": {"locale": "de"}},
    "another tenant": {"tenant": "umbrella"},
    "no tenant": {"tenant": None},
}


async def ask(
    snapshot: Snapshot, stores: Stores, text: str, *, tenant: str | None = "acme", stage: str | None = None,
    before: tuple[dict[str, str], ...] = (), **settings: Any,
) -> str:  # fmt: skip
    body = {"model": "small", "messages": [*before, {"role": "user", "content": text}], **settings}
    arrival = Arrival(decode_request(json.dumps(body).encode()), Caller(tenant, stage=stage), now=NOW)

    async def answer(command: Call) -> Answered:
        return Answered(Response("Open it.", "stop", Usage(10, 10), body=b'{"content": "Open it."}'))

    outcome = await drive(snapshot.pipeline.flow(arrival), snapshot.handlers, answer, stores.unsettled)
    return outcome.decision.cache


@pytest.fixture
def files(policy_files: dict[str, bytes]) -> dict[str, bytes]:
    routing = b"kind: routing\ndefault: cheap\nrules: [{name: asked, when: {model: large}, route: strong}]\n...\n"
    return policy_files | {
        "p/routing.yaml": routing, "p/prompts.yaml": TEMPLATES.encode(), "p/cache.yaml": CACHE.encode(),
        "p/intents.yaml": INTENTS.encode(), "p/personalization.yaml": b"kind: personalization\nexclusions: []\n...\n",
    }  # fmt: skip


def tried(
    text: str, files: dict[str, bytes], folder: Path, other: dict[str, bytes] | None = None, **request: Any
) -> list[str]:
    """The question is answered; what the cache says to a text under the other policy, or as another request, and then
    to the same text as before."""

    async def main() -> list[str]:
        stores = open_stores(folder)
        try:
            async with open_session() as session:
                provisioner = Provisioner(stores, session, {}, clock=lambda: NOW)
                first = await provisioner.provision(files, 1)
                second = await provisioner.provision(other or files, 2)
                assert await ask(first, stores, QUESTION) == "miss"
                found = [await ask(second, stores, text, **request), await ask(first, stores, text)]
                first.retire()
                second.retire()
                return found
        finally:
            stores.close()

    return asyncio.run(main())


BOTH = pytest.mark.parametrize(("text", "as_before"), [(QUESTION, "hit; exact"), (ALIKE, "hit; similar")])


@BOTH
@pytest.mark.parametrize("prompts", POLICIES.values(), ids=POLICIES)
def test_an_answer_is_not_found_under_a_policy_that_asks_otherwise(
    prompts: str, text: str, as_before: str, files: dict[str, bytes], tmp_path: Path
) -> None:
    assert tried(text, files, tmp_path, files | {"p/prompts.yaml": prompts.encode()}) == ["miss", as_before]


@BOTH
@pytest.mark.parametrize("other", REQUESTS.values(), ids=REQUESTS)
def test_an_answer_is_not_found_by_a_request_that_asks_otherwise(
    other: dict[str, Any], text: str, as_before: str, files: dict[str, bytes], tmp_path: Path
) -> None:
    found = tried(text, files, tmp_path, **other)
    assert found[0].split(";")[0] in ("miss", "bypass")
    assert found[1] == as_before


def test_the_same_question_is_found_under_another_intent_and_one_alike_is_not(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    assert tried(QUESTION, files, tmp_path / "exact", stage="help")[0] == "hit; exact"
    assert tried(ALIKE, files, tmp_path / "similar", stage="help")[0] == "miss"


@BOTH
def test_the_same_policy_and_request_find_it(
    text: str, as_before: str, files: dict[str, bytes], tmp_path: Path
) -> None:
    assert tried(text, files, tmp_path, files)[0] == as_before
