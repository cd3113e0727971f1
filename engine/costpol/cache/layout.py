"""What a collection on a Qdrant server must look like, and how it is made so.

Similarities of two embedders cannot be compared, so every embedder has a collection of its own, named after it. No
search ever crosses scopes: there is no graph over all vectors, only one within each scope, and the server keeps the
entries of a scope together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from costpol.cache.collection import folder_name
from costpol.cache.connection import REFUSED, UNAUTHORIZED, Connection, ask
from costpol.cache.record import PLACE, UNTIL
from costpol.commands import Failed
from costpol.errors import ProvisionError, StoreError

if TYPE_CHECKING:
    from qdrant_client import AsyncQdrantClient, models

VECTOR = "text"
"""The name of the one vector. A named vector may be missing: such a point is never the neighbour of anything."""
SCOPE = "scope"
TENANT = "tenant"
FAMILY = "family"
HITS = "hits"
"""`TENANT`, `FAMILY` and `HITS` are what only a server's points say beside their entry: the tenant of its scope, its
template without the version, how often it was served."""

_KEYWORDS = (PLACE, "intent", "template", FAMILY, TENANT, "tags")
_PATIENCE = 10.0
"""Seconds for one call here: making a collection writes files."""

_T = TypeVar("_T")


def collection_name(prefix: str, embedder_id: str) -> str:
    """The collection of an embedder."""
    return f"{prefix}-{folder_name(embedder_id)}"


async def prepare_collection(client: AsyncQdrantClient, connection: Connection, name: str, dimension: int) -> None:
    """See that the collection is there and fits; make it where it is not there.

    Raises `ProvisionError` where it does not fit, or the server will not do what is asked; `StoreError` where the
    server cannot be reached now.
    """
    found = await _find(client, connection, name)
    if found is None:
        made = await _make(client, connection, name, dimension)
        found = await _find(client, connection, name)  # by now another process may have made it as well
        if found is None:
            _answered(made, connection)
            raise StoreError(f"the answer store `{connection.url}` does not show the collection `{name}` that it made")
    _check(found, connection, name, dimension)
    if (found.config.quantization_config is not None) is not connection.quantized:
        await _quantize(client, connection, name)
    for field, schema in _indexes().items():
        if field not in found.payload_schema:
            _answered(await ask(client.create_payload_index(name, field, schema), _PATIENCE), connection)


async def _find(client: AsyncQdrantClient, connection: Connection, name: str) -> models.CollectionInfo | None:
    if not _answered(await ask(client.collection_exists(name), _PATIENCE), connection):
        return None
    return _answered(await ask(client.get_collection(name), _PATIENCE), connection)


async def _make(client: AsyncQdrantClient, connection: Connection, name: str, dimension: int) -> bool | Failed:
    from qdrant_client import models

    return await ask(
        client.create_collection(
            name,
            vectors_config={VECTOR: models.VectorParams(size=dimension, distance=models.Distance.COSINE)},
            hnsw_config=models.HnswConfigDiff(m=0, payload_m=16),
            quantization_config=_int8() if connection.quantized else None,
        ),
        _PATIENCE,
    )


async def _quantize(client: AsyncQdrantClient, connection: Connection, name: str) -> None:
    from qdrant_client import models

    wanted = _int8() if connection.quantized else models.Disabled.DISABLED
    _answered(await ask(client.update_collection(name, quantization_config=wanted), _PATIENCE), connection)


def _int8() -> models.ScalarQuantization:
    from qdrant_client import models

    return models.ScalarQuantization(
        scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, always_ram=True)
    )


def _indexes() -> dict[str, models.PayloadSchemaType | models.KeywordIndexParams]:
    from qdrant_client import models

    keyword = models.KeywordIndexType.KEYWORD
    indexes: dict[str, models.PayloadSchemaType | models.KeywordIndexParams] = {
        SCOPE: models.KeywordIndexParams(type=keyword, is_tenant=True),
        UNTIL: models.PayloadSchemaType.FLOAT,
    }
    return indexes | dict.fromkeys(_KEYWORDS, models.PayloadSchemaType.KEYWORD)


def _check(found: models.CollectionInfo, connection: Connection, name: str, dimension: int) -> None:
    from qdrant_client import models

    vectors = found.config.params.vectors
    vector = vectors.get(VECTOR) if isinstance(vectors, dict) else None
    if vector is None:
        raise ProvisionError(
            f"the collection `{name}` of the answer store `{connection.url}` was not made by costpol",
            _another_place(connection, name),
        )
    if vector.size != dimension or vector.distance is not models.Distance.COSINE:
        raise ProvisionError(
            f"the collection `{name}` of the answer store `{connection.url}` has {vector.size} dimensions compared by "
            f"{vector.distance.value.lower()}, the embedder of the policy has {dimension} compared by cosine",
            _another_place(connection, name),
        )


def _another_place(connection: Connection, name: str) -> str:
    return (
        "write another `collection` into the `store` of the cache, or delete this one with all its answers: "
        f"`curl -X DELETE {connection.url}/collections/{name}`"
    )


def _answered(answer: _T | Failed, connection: Connection) -> _T:
    if not isinstance(answer, Failed):
        return answer
    if answer == UNAUTHORIZED:
        raise ProvisionError(
            f"the answer store `{connection.url}` does not accept the key" if connection.key
            else f"the answer store `{connection.url}` asks for a key",
            "see that the `key` of the `store` names an environment variable with a key that may write",
        )  # fmt: skip
    if answer == REFUSED:
        raise ProvisionError(
            f"the answer store `{connection.url}` does not answer as a Qdrant server does",
            "see that the `url` of the `store` is a Qdrant server of version 1.9 or later, and its log for what it "
            "refuses",
        )
    raise StoreError(f"the answer store `{connection.url}` does not answer: {answer.reason}")
