from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from costpol.commands import Call, Embed, Embedded, LookupExact, NearestIntents, Neighbour, Reserve, Scope
from costpol.errors import BundleError, ProvisionError
from costpol.inference.request import Message, Request
from costpol.pipeline.arrival import Arrival
from costpol.proxy.upstream import open_session
from costpol.runtime.provision import Provisioner, check, prepare, wants_embedder
from costpol.runtime.snapshot import Snapshot
from costpol.runtime.stores import Stores, open_stores

NOW = 1_795_000_000.0
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
