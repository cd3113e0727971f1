"""A model of the sentence-transformers library, from a folder or from the hub's cache on this machine.

The hub itself is asked only where the policy says `download: true`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from costpol.embedding.local_model import THREADS, TextModel, find_folder, weights_digest
from costpol.embedding.measured import by_weights
from costpol.errors import ProvisionError


def load_model(model: str, *, download: bool) -> TextModel:
    """The model of a folder or of a name on the hub (`sentence-transformers/all-MiniLM-L6-v2`), ready to embed.

    :raises ProvisionError: the library is not installed, or the model is not on this machine.
    """
    try:
        import torch
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise ProvisionError(
            f"the embedder model `{model}` needs the package `sentence-transformers`, which is not installed",
            "run `pip install 'costpol[sentence-transformers]'`",
        ) from error
    from transformers.utils import logging

    logging.set_verbosity_error()  # a report and a progress bar per model, where our own lines belong
    logging.disable_progress_bar()
    folder = find_folder(model) or _hub_folder(model, download)
    digest = weights_digest(folder)
    torch.set_num_threads(THREADS)
    loaded = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    return _text_model(loaded, Path(model).name, digest)


def _hub_folder(model: str, download: bool) -> Path:
    """Where the hub's cache keeps a model; fetched there first, if that is allowed."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    name = model if "/" in model else f"sentence-transformers/{model}"
    try:
        return Path(snapshot_download(name, local_files_only=not download, allow_patterns=_FILES))
    except (OSError, HFValidationError) as error:
        raise ProvisionError(
            f"the embedder model `{model}` is not on this machine" + (" and cannot be fetched" if download else ""),
            "name the folder that holds it, or write `download: true` to let it be fetched from the hub",
        ) from error


_FILES = ["*.json", "*.txt", "*.model", "*.safetensors"]
"""What a model is loaded from; many hub folders hold it again in five other formats."""


def _text_model(loaded: Any, name: str, digest: str) -> TextModel:
    say = getattr(loaded, "get_embedding_dimension", None) or loaded.get_sentence_embedding_dimension  # before 6
    dimension = int(say())
    longest, tokenizer = loaded.max_seq_length, loaded.tokenizer
    measured = by_weights(digest)

    def encode(texts: list[str]) -> Any:
        return loaded.encode(texts, batch_size=32, normalize_embeddings=True, show_progress_bar=False)

    def fits(text: str) -> bool:
        return longest is None or len(tokenizer.encode(text, truncation=False, verbose=False)) <= longest

    return TextModel(
        id=f"sentence-transformers/{name}-{digest[:8]}/{dimension}",
        dimension=dimension,
        encode=encode,
        fits=fits,
        similarity_floor=None if measured is None else measured.similarity_floor,
        cache_threshold=None if measured is None else measured.cache_threshold,
    )
