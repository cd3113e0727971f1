"""Models that run in this process, with one made of arithmetic in the place of a transformer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from costpol.commands import Failed
from costpol.embedding.embedder import EMPTY_TEXT, REMOTE_ONLY
from costpol.embedding.local_model import (
    MODEL_ERROR,
    ModelEmbedder,
    TextModel,
    encode_all,
    find_folder,
    load_within,
    weights_digest,
)
from costpol.errors import ProvisionError


def letters(texts: list[str]) -> Any:
    """How many `a` and how many `b` there are."""
    return np.array([[text.count("a"), text.count("b")] for text in texts], dtype=np.float64)


def a_model(encode: Callable[[list[str]], Any] = letters, longest: int = 100) -> TextModel:
    return TextModel("letters/2", 2, encode, lambda text: len(text) <= longest)


def refusing(texts: list[str]) -> Any:
    if any("!" in text for text in texts):
        raise RuntimeError("index out of range")
    return letters(texts)


def test_vectors_have_unit_length_and_the_order_of_the_texts() -> None:
    first, empty, second = encode_all(a_model(), ["aaabbbb", " \n", "a"])
    assert isinstance(first, np.ndarray)
    assert isinstance(second, np.ndarray)
    assert first.dtype == np.float32
    assert first.tolist() == pytest.approx([0.6, 0.8])
    assert second.tolist() == [1, 0]
    assert empty == EMPTY_TEXT


def test_a_text_that_the_model_does_not_read_to_its_end_is_read_in_pieces() -> None:
    seen: list[str] = []

    def encode(texts: list[str]) -> Any:
        seen.extend(texts)
        return letters(texts)

    text = "a " * 30 + "b " * 40
    (vector,) = encode_all(a_model(encode, longest=20), [text])
    assert isinstance(vector, np.ndarray)
    assert vector.tolist() == pytest.approx([0.6, 0.8]), "the end counts as much as the beginning"
    assert "".join(seen) == text
    assert max(map(len, seen)) <= 20


def test_a_text_on_which_the_model_fails_does_not_fail_the_others(caplog: pytest.LogCaptureFixture) -> None:
    first, bad, last = encode_all(a_model(refusing), ["a", "oh no!", "b"])
    assert isinstance(first, np.ndarray)
    assert isinstance(last, np.ndarray)
    assert bad == MODEL_ERROR
    assert "fails on a text of 6 characters: index out of range" in caplog.text
    assert "oh no" not in caplog.text


@pytest.mark.parametrize("rows", [[[0, 0]], [[float("nan"), 1]], [[float("inf"), 1]], [], [[1, 0], [1, 0]]])
def test_what_is_no_vector_is_a_reason(rows: list[list[float]]) -> None:
    assert encode_all(a_model(lambda texts: np.array(rows)), ["a"]) == [MODEL_ERROR]


def test_requests_that_come_while_a_batch_is_under_way_share_the_next_one_beside_the_event_loop() -> None:
    gate, seen = threading.Event(), []

    def encode(texts: list[str]) -> Any:
        assert threading.current_thread() is not threading.main_thread()
        seen.append(list(texts))
        assert gate.wait(60)
        return letters(texts)

    async def main() -> None:
        embedder = ModelEmbedder(a_model(encode), timeout=60, batch=16)
        tasks = []
        for text in ("a", "b", "ab"):
            tasks.append(asyncio.create_task(embedder.embed_async(text)))
            while not seen:
                await asyncio.sleep(0.001)
        await asyncio.sleep(0)
        gate.set()
        answers = await asyncio.gather(*tasks)
        assert [answer.tolist() for answer in answers if isinstance(answer, np.ndarray)] == [
            [1, 0], [0, 1], pytest.approx([0.5**0.5, 0.5**0.5]),
        ]  # fmt: skip
        assert seen == [["a"], ["b", "ab"]]
        assert await embedder.embed_async(" ") == EMPTY_TEXT
        assert embedder.embed("a") == REMOTE_ONLY
        embedder.close()

    asyncio.run(main())


def test_a_model_that_hangs_times_out() -> None:
    gate = threading.Event()

    def encode(texts: list[str]) -> Any:
        assert gate.wait(60)
        return letters(texts)

    async def main() -> None:
        embedder = ModelEmbedder(a_model(encode), timeout=0.01, batch=16)
        assert await embedder.embed_async("a") == Failed("embedder_timeout")
        gate.set()
        embedder.close()

    asyncio.run(main())


def test_many_texts_are_embedded_batch_by_batch() -> None:
    sizes: list[int] = []

    def encode(texts: list[str]) -> Any:
        sizes.append(len(texts))
        return letters(texts)

    async def main() -> None:
        embedder = ModelEmbedder(a_model(encode), timeout=60, batch=4)
        answers = await embedder.embed_all(["a", "b"] * 5)
        assert [answer.tolist() for answer in answers if isinstance(answer, np.ndarray)] == [[1, 0], [0, 1]] * 5
        embedder.close()

    asyncio.run(main())
    assert sizes == [4, 4, 2]


def test_loading_returns_or_raises_what_the_loader_does() -> None:
    def refuse() -> None:
        raise ProvisionError("not here", "look there")

    assert load_within(60, lambda: 7, "the model") == 7
    with pytest.raises(ProvisionError, match="not here") as raised:
        load_within(60, refuse, "the model")
    assert raised.value.help == "look there"
    with pytest.raises(ProvisionError, match="the model cannot be loaded: division by zero"):
        load_within(60, lambda: 1 / 0, "the model")


def test_loading_that_does_not_end_is_given_up() -> None:
    gate = threading.Event()
    with pytest.raises(ProvisionError, match=r"the model was not loaded within 0\.01 seconds"):
        load_within(0.01, lambda: gate.wait(60), "the model")
    gate.set()


def test_a_digest_hangs_on_the_weights_alone(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "config.json").write_bytes(b"{}")
    before = weights_digest(tmp_path)
    (tmp_path / "config.json").write_bytes(b"{ }")
    assert weights_digest(tmp_path) == before
    (tmp_path / "model.safetensors").write_bytes(b"weight5")
    assert weights_digest(tmp_path) != before


def test_a_folder_without_weights_is_said(tmp_path: Path) -> None:
    with pytest.raises(ProvisionError, match="there are no weights"):
        weights_digest(tmp_path)


def test_a_name_is_a_folder_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models" / "small").mkdir(parents=True)
    assert find_folder("models/small") == Path("models/small")
    assert find_folder(str(tmp_path / "models")) == tmp_path / "models"
    assert find_folder("BAAI/bge-small-en-v1.5") is None
    for missing in ("/nowhere/model", "./model", "~/no-such-model-here"):
        with pytest.raises(ProvisionError, match="there is no folder"):
            find_folder(missing)
