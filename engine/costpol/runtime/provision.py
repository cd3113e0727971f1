"""From the bytes of a policy to everything that serving it takes, in steps that others use one by one.

`check` is pure but for the price data: files to a bundle without errors, and its prices. `prepare` compiles it for an
embedder. `Provisioner` adds what only a running service needs: keys, stores, the index of examples. A check by
`validate` and a replay walk the same road and stop earlier.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

from costpol.cache.connection import Connection
from costpol.commands import (
    Admit,
    Check,
    Command,
    Embed,
    Embedded,
    Failed,
    Judge,
    Learn,
    LookupExact,
    LookupSimilar,
    NearestIntents,
    Reserve,
    Settle,
    Standing,
    Store,
)
from costpol.diagnostics import Diagnostic, Severity
from costpol.embedding.embedder import EMPTY_TEXT, Embedder
from costpol.embedding.registry import open_embedder
from costpol.errors import AwayError, BundleError, ProvisionError
from costpol.pipeline.compile import Provided, compile_bundle
from costpol.pipeline.flow import Pipeline
from costpol.policy.bundle import Bundle
from costpol.policy.loader import load_bundle
from costpol.runtime.embedders import NOT_ITS_FAULT, REST, RESTING, Embedders, GuardedEmbedder
from costpol.runtime.endpoint import Endpoint, open_endpoint, read_key
from costpol.runtime.examples import Examples, Known
from costpol.runtime.facts import lint_facts
from costpol.runtime.health import Health
from costpol.runtime.live import Handlers, Inline, Waiting
from costpol.runtime.prices import ModelPrices, price_models
from costpol.runtime.remote_caches import PATIENCE
from costpol.runtime.snapshot import Snapshot
from costpol.runtime.stores import Stores

if TYPE_CHECKING:
    import aiohttp

    from costpol.cache.edge import EdgeCache
    from costpol.cache.store import AnswerStore
    from costpol.policy.nodes.cache import Cache
    from costpol.runtime.judge import CacheJudge
    from costpol.runtime.remote_caches import GuardedCache

DEFAULT_EMBEDDER = "static-en"
_STRICTEST = 0.97
"""The cosine asked for, until there is evidence, of an embedder whose own threshold nobody measured."""

_log = logging.getLogger("costpol.embedding")


@dataclass(frozen=True, slots=True)
class Checked:
    """A bundle without errors. `findings` are its warnings, `marked` the files that end with `...`."""

    bundle: Bundle
    prices: ModelPrices
    findings: tuple[Diagnostic, ...]
    marked: frozenset[str]


def check(files: Mapping[str, bytes], now: float, *, strict: bool = True) -> Checked:
    """Load, lint and price. Raises `BundleError` for errors in it, `ProvisionError` for a model without a price.

    Unless it is `strict`, what the linter calls an error stands among the findings, and only what keeps the policy from
    loading is raised.
    """
    from costpol.lint.runner import lint

    loaded = load_bundle(files)
    bundle = loaded.require()
    findings = [*loaded.diagnostics, *lint(bundle, lint_facts(now))]
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors and strict:
        raise BundleError(errors)
    try:
        prices = price_models(bundle, now)
    except ProvisionError as error:
        if errors:  # one of them says the same, with its place
            raise BundleError(errors) from error
        raise
    marked = frozenset(name for name, ended in loaded.explicit_end.items() if ended)
    return Checked(bundle, prices, tuple(findings), marked)


def template_version(bundle: Bundle) -> str:
    """The names and versions of all templates, as one digest: what was learned with others is learned anew."""
    templates = bundle.prompts.templates if bundle.prompts is not None else {}
    written = sorted(f"{name}@{template.version}" for name, template in templates.items())
    return sha256("\n".join(written).encode()).hexdigest()[:12]


def wants_embedder(bundle: Bundle) -> bool:
    """Whether any decision of the policy rests on vectors."""
    has_examples = bundle.intents is not None and any(intent.examples for intent in bundle.intents.intents.values())
    return has_examples or bundle.cache is not None


def prepare(checked: Checked, embedder: Embedder | None) -> Pipeline:
    """The compiled policy. Raises `ProvisionError` where an intent needs a likeness that nobody measured."""
    bundle = checked.bundle
    floor = None if embedder is None else embedder.similarity_floor
    if floor is None and embedder is not None and bundle.intents is not None:
        for name, intent in bundle.intents.intents.items():
            if intent.examples and intent.min_similarity is None:
                raise ProvisionError(
                    f"the embedder `{embedder.id}` has no measured similarity from which an example shows its intent",
                    f"write `min_similarity` for the intent `{name}`",
                )
    return compile_bundle(
        bundle,
        Provided(
            prices=checked.prices.models,
            embedder=embedder.id if embedder is not None else "none",
            floor=1.0 if floor is None else floor,
            baseline=checked.prices.baseline,
            embedding_rate=checked.prices.embedding_rate,
        ),
    )


@dataclass(slots=True)
class Provisioner:
    """Makes snapshots that can be served. It holds what they share; each of them holds the rest.

    `base_urls` take the place of the policy's addresses, by provider. `callers_have_keys` says that callers identify
    themselves with keys for costpol, which are then never passed on. Without `calls` no model will be called, as in a
    replay: such snapshots have no endpoints and need no key for one. Without `pays` an embedder behind an endpoint is
    left out, and nothing is recognised by likeness then. Unless it is `strict`, a policy is taken that loads, whatever
    else is wrong with it.
    """

    stores: Stores
    session: aiohttp.ClientSession
    environment: Mapping[str, str]
    base_urls: Mapping[str, str] = field(default_factory=dict)
    callers_have_keys: bool = False
    calls: bool = True
    pays: bool = True
    strict: bool = True
    clock: Callable[[], float] = time.time
    alter: Callable[[Bundle], Bundle] | None = None
    """Tries another bundle than the files hold."""
    _vectors: Known = field(default_factory=dict)
    _embedders: Embedders = field(init=False)

    def __post_init__(self) -> None:
        self._embedders = Embedders(self.session, self.environment)

    async def provision(self, files: Mapping[str, bytes], generation: int) -> Snapshot:
        """A snapshot, ready to be served. Raises `BundleError` or `ProvisionError`, and leaves nothing open then."""
        checked = await asyncio.to_thread(check, files, self.clock(), strict=self.strict)
        if self.alter is not None:
            checked = replace(checked, bundle=self.alter(checked.bundle))
        with ExitStack() as opened:
            endpoints = self._endpoints(checked.bundle) if self.calls else {}
            embedder = await self._embedder(checked.bundle, opened)
            pipeline = await asyncio.to_thread(prepare, checked, embedder)
            health = Health()
            wishes: list[Callable[[], object]] = []
            handlers = await self._handlers(checked.bundle, embedder, opened, health, wishes, first=generation == 1)
            return Snapshot(
                generation=generation,
                bundle=checked.bundle,
                pipeline=pipeline,
                handlers=handlers,
                endpoints=endpoints,
                findings=checked.findings,
                marked=checked.marked,
                prices=checked.prices.source,
                prices_until=checked.prices.until,
                embedder=None if embedder is None else embedder.id,
                loaded=self.clock(),
                release=opened.pop_all().close,
                learned=self.stores.learned,
                health=health,
                wishes=tuple(wishes),
            )

    def _endpoints(self, bundle: Bundle) -> dict[str, Endpoint]:
        used = {model.provider for model in bundle.models.models.values()}
        return {
            name: open_endpoint(
                name, provider, self.environment,
                base_url=self.base_urls.get(name), callers_have_keys=self.callers_have_keys,
            )
            for name, provider in bundle.models.providers.items()
            if name in used
        }  # fmt: skip

    async def _embedder(self, bundle: Bundle, opened: ExitStack) -> Embedder | None:
        if not wants_embedder(bundle):
            return None
        name = bundle.cache.embedder if bundle.cache is not None else DEFAULT_EMBEDDER
        declared = bundle.models.embedders.get(name)
        if declared is None:
            return await asyncio.to_thread(open_embedder, name)
        if declared.remote and not self.pays:
            return None
        embedder = await self._embedders.acquire(name, declared)
        opened.callback(self._embedders.release, declared)
        return embedder

    async def _handlers(
        self, bundle: Bundle, embedder: Embedder | None, opened: ExitStack, health: Health,
        wishes: list[Callable[[], object]], *, first: bool,
    ) -> Handlers:  # fmt: skip
        ledger = self.stores.ledger
        inline: dict[type[Command], Inline] = {
            Standing: ledger.standing,
            Reserve: ledger.reserve,
            Settle: ledger.settle,
        }
        waiting: dict[type[Command], Waiting] = {}
        cache: AnswerStore | None = None
        served = judge = None
        if embedder is not None:
            if embedder.local:
                inline[Embed] = _embed_inline(embedder)
            else:
                waiting[Embed] = _embed_waiting(embedder, health)
            inline[NearestIntents] = await self._intents(bundle, embedder, opened, health, first=first)
        if bundle.cache is not None and embedder is not None:
            if bundle.cache.store.type == "qdrant" and self.calls:
                remote = await self._remote_cache(bundle.cache, embedder, opened, first=first)
                waiting |= {
                    LookupExact: remote.lookup_exact, LookupSimilar: remote.lookup_similar, Store: remote.store,
                }  # fmt: skip
                cache, served = remote.cache, remote.credit
                wishes.append(partial(remote.keep, bundle.cache.max_entries))
            else:  # where no model is called, too: a replay reaches no server
                local = await self._embedded_cache(bundle.cache, embedder, opened)
                inline |= {LookupExact: local.lookup_exact, LookupSimilar: local.lookup_similar, Store: local.store}
                cache, served = local, local.credit
                quantized = bundle.cache.store.quantization is not None
                wishes.append(partial(local.keep, bundle.cache.max_entries, quantized))
            judge = self._judge(bundle, embedder)
            wishes.append(partial(self.stores.keep_judge, judge))
            inline |= {Judge: judge.judge, Learn: judge.learn, Admit: judge.admit, Check: judge.check}
        return Handlers(inline, waiting, served, cache=cache, judge=judge)

    async def _embedded_cache(self, declared: Cache, embedder: Embedder, opened: ExitStack) -> EdgeCache:
        cache = await asyncio.to_thread(
            self.stores.acquire_cache, embedder.id, embedder.dimension, declared.max_entries,
            declared.store.quantization is not None,
        )  # fmt: skip
        opened.callback(self.stores.release_cache, embedder.id)
        return cache

    async def _remote_cache(
        self, declared: Cache, embedder: Embedder, opened: ExitStack, *, first: bool
    ) -> GuardedCache:
        """At its start the sidecar does not wait for a server that is away; later it stays with the policy it has."""
        store, source = declared.store, declared.store.key_source
        assert store.url is not None  # noqa: S101 - `AnswerStore.problems` saw to it
        connection = Connection(
            url=store.url,
            key=None if source == "none" else read_key(source, self.environment, f"the answer store `{store.url}`"),
            collection=store.collection,
            timeout=store.timeout,
            grpc_port=store.grpc_port,
            quantized=store.quantization is not None,
        )
        remote, key = self.stores.remote, (connection, embedder.id)
        guarded = await remote.acquire(key, embedder.dimension, declared.max_entries, patient=first)
        opened.callback(remote.release, key)
        return guarded

    def _judge(self, bundle: Bundle, embedder: Embedder) -> CacheJudge:
        floor = _STRICTEST if embedder.cache_threshold is None else embedder.cache_threshold
        judge = self.stores.judge(embedder.id, embedder.dimension, template_version(bundle), floor)
        judge.embed = open_embedder(DEFAULT_EMBEDDER).embed  # of answers, so not the policy's: its cosines are measured
        if self.calls:  # live: a fit would hold up every caller
            loop = asyncio.get_running_loop()

            def beside(work: Callable[[], None], then: Callable[[BaseException | None], None]) -> None:
                done = loop.run_in_executor(None, work)
                done.add_done_callback(lambda done: None if done.cancelled() else then(done.exception()))

            judge.fit_elsewhere, judge.soon = beside, loop.call_soon
        return judge

    async def _intents(
        self, bundle: Bundle, embedder: Embedder, opened: ExitStack, health: Health, *, first: bool
    ) -> Inline:
        """At its start the sidecar does not wait for an embedder that is away: nothing older could serve meanwhile. Nor
        does a later policy wait for one that the policy before it goes without."""
        examples = Examples(bundle, embedder, self.stores.scratch_folder(), self._vectors)
        opened.callback(examples.close)
        remote = embedder if isinstance(embedder, GuardedEmbedder) else None
        goes_without = self.calls and (first or (remote is not None and remote.awaited))
        try:
            if remote is not None and goes_without:
                await remote.prove_within(PATIENCE)
            await examples.build()
        except AwayError as error:
            if remote is None or not goes_without:
                raise
            remote.awaited = remote.prove is not None
            _log.error("%s; until it answers nothing is recognised by likeness", error.message)
            health.note("embedder", error.message)
            examples.build_later(REST, partial(health.note, "embedder"))
        return examples.nearest


def _embed_inline(embedder: Embedder) -> Inline:
    embed = embedder.embed

    def answer(command: Embed) -> Embedded | Failed:
        vector = embed(command.text)
        return vector if isinstance(vector, Failed) else Embedded(vector)

    return answer


def _embed_waiting(embedder: Embedder, health: Health) -> Waiting:
    async def answer(command: Embed) -> Embedded | Failed:
        vector = await embedder.embed_async(command.text)
        if not isinstance(vector, Failed):
            health.note("embedder", None)
            return Embedded(vector)
        if vector.reason not in (*NOT_ITS_FAULT, EMPTY_TEXT.reason, RESTING.reason):  # which hides why it rests
            health.note("embedder", f"`{embedder.id}` does not embed: {vector.reason}")
        return vector

    return answer
