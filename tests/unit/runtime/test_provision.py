from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import web

from costpol.commands import Call, Embed, Embedded, Failed, LookupExact, NearestIntents, Neighbour, Reserve, Scope
from costpol.errors import AwayError, BundleError, ProvisionError
from costpol.inference.request import Message, Request
from costpol.pipeline.arrival import Arrival
from costpol.proxy.upstream import open_session
from costpol.runtime.embedders import FAILURES, RESTING
from costpol.runtime.provision import Provisioner, check, prepare, wants_embedder
from costpol.runtime.snapshot import Snapshot
from costpol.runtime.stores import Stores, open_stores

NOW = 1_795_000_000.0
MODELS = b"""kind: models
providers:
  sim: {type: openai, base_url: "http://127.0.0.1:9/v1", key: none, timeout: 5s}
models:
  small: {provider: sim, price: {input: 0.10 USD, output: 0.40 USD}}
tiers: {cheap: small}
...
"""
PROMPTS = b"kind: prompts\notherwise: {max_output_tokens: 1k}\n...\n"
INTENTS = b"""kind: intents
intents:
  faq:
    examples:
      - how do I reset my password
      - where can I change my address
  chat:
    examples: [tell me a joke, good morning]
...
"""
CACHE = b"kind: cache\nintents:\n  faq: {threshold: 0.95, ttl: 1h, scope: tenant}\n...\n"
PERSONAL = b"kind: personalization\nexclusions: []\n...\n"


def provisioned(
    files: Mapping[str, bytes],
    folder: Path,
    then: Callable[[Snapshot, Stores], Any] = lambda snapshot, stores: snapshot,
    environment: Mapping[str, str] | None = None,
) -> Any:
    async def main() -> Any:
        stores = open_stores(folder)
        try:
            async with open_session() as session:
                provisioner = Provisioner(stores, session, environment or {}, clock=lambda: NOW)
                snapshot = await provisioner.provision(files, 1)
                result = then(snapshot, stores)
                snapshot.retire()
                return result
        finally:
            stores.close()

    return asyncio.run(main())


def test_a_sound_policy_is_ready_to_decide(policy_files: dict[str, bytes], tmp_path: Path) -> None:
    def first_command(snapshot: Snapshot, stores: Stores) -> Any:
        request = Request("openai", "gpt-4.1", (Message("user", "please analyze this", b"{}"),), b"{}")
        return next(snapshot.pipeline.flow(Arrival(request, now=NOW)))

    command = provisioned(policy_files, tmp_path, first_command)
    assert isinstance(command, Call)
    assert command.model == "large"


def test_errors_of_the_policy_are_raised_as_findings(policy_files: dict[str, bytes]) -> None:
    with pytest.raises(BundleError) as error:
        check(policy_files | {"p/routing.yaml": b"kind: routing\ndefault: nobody\n"}, NOW)
    assert error.value.diagnostics[0].span.file == "p/routing.yaml"


def test_what_the_linter_forbids_is_not_served(policy_files: dict[str, bytes]) -> None:
    files = dict(policy_files)
    files["p/cache.yaml"] = b"kind: cache\notherwise: {threshold: 0.95, scope: tenant}\n"
    files["p/personalization.yaml"] = b"kind: personalization\nexclusions: []\n"
    with pytest.raises(BundleError, match="never forgets an answer"):
        check(files, NOW)


def test_marked_ends_are_remembered(policy_files: dict[str, bytes]) -> None:
    files = policy_files | {"p/routing.yaml": b"kind: routing\ndefault: cheap\n"}
    assert check(files, NOW).marked == {"p/models.yaml", "p/prompts.yaml"}


def test_a_policy_without_examples_and_cache_opens_no_embedder(policy_files: dict[str, bytes], tmp_path: Path) -> None:
    assert not wants_embedder(check(policy_files, NOW).bundle)
    assert provisioned(policy_files, tmp_path).embedder is None


