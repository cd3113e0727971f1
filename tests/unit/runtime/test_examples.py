"""The examples of the intents, with an embedder that may be away."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from costpol.commands import Failed, NearestIntents, Neighbour
from costpol.errors import AwayError, ProvisionError
from costpol.policy.loader import load_bundle
from costpol.runtime.examples import NOT_EMBEDDED, Examples, Known

INTENTS = b"kind: intents\nintents:\n  faq: {examples: [refund please, pay later]}\n  chat: {examples: [hello]}\n"


class Spelling:
    """Vectors that count letters, or the failure that it was given."""

    id, dimension, local, max_characters, similarity_floor, cache_threshold = "spelling/26", 26, False, 100, 0.5, 0.9

    def __init__(self) -> None:
        self.failure: Failed | None = None
        self.asked: list[list[str]] = []

    def embed(self, text: str) -> Any:
        vector = np.array([text.count(chr(97 + letter)) for letter in range(26)], dtype=np.float32)
        return vector / np.linalg.norm(vector)

    async def embed_async(self, text: str) -> Any:
        return self.failure or self.embed(text)

    async def embed_all(self, texts: Sequence[str]) -> list[Any]:
        self.asked.append(list(texts))
        return [self.failure or self.embed(text) for text in texts]


def examples(files: dict[str, bytes], folder: Path, embedder: Spelling, known: Known | None = None) -> Examples:
    bundle = load_bundle(files | {"p/intents.yaml": INTENTS}).require()
    folder.mkdir()
    return Examples(bundle, embedder, folder / "index", {} if known is None else known)


def nearest(found: Examples, text: str) -> Any:
    return found.nearest(NearestIntents(Spelling().embed(text), 1))


def test_the_nearest_example_is_found(policy_files: dict[str, bytes], tmp_path: Path) -> None:
    found = examples(policy_files, tmp_path / "x", Spelling())
    assert nearest(found, "refund") == NOT_EMBEDDED
    asyncio.run(found.build())
    (neighbour,) = nearest(found, "pay later")
    assert isinstance(neighbour, Neighbour)
    assert (neighbour.intent, neighbour.example) == ("faq", "pay later")
    found.close()
    assert not (tmp_path / "x").exists()


def test_what_is_known_is_not_embedded_again(policy_files: dict[str, bytes], tmp_path: Path) -> None:
    embedder, known = Spelling(), {}
    known["spelling/26", "hello"] = embedder.embed("hello")
    known["spelling/26", "of an older policy"] = embedder.embed("older")
    known["other/26", "pay later"] = embedder.embed("hello")
    found = examples(policy_files, tmp_path / "x", embedder, known)
    asyncio.run(found.build())
    assert embedder.asked == [["refund please", "pay later"]]
    assert set(known) == {("spelling/26", text) for text in ("refund please", "pay later", "hello")}
    found.close()


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        ("embedder_timeout", AwayError),
        ("embedder_status_503", AwayError),
        ("embedder_status_401", ProvisionError),
        ("embedder_empty_text", ProvisionError),
    ],
)
def test_an_example_without_a_vector_is_named(
    reason: str, error: type, policy_files: dict[str, bytes], tmp_path: Path
) -> None:
    embedder = Spelling()
    embedder.failure = Failed(reason)
    found = examples(policy_files, tmp_path / "x", embedder)
    with pytest.raises(
        ProvisionError, match=f"`refund please` of the intent `faq` cannot be embedded: {reason}"
    ) as raised:
        asyncio.run(found.build())
    assert type(raised.value) is error
    assert nearest(found, "hello") == NOT_EMBEDDED


async def later(found: Examples, condition: Any, note: Any = lambda trouble: None) -> None:
    found.build_later(0, note)
    while not condition():
        await asyncio.sleep(0.001)


def test_they_are_embedded_once_the_embedder_answers(policy_files: dict[str, bytes], tmp_path: Path) -> None:
    embedder = Spelling()
    embedder.failure = Failed("embedder_unreachable")

    async def main() -> None:
        found = examples(policy_files, tmp_path / "x", embedder)
        await later(found, lambda: len(embedder.asked) >= 3)
        assert nearest(found, "hello") == NOT_EMBEDDED
        embedder.failure = None
        while nearest(found, "hello") == NOT_EMBEDDED:
            await asyncio.sleep(0.001)
        (neighbour,) = nearest(found, "hello")
        assert neighbour.intent == "chat"
        found.close()

    asyncio.run(main())


def test_an_embedder_that_proves_wrong_is_not_tried_again(
    policy_files: dict[str, bytes], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    embedder = Spelling()
    embedder.failure = Failed("embedder_status_401")
    told: list[str | None] = []

    async def main() -> None:
        found = examples(policy_files, tmp_path / "x", embedder)
        await later(found, lambda: found._trying is not None and found._trying.done(), told.append)
        found.close()

    asyncio.run(main())
    assert len(embedder.asked) == 1
    assert "embedder_status_401" in caplog.text
    assert "embedder_status_401" in (told[-1] or "")


def test_closing_ends_the_trying(policy_files: dict[str, bytes], tmp_path: Path) -> None:
    embedder = Spelling()
    embedder.failure = Failed("embedder_unreachable")

    async def main() -> None:
        found = examples(policy_files, tmp_path / "x", embedder)
        await later(found, lambda: embedder.asked)
        found.close()
        assert found._trying is not None
        await asyncio.wait([found._trying])
        assert found._trying.cancelled()

    asyncio.run(main())
