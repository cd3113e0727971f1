"""No entry written under one scope is ever read under another, whatever callers call themselves."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from costpol.cache.edge import EdgeCache, open_cache
from costpol.commands import Entry, LookupExact, LookupSimilar, Scope, Store
from costpol.inference.caller import Caller
from costpol.pipeline.caching import scope_for

MAX_ENTRIES = 30
VECTORS = np.eye(3, dtype=np.float32)

# Names that try to spell another's scope, or another's place in the store.
NAMES = [
    None, "", "-", "a", "b", "a:b", ":", "a:", ":a", "%3A", "a%3Ab", "%253A", "a/b", "/", "A", "\u00e1", "a\u0301",
    "\uff41", "a\0", "\0", " ", "a ", "global", "tenant:a", "user:a:b", "1:a", "*", "\ud800", "😀", "a" * 300,
]  # fmt: skip


class Place(NamedTuple):
    """Where a question is kept inside a scope."""

    partition: str
    question: str
    intent: str


# Words that join to the same text in more than one way.
PLACES = st.builds(Place, *[st.sampled_from(["p", "pp", "p/p"])] * 3)


class Reader(NamedTuple):
    """Somebody, and the scope that stands for them. Readers of one `who` may read each other's entries."""

    who: tuple[str | None, ...]
    scope: Scope


def _caller(tenant: str | None, user: str | None, kind: str) -> Reader | None:
    scope = scope_for(kind, Caller(tenant, user))
    who = (kind, tenant) if kind == "tenant" else (kind, tenant, user)
    return None if scope is None else Reader(who, scope)


# Beside callers, scopes that nobody should spell this way: the store must tell them apart all the same.
STRANGE = [
    Reader(("strange", kind, key), Scope(kind, key))
    for kind in ("tenant", "user", "")
    for key in ("", "a", "q/tenant:a", "tenant:a1:p", "tenant:a\0", "p/q")
]
READERS = st.sampled_from(
    [reader for tenant in NAMES for reader in [_caller(tenant, None, "tenant")] if reader]
    + [reader for tenant in NAMES for user in NAMES[:8] for reader in [_caller(tenant, user, "user")] if reader]
    + STRANGE
)


class Isolation(RuleBasedStateMachine):
    """Many readers share one cache; each answer's body tells who wrote it, where, and until when."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.cache: EdgeCache = open_cache(self.directory, "e", 3, max_entries=MAX_ENTRIES)
        self.now = 1000.0
        self.written: dict[bytes, tuple[Reader, Place, float]] = {}
        self.seen: set[Reader] = set()

    def teardown(self) -> None:
        self.cache.close()
        shutil.rmtree(self.directory)

    @rule(
        readers=st.lists(READERS, min_size=1, max_size=4), place=PLACES, life=st.integers(1, 9), similar=st.booleans()
    )
    def write(self, readers: list[Reader], place: Place, life: int, similar: bool) -> None:
        for reader in readers:
            body = b"%d" % len(self.written)
            kept = Entry(
                place.partition, place.question, reader.scope, place.intent, "", body, "m",
                self.now, self.now + life, 1,
            )  # fmt: skip
            self.written[body] = (reader, place, kept.expires)
            self.seen.add(reader)
            assert self.cache.store(Store(kept, VECTORS[0] if similar else None)) is None

    @rule(newcomers=st.lists(READERS, max_size=4), place=PLACES)
    def everybody_reads(self, newcomers: list[Reader], place: Place) -> None:
        for reader in self.seen | set(newcomers):
            hit = self.cache.lookup_exact(LookupExact(place.partition, place.question, reader.scope, self.now))
            found = self.cache.lookup_similar(
                LookupSimilar(VECTORS[0], place.partition, reader.scope, place.intent, self.now, MAX_ENTRIES)
            )
            assert isinstance(found, tuple)
            for body in [near.entry.body for near in found]:
                writer, where, expires = self.written[body]
                assert writer.who == reader.who
                assert (where.partition, where.intent) == (place.partition, place.intent)
                assert expires > self.now
            if hit is not None:
                writer, where, expires = self.written[hit.entry.body]  # type: ignore[union-attr]
                assert writer.who == reader.who
                assert (where.partition, where.question) == (place.partition, place.question)
                assert expires > self.now

    @rule(seconds=st.integers(1, 5))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    @rule()
    def the_expired_are_swept(self) -> None:
        self.cache.sweep(self.now)

    @invariant()
    def the_bound_holds(self) -> None:
        assert self.cache.count() <= MAX_ENTRIES


Isolation.TestCase.settings = settings(
    max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestIsolation = Isolation.TestCase
