"""One Qdrant Edge shard, the embedded vector engine, behind the few calls that this room makes.

Edge holds the interpreter lock for the whole of a call, so a thread would buy nothing and cost a hand-over: every call
is made inline and must stay short. For the same reason `optimize()` is never called here: it would stop the process
for seconds. Without it the vectors stay unindexed and every search is exact.

Edge reports every failure as a bare `Exception` and a bug of its own as a panic that is no `Exception` at all. Both
leave this module as `StoreError`.

Edge writes through memory maps of files with holes. A write into a hole of a full disk is no error that a program could
catch, it kills the process: what writes asks first whether the disk has room.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar
from uuid import UUID

from qdrant_edge import (
    Distance,
    EdgeConfig,
    EdgeShard,
    EdgeVectorParams,
    FieldCondition,
    Filter,
    MatchValue,
    PayloadSchemaType,
    Point,
    Query,
    QueryRequest,
    RangeFloat,
    Record,
    ScrollRequest,
    UpdateOperation,
    VectorStorageDatatype,
)

from costpol.errors import DiskFullError, StoreError

if TYPE_CHECKING:
    from costpol.commands import Vector

_VECTOR = "text"
"""The name of the one vector. A named vector may be missing: such a point is never the neighbour of anything."""

_PAGE = 1000
"""Points per call where many are read or deleted: keeps one call around 20 ms."""

RESERVE_BYTES = 16 << 20
"""What stays free of the disk: many times what one call writes, since others write to the disk as well."""

Offset: TypeAlias = str | int | UUID | None
"""Where a walk through the points goes on."""

_P = ParamSpec("_P")
_R = TypeVar("_R")


def _reporting(call: Callable[_P, _R]) -> Callable[_P, _R]:
    """The same call, whose failures in the engine are `StoreError`."""

    @wraps(call)
    def reported(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return call(*args, **kwargs)
        except StoreError:
            raise
        except BaseException as error:
            if isinstance(error, Exception) or type(error).__name__ == "PanicException":
                reason = (str(error).splitlines() or ["no reason given"])[0]
                raise StoreError(f"the embedded store failed: {reason}") from error
            raise

    return reported


class Shard:
    """Points with a UUID, a payload and perhaps a vector of unit length, compared by cosine."""

    def __init__(self, edge: EdgeShard, directory: Path) -> None:
        self._edge = edge
        self._directory = directory

    @staticmethod
    @_reporting
    def create(
        directory: Path, dimension: int, keywords: Sequence[str] = (), numbers: Sequence[str] = (),
        *, durable: bool = True, quantized: bool = False,
    ) -> Shard:  # fmt: skip
        """An empty shard in a directory that does not exist yet, with an index for each payload field named.

        A durable shard writes ahead: what was put survives a killed process. A quantized one keeps vectors as 8-bit
        numbers and nothing else: the engine's own quantization is part of its optimizer, which never runs here.
        """
        _require_room(directory.parent)
        edge = EdgeShard.create(
            str(directory),
            EdgeConfig(
                vectors={
                    _VECTOR: EdgeVectorParams(
                        size=dimension,
                        distance=Distance.Cosine,
                        datatype=VectorStorageDatatype.Turbo8 if quantized else VectorStorageDatatype.Float32,
                    )
                },
                wal_enabled=durable,
                max_search_threads=1,  # one segment is searched by one thread; more would only wait
            ),
        )
        for field, kind in [(f, PayloadSchemaType.Keyword) for f in keywords] + [
            (f, PayloadSchemaType.Float) for f in numbers
        ]:
            edge.update(UpdateOperation.create_field_index(field, kind))
        return Shard(edge, directory)

    @staticmethod
    @_reporting
    def load(directory: Path) -> Shard:
        """The shard that a directory holds."""
        return Shard(EdgeShard.load(str(directory)), directory)

    @_reporting
    def put(self, points: Sequence[tuple[str, Vector | None, dict[str, Any]]]) -> None:
        """Keep points (id, vector or none, payload); a point of the same id is replaced whole."""
        made = [
            Point(id, {} if vector is None else {_VECTOR: vector}, payload)  # type: ignore[dict-item]
            for id, vector, payload in points
        ]
        _require_room(self._directory)
        self._edge.update(UpdateOperation.upsert_points(made))

    @_reporting
    def read(self, id: str) -> dict[str, Any] | None:
        """The payload of a point."""
        records = self._edge.retrieve([id], True, False)
        return records[0].payload if records else None

    @_reporting
    def read_many(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The payloads of points by their ids; one that is gone is missing."""
        return {str(record.id): record.payload or {} for record in self._edge.retrieve(list(ids), True, False)}

    @_reporting
    def nearest(
        self,
        vector: Vector,
        limit: int,
        *,
        equal: tuple[str, str] | None = None,
        above: tuple[str, float] | None = None,
    ) -> list[tuple[UUID, float]]:
        """The points (id, cosine) nearest to a vector, nearest first.

        Only those whose keyword field is `equal` and whose number field lies `above`.
        """
        conditions: list[Any] = []
        if equal is not None:
            conditions.append(FieldCondition(equal[0], match=MatchValue(equal[1])))
        if above is not None:
            conditions.append(FieldCondition(above[0], range=RangeFloat(gt=above[1])))
        found = self._edge.query(
            QueryRequest(
                limit=limit,
                query=Query.Nearest(vector.tolist(), using=_VECTOR),  # an array is taken over number by number
                filter=Filter(must=conditions) if conditions else None,
                with_payload=False,
            )
        )
        return [(point.id, point.score) for point in found]  # type: ignore[misc]

    def walk(self, fields: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every point: its id and these fields of its payload."""
        offset: Offset = None
        while True:
            records, offset = self._page(offset, _PAGE, list(fields), False)
            for record in records:
                yield str(record.id), record.payload or {}
            if offset is None:
                return

    @_reporting
    def copy(self, target: Shard, offset: Offset, count: int) -> Offset:
        """Put the next points, in the order of their ids, into another shard; where to go on, `None` at the end."""
        records, after = self._page(offset, count, True, True)
        if records:
            points = [Point(record.id, record.vector or {}, record.payload) for record in records]
            _require_room(target._directory)
            target._edge.update(UpdateOperation.upsert_points(points))
        return after

    @_reporting
    def _page(self, offset: Offset, count: int, payload: bool | list[str], vector: bool) -> tuple[list[Record], Offset]:
        request = ScrollRequest(offset=offset, limit=count, with_payload=payload, with_vector=vector)
        return self._edge.scroll(request)

    @_reporting
    def delete(self, ids: Sequence[str]) -> None:
        """Forget points; unknown ids are no error."""
        _require_room(self._directory)  # forgetting is written ahead, too
        for start in range(0, len(ids), _PAGE):
            self._edge.update(UpdateOperation.delete_points(list(ids[start : start + _PAGE])))

    @_reporting
    def flush(self) -> None:
        """Write everything through to the disk: about 10 ms on an idle disk, up to 200 ms on a busy one."""
        self._edge.flush()

    @_reporting
    def close(self) -> None:
        """Let go of the files. Closing twice is no error."""
        self._edge.close()


def _require_room(directory: Path) -> None:
    disk = os.statvfs(directory)
    if disk.f_bavail * disk.f_frsize < RESERVE_BYTES:
        raise DiskFullError(
            f"the disk of `{directory}` is full: {RESERVE_BYTES >> 20} MiB must stay free, also to take answers back",
            "make room there and ask again; until then what is kept goes on being given",
        )
