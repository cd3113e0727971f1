"""What was measured of embedders, read without loading one: a linter needs no vectors.

The figures of all-MiniLM-L6-v2 were chosen as those of the built-in embedder, on CLINC150's training part: its floor
admits at most 5 % of strangers to a policy of 8 intents of 8 examples, its cache threshold gives at most 0.5 % of wrong
hits. `benchmarks/embedder/model_thresholds.py` makes them, of any model that sentence-transformers loads.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from costpol.errors import ProvisionError

STATIC_EN = Path(__file__).parent / "static_en"
"""The artifact of the embedder that ships with the package."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The two figures of an embedder, see `Embedder`."""

    similarity_floor: float
    cache_threshold: float


_MINILM = Measured(similarity_floor=0.49, cache_threshold=0.91)
_BY_WEIGHTS = {"53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db": _MINILM}
_BY_NAME = {"all-MiniLM-L6-v2": _MINILM, "sentence-transformers/all-MiniLM-L6-v2": _MINILM}


def by_weights(digest: str) -> Measured | None:
    """What was measured of the model whose weights have this SHA-256; `None` where nobody did."""
    return _BY_WEIGHTS.get(digest)


def cache_thresholds() -> dict[str, Decimal]:
    """Per built-in embedder and per model, the similarity from which one answer may serve another question.

    :raises ProvisionError: a manifest cannot be read.
    """
    models = {name: Decimal(str(measured.cache_threshold)) for name, measured in _BY_NAME.items()}
    try:
        manifest = json.loads((STATIC_EN / "manifest.json").read_bytes())
        return models | {manifest["name"]: Decimal(str(manifest["cache_threshold"]))}
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"the embedder in `{STATIC_EN}` cannot be read: {error}"
        raise ProvisionError(message, "install costpol anew") from error