def test_examples_are_found_by_likeness_and_answers_are_looked_up(
    policy_files: dict[str, bytes], tmp_path: Path
) -> None:
    files = policy_files | {"p/intents.yaml": INTENTS, "p/cache.yaml": CACHE, "p/personalization.yaml": PERSONAL}

    def ask(snapshot: Snapshot, stores: Stores) -> tuple[Neighbour, ...]:
        inline = snapshot.handlers.inline
        embedded = inline[Embed](Embed("how can I reset the password?"))
        assert isinstance(embedded, Embedded)
        assert inline[LookupExact](LookupExact("p", "q", Scope("global", "global"), NOW)) is None
        assert Reserve in inline
        found: tuple[Neighbour, ...] = inline[NearestIntents](NearestIntents(embedded.vector, 1))
        return found

    (nearest,) = provisioned(files, tmp_path, ask)
    assert nearest.intent == "faq"
    assert nearest.example == "how do I reset my password"


def test_a_missing_key_names_its_variable_and_leaves_nothing_open(
    policy_files: dict[str, bytes], tmp_path: Path
) -> None:
    models = policy_files["p/models.yaml"].replace(b"key: none", b"key: $SIM_KEY")
    with pytest.raises(ProvisionError, match="`SIM_KEY`"):
        provisioned(policy_files | {"p/models.yaml": models}, tmp_path)


def test_retiring_closes_the_cache_that_nobody_else_uses(policy_files: dict[str, bytes], tmp_path: Path) -> None:
    files = policy_files | {"p/intents.yaml": INTENTS, "p/cache.yaml": CACHE, "p/personalization.yaml": PERSONAL}

    async def main() -> None:
        stores = open_stores(tmp_path)
        async with open_session() as session:
            provisioner = Provisioner(stores, session, {}, clock=lambda: NOW)
            first = await provisioner.provision(files, 1)
            second = await provisioner.provision(files, 2)
            first.retire()
            assert len(stores._open) == 1
            second.retire()
            assert not stores._open
            assert not list(stores.scratch.iterdir()), "the index of examples is removed with its policy"
        stores.close()

    asyncio.run(main())


def test_a_policy_that_is_only_tried_changes_nothing_of_the_stores(
    policy_files: dict[str, bytes], tmp_path: Path
) -> None:
    files = policy_files | {"p/intents.yaml": INTENTS, "p/cache.yaml": CACHE, "p/personalization.yaml": PERSONAL}
    other = files | {"p/cache.yaml": CACHE.replace(b"intents:", b"max_entries: 10\nintents:")}

    async def main() -> None:
        stores = open_stores(tmp_path)
        async with open_session() as session:
            provisioner = Provisioner(stores, session, {}, clock=lambda: NOW)
            served = await provisioner.provision(files, 1)
            cache = served.handlers.cache
            assert cache is not None
            before = cache.max_entries
            tried = await provisioner.provision(other, 2)
            tried.retire()
            assert cache.max_entries == before
            taken_up = await provisioner.provision(other, 2)
            taken_up.adopt()
            assert (taken_up.handlers.cache, cache.max_entries) == (cache, 10)
            served.retire()
            taken_up.retire()
        stores.close()

    asyncio.run(main())


