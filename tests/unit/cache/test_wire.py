"""What goes over the wire to a Qdrant server, read by the models of Qdrant's own API and answered from memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from aiohttp import web

from costpol.cache.connection import Connection, open_client
from costpol.cache.qdrant import QdrantCache
from costpol.commands import Entry, Hit, LookupExact, LookupSimilar, Scope, Store

qdrant_client = pytest.importorskip("qdrant_client")
models = qdrant_client.models
pytestmark = [
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning"),
    pytest.mark.filterwarnings("ignore:Local mode performs exact:UserWarning"),
]
NOW = 1_790_000_000.25
TENANT = Scope("tenant", "tenant:acme")
VECTORS = np.eye(4, dtype=np.float32)


def entry(question: str, **changes: Any) -> Entry:
    made = {
        "scope": TENANT,
        "text": "wie läuft es? 😀",
        "expires": NOW + 3600.125,
        "template": "faq@3",
        "tags": ("prices",),
    }
    made |= changes
    return Entry(
        partition="p", question=question, intent="faq", body='{"a":"✓"}'.encode(), model="m", created=NOW,
        cost_picodollars=2**62, **made,
    )  # fmt: skip


@dataclass
class Api:
    """Qdrant's REST API over a collection in memory. Remembers every call: method, path, body."""

    client: Any = field(default_factory=lambda: qdrant_client.AsyncQdrantClient(":memory:"))
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    keys: set[str | None] = field(default_factory=set)

    def bodies(self, method: str, end: str) -> list[Any]:
        return [body for verb, path, body in self.calls if verb == method and path.endswith(end)]

    async def answer(self, request: web.Request) -> web.Response:
        name, path = request.match_info["name"], request.match_info["rest"]
        body = await request.read()
        self.keys.add(request.headers.get("api-key"))
        self.calls.append((request.method, request.path, await request.json() if body else None))
        result = await getattr(self, f"{request.method.lower()}_{path.strip('/').replace('/', '_')}")(name, body)
        return web.json_response({"result": result, "status": "ok", "time": 0.0})

    async def get_exists(self, name: str, body: bytes) -> Any:
        return {"exists": await self.client.collection_exists(name)}

    async def get_(self, name: str, body: bytes) -> Any:
        return (await self.client.get_collection(name)).model_dump(mode="json")

    async def put_(self, name: str, body: bytes) -> Any:
        made = models.CreateCollection.model_validate_json(body)
        return await self.client.create_collection(name, vectors_config=made.vectors)

    async def patch_(self, name: str, body: bytes) -> Any:
        models.UpdateCollection.model_validate_json(body)
        return True

    async def put_index(self, name: str, body: bytes) -> Any:
        models.CreateFieldIndex.model_validate_json(body)
        return {"operation_id": 1, "status": "completed"}

    async def put_points(self, name: str, body: bytes) -> Any:
        return _plain(await self.client.upsert(name, models.PointsList.model_validate_json(body).points))

    async def post_points(self, name: str, body: bytes) -> Any:
        asked = models.PointRequest.model_validate_json(body)
        return _plain(await self.client.retrieve(name, asked.ids, with_payload=asked.with_payload))

    async def post_points_query(self, name: str, body: bytes) -> Any:
        asked = models.QueryRequest.model_validate_json(body)
        assert isinstance(asked.query, models.NearestQuery)
        return _plain(await self.client.query_points(
            name, query=asked.query.nearest, using=asked.using, query_filter=asked.filter, limit=asked.limit,
            with_payload=asked.with_payload,
        ))  # fmt: skip

    async def post_points_scroll(self, name: str, body: bytes) -> Any:
        asked = models.ScrollRequest.model_validate_json(body)
        points, after = await self.client.scroll(
            name, scroll_filter=asked.filter, limit=asked.limit, offset=asked.offset, with_payload=asked.with_payload
        )
        return {"points": _plain(points), "next_page_offset": after}

    async def post_points_count(self, name: str, body: bytes) -> Any:
        return _plain(await self.client.count(name, models.CountRequest.model_validate_json(body).filter))

    async def post_points_delete(self, name: str, body: bytes) -> Any:
        return _plain(await self.client.delete(name, models.FilterSelector.model_validate_json(body)))

    async def post_points_payload(self, name: str, body: bytes) -> Any:
        asked = models.SetPayload.model_validate_json(body)
        return _plain(await self.client.set_payload(name, payload=asked.payload, points=asked.filter))


