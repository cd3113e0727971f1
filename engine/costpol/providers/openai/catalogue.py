"""The list of models that `GET /v1/models` answers."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


def models_body(names: Sequence[str], created: int) -> bytes:
    """The models by name, in the order given; `created` (epoch seconds) is when the list came to be."""
    models = [{"id": name, "object": "model", "created": created, "owned_by": "costpol"} for name in names]
    return msgspec.json.encode({"object": "list", "data": models})
