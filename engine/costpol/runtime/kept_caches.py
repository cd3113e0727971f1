"""The answer caches of a data folder, opened without any policy: their manifests say what they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from costpol.errors import UsageError

if TYPE_CHECKING:
    from costpol.cache.edge import EdgeCache


@dataclass(frozen=True, slots=True)
class KeptCache:
    """One cache: the folder that it lies in, below the data folder, and the embedder that it is of."""

    folder: str
    embedder: str
    cache: EdgeCache


@contextmanager
def open_kept(data: Path) -> Iterator[tuple[KeptCache, ...]]:
    """All caches of a data folder, every worker's own among them.

    Raises `UsageError` where there is no such folder, `ProvisionError` for a damaged cache, `StoreLockedError` where a
    process has one open.
    """
    from costpol.cache.collection import manifests_in
    from costpol.cache.edge import open_cache

    if not data.is_dir():
        raise UsageError(f"there is no data folder `{data}`", "name the one of `costpol serve --data`")
    with ExitStack() as opened:
        found = []
        for place in (data / "cache", *sorted(data.glob("cache-worker-*"))):
            for manifest in manifests_in(place):
                cache = open_cache(place, manifest.embedder, manifest.dimension)
                opened.callback(cache.close)
                found.append(KeptCache(place.name, manifest.embedder, cache))
        yield tuple(found)