def test_a_failed_provisioning_releases_what_it_had_opened(
    policy_files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = policy_files | {"p/intents.yaml": INTENTS, "p/cache.yaml": CACHE, "p/personalization.yaml": PERSONAL}

    def fail(*arguments: object) -> None:
        raise ProvisionError("the disk is full")

    async def main() -> None:
        stores = open_stores(tmp_path)
        monkeypatch.setattr(Stores, "acquire_cache", fail)
        async with open_session() as session:
            with pytest.raises(ProvisionError, match="disk is full"):
                await Provisioner(stores, session, {}, clock=lambda: NOW).provision(files, 1)
        assert not stores._open
        stores.close()

    asyncio.run(main())


def test_an_embedder_without_a_measured_floor_needs_the_policy_s_own(policy_files: dict[str, bytes]) -> None:
    class Unmeasured:
        id, dimension, local, max_characters = "other/1", 8, True, 100
        similarity_floor = cache_threshold = None

    checked = check(policy_files | {"p/intents.yaml": INTENTS}, NOW)
    with pytest.raises(ProvisionError, match="no measured similarity"):
        prepare(checked, Unmeasured())  # type: ignore[arg-type]


class Endpoint:
    """An embeddings endpoint that can be told to fail; it counts the calls."""

    def __init__(self) -> None:
        self.calls = 0
        self.status = 200
        self.speaks = asyncio.Event()
        self.speaks.set()

    async def answer(self, request: web.Request) -> web.Response:
        self.calls += 1
        await self.speaks.wait()
        asked = (await request.json())["input"]
        texts = [asked] if isinstance(asked, str) else asked
        rows = [{"index": i, "embedding": [len(text), text.count("a") + 1]} for i, text in enumerate(texts)]
        return web.json_response({"data": rows}, status=self.status)


def with_endpoint(use: Callable[[Endpoint, Provisioner, dict[str, bytes]], Awaitable[None]], folder: Path) -> None:
    """A provisioner, and the files of a policy whose cache has its embedder behind the endpoint."""

    async def main() -> None:
        endpoint, app = Endpoint(), web.Application()
        app.router.add_post("/v1/embeddings", endpoint.answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        declared = (
            f"embedders:\n  far: {{type: openai, base_url: 'http://127.0.0.1:{runner.addresses[0][1]}/v1', model: e, "
            "dimension: 2, price: 0.02 USD, timeout: 60s}\n...\n"
        )
        files = {
            "p/models.yaml": MODELS.replace(b"...\n", declared.encode()),
            "p/prompts.yaml": PROMPTS,
            "p/routing.yaml": b"kind: routing\ndefault: cheap\n...\n",
            "p/intents.yaml": INTENTS.replace(b"    examples:", b"    min_similarity: 0.9\n    examples:"),
            "p/cache.yaml": CACHE.replace(b"kind: cache\n", b"kind: cache\nembedder: far\n"),
            "p/personalization.yaml": PERSONAL,
        }
        stores = open_stores(folder)
        try:
            async with open_session() as session:
                await use(endpoint, Provisioner(stores, session, {}, clock=lambda: NOW), files)
        finally:
            stores.close()
            await runner.cleanup()

    asyncio.run(main())


async def embedded(snapshot: Snapshot, text: str) -> Any:
    return await snapshot.handlers.waiting[Embed](Embed(text))


def test_examples_are_embedded_in_one_call_and_a_reload_asks_for_new_ones_only(tmp_path: Path) -> None:
    async def use(endpoint: Endpoint, provisioner: Provisioner, files: dict[str, bytes]) -> None:
        first = await provisioner.provision(files, 1)
        assert endpoint.calls == 2, "to see that it answers, and for all examples"
        second = await provisioner.provision(files, 2)
        assert endpoint.calls == 2
        more = files["p/intents.yaml"].replace(b"good morning", b"good morning, hi there")
        third = await provisioner.provision(files | {"p/intents.yaml": more}, 3)
        assert endpoint.calls == 3
        for snapshot in (first, second, third):
            snapshot.retire()

    with_endpoint(use, tmp_path)


def test_what_an_embedding_costs_is_the_cache_s_own_cost(tmp_path: Path) -> None:
    async def use(endpoint: Endpoint, provisioner: Provisioner, files: dict[str, bytes]) -> None:
        snapshot = await provisioner.provision(files, 1)
        request = Request("openai", "gpt-4.1", (Message("user", "where can I pay?", b"{}"),), b"{}")
        flow = snapshot.pipeline.flow(Arrival(request, now=NOW))
        command = next(flow)
        assert isinstance(command, Embed)
        command = flow.send(await embedded(snapshot, command.text))
        assert isinstance(command, NearestIntents)
        assert snapshot.pipeline.classify.embedding_rate == 20_000, "picodollars a token"
        snapshot.retire()

    with_endpoint(use, tmp_path)


def test_while_the_embedder_fails_requests_go_on_and_after_some_it_is_left_alone(tmp_path: Path) -> None:
    async def use(endpoint: Endpoint, provisioner: Provisioner, files: dict[str, bytes]) -> None:
        snapshot = await provisioner.provision(files, 1)
        endpoint.status, before = 503, endpoint.calls
        answers = [await embedded(snapshot, "hello") for _ in range(FAILURES + 3)]
        assert answers == [Failed("embedder_status_503")] * FAILURES + [RESTING] * 3
        assert snapshot.health.troubles == {"embedder": f"`{snapshot.embedder}` does not embed: embedder_status_503"}
        assert endpoint.calls - before == FAILURES
        reloaded = await provisioner.provision(files, 2)
        assert await embedded(reloaded, "hello") == RESTING, "a reload does not wake it"
        inline = reloaded.handlers.inline
        assert inline[LookupExact](LookupExact("p", "q", Scope("global", "global"), NOW)) is None
        snapshot.retire()
        reloaded.retire()

    with_endpoint(use, tmp_path)


def test_a_start_does_not_wait_for_an_embedder_that_is_away_but_a_reload_keeps_the_policy_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def use(endpoint: Endpoint, provisioner: Provisioner, files: dict[str, bytes]) -> None:
        endpoint.status = 503
        with pytest.raises(AwayError, match="embedder_status_503"):
            await provisioner.provision(files, 2)
        snapshot = await provisioner.provision(files, 1)
        nearest = NearestIntents(np.array([1, 0], dtype=np.float32), 1)
        assert snapshot.handlers.inline[NearestIntents](nearest) == Failed("embedder_examples_missing")
        assert "embedder_status_503" in snapshot.health.troubles["embedder"]
        snapshot.retire()

    with_endpoint(use, tmp_path)
    assert "until it answers nothing is recognised by likeness" in caplog.text


def test_a_start_waits_for_a_silent_embedder_only_so_long_and_uses_it_once_it_speaks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("costpol.runtime.provision.PATIENCE", 0.05)
    nearest = NearestIntents(np.array([1, 0], dtype=np.float32), 1)

    async def use(endpoint: Endpoint, provisioner: Provisioner, files: dict[str, bytes]) -> None:
        endpoint.speaks.clear()
        started = await provisioner.provision(files, 1)  # each call may take a minute
        inline = started.handlers.inline
        assert inline[NearestIntents](nearest) == Failed("embedder_examples_missing")
        assert started.health.troubles["embedder"].endswith("has not answered within 0.05 s")
        endpoint.speaks.set()
        while isinstance(inline[NearestIntents](nearest), Failed):
            await asyncio.sleep(0.001)
        assert not started.health.troubles
        started.retire()

    with_endpoint(use, tmp_path)
    assert "has not answered within 0.05 s; until it answers nothing is recognised by likeness" in caplog.text


def test_a_policy_changes_while_it_goes_without_an_embedder_that_never_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("costpol.runtime.provision.PATIENCE", 0.05)

    async def use(endpoint: Endpoint, provisioner: Provisioner, files: dict[str, bytes]) -> None:
        endpoint.speaks.clear()
        started = await provisioner.provision(files, 1)
        changed = await provisioner.provision(files | {"p/prompts.yaml": PROMPTS.replace(b"1k", b"2k")}, 2)
        assert "embedder" in changed.health.troubles
        other = files["p/models.yaml"].replace(b"model: e,", b"model: f,")
        endpoint.status = 503
        endpoint.speaks.set()
        with pytest.raises(AwayError):
            await provisioner.provision(files | {"p/models.yaml": other}, 3)
        started.retire()
        changed.retire()

    with_endpoint(use, tmp_path)


def test_an_embedder_that_refuses_the_key_refuses_the_policy(tmp_path: Path) -> None:
    async def use(endpoint: Endpoint, provisioner: Provisioner, files: dict[str, bytes]) -> None:
        endpoint.status = 401
        with pytest.raises(ProvisionError, match="embedder_status_401"):
            await provisioner.provision(files, 1)

    with_endpoint(use, tmp_path)


def test_where_nothing_may_be_paid_an_api_is_left_out(tmp_path: Path) -> None:
    async def use(endpoint: Endpoint, provisioner: Provisioner, files: dict[str, bytes]) -> None:
        provisioner.pays = False
        snapshot = await provisioner.provision(files, 1)
        assert snapshot.embedder is None
        assert endpoint.calls == 0
        snapshot.retire()

    with_endpoint(use, tmp_path)


@pytest.mark.parametrize(("threshold", "found"), [("0.90", True), ("0.91", False)])
def test_a_measured_model_s_own_threshold_is_what_the_linter_asks_for(
    threshold: str, found: bool, policy_files: dict[str, bytes]
) -> None:
    declared = (
        b"embedders:\n  mini: {type: sentence-transformers, model: sentence-transformers/all-MiniLM-L6-v2}\n...\n"
    )
    files = policy_files | {
        "p/models.yaml": policy_files["p/models.yaml"].replace(b"...\n", declared),
        "p/intents.yaml": INTENTS,
        "p/cache.yaml": CACHE.replace(b"kind: cache\n", b"kind: cache\nembedder: mini\n").replace(
            b"0.95", threshold.encode()
        ),
        "p/personalization.yaml": PERSONAL,
    }
    assert ("low-threshold" in {finding.name for finding in check(files, NOW).findings}) is found
