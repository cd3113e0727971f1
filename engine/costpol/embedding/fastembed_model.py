"""A model of the fastembed library (ONNX, no torch), from its cache on this machine or from a folder.

The hub itself is asked only where the policy says `download: true`: where it does not answer, fastembed tries for most
of a minute.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from costpol.embedding.local_model import THREADS, TextModel, find_folder, weights_digest
from costpol.errors import ProvisionError

_FILES = ("model_optimized.onnx", "model.onnx", "onnx/model.onnx")
_POOLING = "1_Pooling/config.json"


def load_model(model: str, *, download: bool) -> TextModel:
    """The model of a folder or of a name that fastembed knows (`BAAI/bge-small-en-v1.5`), ready to embed.

    :raises ProvisionError: the library is not installed, or the model is not on this machine.
    """
    try:
        from fastembed import TextEmbedding
    except ImportError as error:
        raise ProvisionError(
            f"the embedder model `{model}` needs the package `fastembed`, which is not installed",
            "run `pip install 'costpol[fastembed]'`",
        ) from error
    folder = find_folder(model)
    name, where = (model, {}) if folder is None else (_register(folder), {"specific_model_path": str(folder)})
    try:
        loaded = TextEmbedding(
            name,
            threads=THREADS,
            providers=["CPUExecutionProvider"],
            local_files_only=not download,
            **where,
        )
    except (ValueError, OSError) as error:
        raise ProvisionError(
            f"the embedder model `{model}` cannot be loaded: {(str(error) or type(error).__name__).splitlines()[0]}",
            "name the folder that holds it, or a model that fastembed knows, with `download: true` to let it be "
            "fetched from the hub",
        ) from error
    return _text_model(loaded.model, Path(model).name)


def _register(folder: Path) -> str:
    """Tell fastembed of a folder in the layout of sentence-transformers; returns the model's name for it.

    :raises ProvisionError: the folder does not say how its model is read.
    """
    from fastembed import TextEmbedding
    from fastembed.common.model_description import ModelSource, PoolingType

    file = next((name for name in _FILES if (folder / name).is_file()), None)
    if file is None:
        raise ProvisionError(f"there is no ONNX model in `{folder}`", f"put it there as `{_FILES[1]}`")
    try:
        written = json.loads((folder / _POOLING).read_bytes())
        mean = written.get("pooling_mode_mean_tokens") or written.get("pooling_mode") == "mean"
        first = written.get("pooling_mode_cls_token") or written.get("pooling_mode") == "cls"
    except (OSError, ValueError, AttributeError) as error:
        raise ProvisionError(
            f"`{folder}` does not say how the vectors of tokens become one: {error}",
            f"add `{_POOLING}`, as sentence-transformers writes it",
        ) from error
    if bool(mean) == bool(first):
        raise ProvisionError(
            f"`{folder / _POOLING}` asks for a pooling that costpol does not know", "let it be by mean or first token"
        )
    pooling = PoolingType.MEAN if mean else PoolingType.CLS
    name = f"costpol/{weights_digest(folder)[:16]}-{file}-{pooling.value}".lower()
    if all(known["model"] != name for known in TextEmbedding.list_supported_models()):
        # The dimension is measured once it is loaded.
        TextEmbedding.add_custom_model(name, pooling, True, ModelSource(hf=name), dim=0, model_file=file)
    return name


def _text_model(loaded: Any, name: str) -> TextModel:
    digest = weights_digest(Path(loaded._model_dir))  # what was loaded, wherever its cache lies
    dimension = len(next(iter(loaded.embed(["ready"]))))
    tokenizer = loaded.tokenizer

    def encode(texts: list[str]) -> Any:
        return list(loaded.embed(texts, batch_size=32))

    def fits(text: str) -> bool:
        return tokenizer is None or not tokenizer.encode(text).overflowing

    return TextModel(f"fastembed/{name}-{digest[:8]}/{dimension}", dimension, encode, fits)
