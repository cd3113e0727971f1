"""The built-in embedder: the sum of a text's token vectors, and a little of their order, scaled to unit length.

A folder holds the artifact: `manifest.json` (name, version, digest, thresholds), `vocabulary.txt` (one piece per line),
`vectors.npy` (int8, one row per piece, then the bucket rows) and `scales.npy` (float32, one per row; the token's weight
is folded in). How it was made and what it scores stands in its PROVENANCE.md.

A sum alone knows no order: each two neighbouring tokens are therefore hashed to a bucket row, and the direction of the
sum of these is added with the manifest's `order_weight`. It keeps "from A to B" apart from "from B to A".
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from costpol.commands import Failed
from costpol.embedding.embedder import EMPTY_TEXT, bounded
from costpol.embedding.wordpiece import WordPiece
from costpol.errors import ProvisionError

if TYPE_CHECKING:
    import numpy as np

    from costpol.commands import Vector

    Table = np.ndarray[tuple[int, int], np.dtype[np.float32]]

MAX_CHARACTERS = 4096
MAX_TOKENS = 1024
"""Prose of `MAX_CHARACTERS` has fewer; what has more keeps its first and last half too."""

_LEFT, _RIGHT = 433, 567
"""Odd and unlike, so that a pair and its reverse meet different rows of a table whose size is a power of two."""


class StaticEmbedder:
    """Token vectors and a sum. Immutable once loaded, so that snapshots and threads may share one."""

    local = True
    max_characters = MAX_CHARACTERS

    def __init__(self, folder: Path) -> None:
        """Load the artifact in `folder`.

        :raises ProvisionError: a file is missing, torn or does not fit the others.
        """
        import numpy as np  # here, so that subcommands that embed nothing start without it

        try:
            manifest = json.loads((folder / "manifest.json").read_bytes())
            pieces = (folder / "vocabulary.txt").read_text(encoding="utf-8").split("\n")[:-1]
            vectors = np.load(folder / "vectors.npy", allow_pickle=False)
            scales = np.load(folder / "scales.npy", allow_pickle=False)
            buckets, dimension = int(manifest["buckets"]), int(manifest["dimension"])
            self._order_weight = float(manifest["order_weight"])
            self.id = f"{manifest['name']}/{manifest['version']}-{manifest['digest'][:8]}/{dimension}"
            self.similarity_floor = float(manifest["similarity_floor"])
            self.cache_threshold = float(manifest["cache_threshold"])
        except (OSError, ValueError, KeyError, EOFError, TypeError) as error:
            raise ProvisionError(
                f"the embedder in `{folder}` cannot be read: {error}", help="install costpol anew"
            ) from error
        if vectors.shape != (len(pieces) + buckets, dimension) or scales.shape != vectors.shape[:1]:
            raise ProvisionError(
                f"the embedder in `{folder}` is torn: its files disagree about their size", help="install costpol anew"
            )
        self.dimension = dimension
        self._vectors = vectors
        self._scales = scales
        self._wordpiece = WordPiece(pieces, buckets)
        self._first_bucket, self._buckets = len(pieces), buckets
        self._float32 = np.float32

    def embed(self, text: str) -> Vector | Failed:
        """The unit vector of a text; `EMPTY_TEXT` where it has no word or sign."""
        rows = self._wordpiece.rows(bounded(text, MAX_CHARACTERS))
        if not rows:
            return EMPTY_TEXT
        if len(rows) > MAX_TOKENS:
            rows = rows[: MAX_TOKENS // 2] + rows[-MAX_TOKENS // 2 :]
        if not self._order_weight:
            return self._direction(*self._look(rows))
        count = len(rows)
        scales, vectors = self._look(rows + self._order(rows))  # one look for both: it takes longer than the sums
        vector = self._direction(scales[:count], vectors[:count])
        vector = vector + self._order_weight * self._direction(scales[count:], vectors[count:])
        vector /= float(vector.dot(vector)) ** 0.5
        return vector

    def _look(self, rows: list[int]) -> tuple[Vector, Table]:
        return self._scales.take(rows), self._vectors.take(rows, 0).astype(self._float32)

    def _order(self, rows: list[int]) -> list[int]:
        """The bucket rows of each two neighbours, the text's beginning and end among them."""
        edge, first, buckets = len(self._scales), self._first_bucket, self._buckets
        pairs = zip([edge, *rows], [*rows, edge], strict=True)
        return [first + (left * _LEFT + right * _RIGHT) % buckets for left, right in pairs]

    def _direction(self, scales: Vector, vectors: Table) -> Vector:
        """The scaled sum, of length one. Rows at random do not cancel out; should they, the first one stands."""
        vector: Vector = scales.dot(vectors)
        length = float(vector.dot(vector)) ** 0.5
        return vector / self._float32(length) if length > 0 else self._direction(scales[:1], vectors[:1])

    async def embed_async(self, text: str) -> Vector | Failed:
        """As `embed`: nothing is waited for."""
        return self.embed(text)

    async def embed_all(self, texts: Sequence[str]) -> list[Vector | Failed]:
        """As `embed`, for each."""
        return [self.embed(text) for text in texts]
