"""A policy whose answers lie on a server: provisioned, asked by the live driver, replayed without the server."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from costpol.commands import Answered, Call
from costpol.errors import BundleError, ProvisionError
from costpol.inference.caller import Caller
from costpol.inference.request import Message, Request
from costpol.inference.response import Response
from costpol.inference.usage import Usage
from costpol.pipeline.arrival import Arrival
from costpol.pipeline.decision import Outcome
from costpol.proxy.upstream import open_session
from costpol.runtime.live import drive
from costpol.runtime.provision import Provisioner, check
from costpol.runtime.remote_caches import FAILURES
from costpol.runtime.snapshot import Snapshot
from costpol.runtime.stores import Stores, open_stores

pytestmark = [
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning"),
    pytest.mark.filterwarnings("ignore:Local mode performs exact:UserWarning"),
]
NOW = 1_795_000_000.0
CACHE = """kind: cache
otherwise: {threshold: 0.9, ttl: 1h, scope: tenant}
store: {type: qdrant, url: "http://127.0.0.1:1"%s}
...
"""
PERSONAL = b"kind: personalization\nexclusions: []\n...\n"


def with_store(policy_files: Mapping[str, bytes], more: str = "") -> dict[str, bytes]:
    return {**policy_files, "p/cache.yaml": (CACHE % more).encode(), "p/personalization.yaml": PERSONAL}


@asynccontextmanager
async def provisioner(
    folder: Path, server: Any = None, environment: Mapping[str, str] | None = None, calls: bool = True
) -> AsyncIterator[tuple[Provisioner, Stores]]:
    stores = open_stores(folder)
    if server is not None:
        stores.remote.opener = lambda connection: server
    try:
        async with open_session() as session:
            yield Provisioner(stores, session, environment or {}, calls=calls, clock=lambda: NOW), stores
    finally:
        await stores.remote.close()
        stores.close()


def memory() -> Any:
    return pytest.importorskip("qdrant_client").AsyncQdrantClient(":memory:")


async def ask(snapshot: Snapshot, stores: Stores, text: str, tenant: str = "acme") -> Outcome:
    body = json.dumps({"model": "gpt-4.1", "messages": [{"role": "user", "content": text}]}).encode()
    message = Message("user", text, json.dumps({"role": "user", "content": text}).encode())
    arrival = Arrival(Request("openai", "gpt-4.1", (message,), body), Caller(tenant), now=NOW)

    async def answer(command: Call) -> Answered:
        content = f"an answer to `{text}` for {tenant}"
        return Answered(Response(content, "stop", Usage(10, 10), body=json.dumps({"content": content}).encode()))

    return await drive(snapshot.pipeline.flow(arrival), snapshot.handlers, answer, stores.unsettled)


def test_a_hit_follows_a_store_within_the_scope_only(policy_files: dict[str, bytes], tmp_path: Path) -> None:
    async def main() -> None:
        server = memory()
        async with provisioner(tmp_path, server) as (provision, stores):
            snapshot = await provision.provision(with_store(policy_files), 1)
            first = await ask(snapshot, stores, "how do I reset my password")
            again = await ask(snapshot, stores, "how do I reset my password")
            alike = await ask(snapshot, stores, "how do I reset my password?")
            other = await ask(snapshot, stores, "how do I reset my password", "umbrella")
            assert [each.decision.cache for each in (first, again, alike, other)] == [
                "miss", "hit; exact", "hit; similar", "miss",
            ]  # fmt: skip
            assert again.body == alike.body == first.response.body  # type: ignore[union-attr]
            await stores.remote.keep_up(NOW)
            (row,) = await snapshot.handlers.cache.stats(NOW)  # type: ignore[union-attr,misc]
            assert (row.entries, row.hits) == (2, 2), "what was served is credited"
            assert not list(tmp_path.glob("cache/*/manifest.json")), "no answers lie in the data folder"
            snapshot.retire()

    asyncio.run(main())


@pytest.mark.parametrize("quantization", ["", ", quantization: int8"])
def test_another_sidecar_gives_what_one_has_stored(
    policy_files: dict[str, bytes], tmp_path: Path, quantization: str
) -> None:
    async def main() -> None:
        server = memory()
        files = with_store(policy_files, quantization)
        async with provisioner(tmp_path / "a", server) as (one, stores):
            await ask(await one.provision(files, 1), stores, "what does the basic plan cost")
            server.close = lambda: asyncio.sleep(0)  # the data goes with the client
        async with provisioner(tmp_path / "b", server) as (other, stores):
            hit = await ask(await other.provision(files, 1), stores, "what does the basic plan cost")
            assert hit.decision.cache == "hit; exact"

    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    asyncio.run(main())


def test_a_dead_store_is_bypassed_with_a_reason_and_the_caller_is_answered(
    policy_files: dict[str, bytes], tmp_path: Path
) -> None:
    pytest.importorskip("qdrant_client")

    async def main() -> None:
        async with provisioner(tmp_path) as (provision, stores):
            snapshot = await provision.provision(with_store(policy_files), 1)
            outcome = await ask(snapshot, stores, "hello")
            assert outcome.kind == "answered"
            assert outcome.decision.cache == "bypass; store-resting"
            assert "does not answer" in stores.troubles()["cache"], "an operator is told"

    asyncio.run(main())


def test_a_store_that_dies_while_it_serves_is_bypassed_with_its_reason(
    policy_files: dict[str, bytes], tmp_path: Path
) -> None:
    async def main() -> None:
        server = memory()
        async with provisioner(tmp_path, server) as (provision, stores):
            snapshot = await provision.provision(with_store(policy_files), 1)
            exceptions = pytest.importorskip("qdrant_client.http.exceptions")

            async def refused(*arguments: object, **named: object) -> None:
                raise exceptions.ResponseHandlingException(ConnectionRefusedError())

            server.retrieve = server.query_points = server.upsert = refused
            outcomes = [await ask(snapshot, stores, f"question {number}") for number in range(FAILURES + 2)]
            assert [outcome.kind for outcome in outcomes] == ["answered"] * len(outcomes)
            assert [outcome.decision.cache for outcome in outcomes] == (
                ["bypass; store-unreachable"] * FAILURES + ["bypass; store-resting"] * 2
            )

    asyncio.run(main())


def test_a_reload_keeps_the_policy_it_has_where_a_new_store_does_not_answer(
    policy_files: dict[str, bytes], tmp_path: Path
) -> None:
    pytest.importorskip("qdrant_client")

    async def main() -> None:
        async with provisioner(tmp_path) as (provision, _):
            with pytest.raises(ProvisionError, match="does not answer"):
                await provision.provision(with_store(policy_files), 2)

    asyncio.run(main())


def test_a_reload_keeps_the_connection(policy_files: dict[str, bytes], tmp_path: Path) -> None:
    async def main() -> None:
        async with provisioner(tmp_path, memory()) as (provision, stores):
            first = await provision.provision(with_store(policy_files), 1)
            second = await provision.provision(with_store(policy_files), 2)
            assert first.handlers.cache is second.handlers.cache
            await ask(first, stores, "where is my parcel")
            first.retire()
            await stores.remote.keep_up(NOW)
            assert (await ask(second, stores, "where is my parcel")).decision.cache == "hit; exact"

    asyncio.run(main())


def test_a_replay_keeps_answers_beside_itself_whatever_the_store(
    policy_files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "qdrant_client", None)  # not installed
    files = with_store(policy_files, ", key: $QDRANT_KEY")

    async def main() -> None:
        async with provisioner(tmp_path, calls=False) as (provision, stores):
            snapshot = await provision.provision(files, 1)
            assert not snapshot.handlers.waiting
            assert (await ask(snapshot, stores, "hello there")).decision.cache == "miss"
            assert (await ask(snapshot, stores, "hello there")).decision.cache == "hit; exact"
            snapshot.retire()

    asyncio.run(main())


def test_a_policy_with_a_store_is_checked_without_its_client(
    policy_files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "qdrant_client", None)
    store = check(with_store(policy_files, ", key: $QDRANT_KEY, grpc_port: 6334"), NOW).bundle.cache.store  # type: ignore[union-attr]
    assert (store.type, store.timeout, store.grpc_port, store.collection) == ("qdrant", 0.2, 6334, "costpol")


def test_a_missing_key_or_client_is_named(
    policy_files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def provision(more: str) -> None:
        async with provisioner(tmp_path) as (one, _):
            await one.provision(with_store(policy_files, more), 1)

    with pytest.raises(ProvisionError, match="`QDRANT_KEY`") as error:
        asyncio.run(provision(", key: $QDRANT_KEY"))
    assert error.value.help == "set `QDRANT_KEY` before costpol starts", "a caller's key opens no store"
    monkeypatch.setitem(sys.modules, "qdrant_client", None)
    with pytest.raises(ProvisionError, match="needs the package `qdrant-client`"):
        asyncio.run(provision(""))


@pytest.mark.parametrize(
    ("store", "message"),
    [
        ("{type: qdrant}", "needs its `url`"),
        ('{url: "http://127.0.0.1:6333"}', "the embedded store has no `url`"),
        ('{type: qdrant, url: "http://h", key: caller}', "a caller's key opens no store"),
        ('{type: qdrant, url: "http://h", key: hunter2}', "no key stands in a policy"),
        ('{type: qdrant, url: "http://u:p@h"}', "without credentials"),
        ('{type: qdrant, url: "http://h", timeout: 0s}', "no server answers in no time"),
        ('{type: qdrant, url: "http://h", collection: "a/b"}', "cannot begin the name of a collection"),
        ('{type: qdrant, url: "http://h", quantization: int4}', "int8"),
    ],
)
def test_a_store_that_cannot_be_is_refused(policy_files: dict[str, bytes], store: str, message: str) -> None:
    cache = f"kind: cache\notherwise: {{ttl: 1h, scope: tenant}}\nstore: {store}\n...\n"
    with pytest.raises(BundleError) as refused:
        check({**policy_files, "p/cache.yaml": cache.encode(), "p/personalization.yaml": PERSONAL}, NOW)
    assert any(message in each.message for each in refused.value.diagnostics), refused.value.diagnostics


def test_small_numbers_can_be_had_without_a_server(policy_files: dict[str, bytes], tmp_path: Path) -> None:
    cache = b"kind: cache\notherwise: {threshold: 0.9, ttl: 1h, scope: tenant}\nstore: {quantization: int8}\n...\n"

    async def main() -> None:
        async with provisioner(tmp_path) as (provision, stores):
            files = {**policy_files, "p/cache.yaml": cache, "p/personalization.yaml": PERSONAL}
            snapshot = await provision.provision(files, 1)
            await ask(snapshot, stores, "how do I reset my password")
            assert (await ask(snapshot, stores, "how do I reset my password?")).decision.cache == "hit; similar"
            (manifest,) = tmp_path.glob("cache/*/manifest.json")
            assert json.loads(manifest.read_text())["quantized"] is True
            snapshot.retire()

    asyncio.run(main())