def _plain(result: Any) -> Any:
    if isinstance(result, list):
        return [_plain(each) for each in result]
    return result.model_dump(mode="json")


def over_http(then: Callable[[QdrantCache], Awaitable[None]], **settings: Any) -> Api:
    """Do something to a cache behind a real HTTP connection."""

    async def main() -> Api:
        api = Api()
        app = web.Application()
        app.router.add_route("*", "/collections/{name}{rest:.*}", api.answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        connection = Connection(f"http://127.0.0.1:{port}", "hush", timeout=30.0, **settings)
        cache = QdrantCache(open_client(connection), connection, "e/1", 4, 100)
        try:
            await cache.prepare()
            await then(cache)
        finally:
            await cache.close()
            await runner.cleanup()
        return api

    return asyncio.run(main())


def similar(limit: int = 5, now: float = NOW) -> LookupSimilar:
    return LookupSimilar(VECTORS[0], "p", TENANT, "faq", now, limit)


def test_an_answer_survives_the_wire_to_the_last_bit() -> None:
    async def then(cache: QdrantCache) -> None:
        kept = entry("q")
        assert await cache.store(Store(kept, VECTORS[0])) is None
        assert await cache.store(Store(entry("exact only"), None)) is None
        assert await cache.lookup_exact(LookupExact("p", "q", TENANT, NOW)) == Hit(kept, 1.0)
        found = await cache.lookup_similar(similar())
        assert isinstance(found, tuple)
        assert [hit.entry for hit in found] == [kept]
        assert await cache.find(kept.reference) == kept

    api = over_http(then)
    assert api.keys == {"hush"}


def test_upkeep_and_purge_work_over_the_wire() -> None:
    async def then(cache: QdrantCache) -> None:
        for number in range(6):
            await cache.store(Store(entry(f"q{number}", expires=NOW + number + 1), VECTORS[number % 4]))
        cache.credit(entry("q5"))
        assert await cache.sweep(NOW + 2) == 2
        (row,) = await cache.stats(NOW)
        assert (row.entries, row.hits) == (4, 1)
        cache.max_entries = 3
        await cache.sweep(NOW)
        assert await cache.count() == 3
        assert await cache.purge(template="faq", tag="prices", tenant="acme", dry_run=True) == 3
        assert await cache.purge(tag="terms") == 0
        assert await cache.purge(id=entry("q5").reference) == 1
        assert await cache.purge(scope=TENANT.key) == 2

    over_http(then)


@pytest.mark.parametrize("quantized", [False, True])
def test_the_collection_is_made_for_searches_within_a_scope(quantized: bool) -> None:
    async def then(cache: QdrantCache) -> None:
        await cache.lookup_similar(similar())
        await cache.prepare()

    api = over_http(then, quantized=quantized)
    (made,) = [body for body in api.bodies("PUT", cache_name()) if body]
    assert made["vectors"]["text"]["size"] == 4
    assert made["vectors"]["text"]["distance"] == "Cosine"
    assert (made["hnsw_config"]["m"], made["hnsw_config"]["payload_m"]) == (0, 16)
    assert ((made.get("quantization_config") or {}).get("scalar") or {}).get("type") == ("int8" if quantized else None)
    indexes = {body["field_name"]: body["field_schema"] for body in api.bodies("PUT", "/index")}
    assert indexes.pop("scope")["is_tenant"] is True
    assert indexes.pop("until") == "float"
    assert indexes == dict.fromkeys(("place", "intent", "template", "family", "tenant", "tags"), "keyword")
    (search,) = api.bodies("POST", "/points/query")
    conditions = {condition["key"]: condition for condition in search["filter"]["must"]}
    assert conditions["scope"]["match"] == {"value": TENANT.key}
    assert conditions["until"]["range"]["gt"] == NOW
    assert "place" in conditions
    rescored = (search.get("params") or {}).get("quantization") or {}
    assert rescored.get("rescore") is (True if quantized else None)


def cache_name() -> str:
    from costpol.cache.layout import collection_name

    return "/" + collection_name("costpol", "e/1")
