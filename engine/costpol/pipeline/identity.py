"""How names of callers are written into scopes and accounts, so that no name can spell another's."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote


@lru_cache(maxsize=8192)
def identity_part(name: str | None) -> str:
    """A name with all but letters, digits and `_.-~` percent-encoded; `-` alone stands for an absent one."""
    if name is None:
        return "-"
    return "%2D" if name == "-" else quote(name, safe="", errors="surrogatepass")
