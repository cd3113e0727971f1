"""The embedders that a policy can name."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from functools import cache

from costpol.embedding.embedder import Embedder
from costpol.embedding.measured import STATIC_EN
from costpol.embedding.static import StaticEmbedder
from costpol.errors import ProvisionError

DEFAULT = "static-en"


@cache
def _static_en() -> Embedder:
    return StaticEmbedder(STATIC_EN)


_OPENERS: dict[str, Callable[[], Embedder]] = {DEFAULT: _static_en}

NAMES = tuple(_OPENERS)


def open_embedder(name: str = DEFAULT) -> Embedder:
    """The embedder of this name, loaded. A built-in one is loaded once per process and shared.

    :raises ProvisionError: there is no such embedder, or its files cannot be read.
    """
    opener = _OPENERS.get(name)
    if opener is None:
        near = get_close_matches(name, NAMES, n=1)
        listed = ", ".join(f"`{known}`" for known in NAMES)
        hint = f"did you mean `{near[0]}`? " if near else ""
        raise ProvisionError(f"there is no embedder named `{name}`", help=f"{hint}built in: {listed}")
    return opener()
