"""What was measured of the built-in embedders, read without loading one: a linter needs no vectors."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

from costpol.errors import ProvisionError

STATIC_EN = Path(__file__).parent / "static_en"
"""The artifact of the embedder that ships with the package."""


def cache_thresholds() -> dict[str, Decimal]:
    """Per embedder, the similarity from which one answer may serve another question.

    :raises ProvisionError: a manifest cannot be read.
    """
    try:
        manifest = json.loads((STATIC_EN / "manifest.json").read_bytes())
        return {manifest["name"]: Decimal(str(manifest["cache_threshold"]))}
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"the embedder in `{STATIC_EN}` cannot be read: {error}"
        raise ProvisionError(message, "install costpol anew") from error
