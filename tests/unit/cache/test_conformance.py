"""What every answer store does alike: the embedded one, a Qdrant collection in memory, and one on a server.

Set `COSTPOL_TEST_QDRANT_URL` (and `COSTPOL_TEST_QDRANT_KEY`) to have the suite run against a server, too. It makes
collections whose names begin with `costpol-test-` and deletes them.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costpol.cache.connection import Connection, open_client
from costpol.cache.edge import EdgeCache, open_cache
from costpol.cache.qdrant import QdrantCache
from costpol.cache.record import pack, point_id
from costpol.commands import Entry, Failed, Hit, LookupExact, LookupSimilar, Scope, Store
from costpol.errors import ProvisionError
from costpol.inference.caller import Caller
from costpol.pipeline.caching import scope_for

DIMENSION = 8
NOW = 1_790_000_000.25
TENANT = Scope("tenant", "tenant:acme")
pytestmark = [
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning"),  # in memory
    pytest.mark.filterwarnings("ignore:Local mode performs exact:UserWarning"),
]
SERVER = os.environ.get("COSTPOL_TEST_QDRANT_URL")


class Asked:
    """A store whose every answer is waited for, be it given at once or later."""

    def __init__(self, store: Any, runner: asyncio.Runner) -> None:
        self.asked = store
        self._runner = runner

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            answer = getattr(self.asked, name)(*arguments, **named)
            return self._runner.run(_wait(answer)) if inspect.isawaitable(answer) else answer

        return call


async def _wait(answer: Any) -> Any:
    return await answer


class EdgeBackend:
    """Opens embedded caches of one folder."""

    def __init__(self, folder: Path, runner: asyncio.Runner) -> None:
        self.folder, self.runner = folder, runner
        self.opened: list[Asked] = []

    def open(self, dimension: int = DIMENSION, max_entries: int = 1000, quantized: bool = False) -> Asked:
        opened = open_cache(self.folder, "e/1", dimension, max_entries, quantized)
        self.opened.append(Asked(opened, self.runner))
        return self.opened[-1]

    def write(self, asked: Asked, id: str, vector: Any, payload: dict[str, Any]) -> None:
        cache: EdgeCache = asked.asked
        cache._collection.shard.put([(id, vector, payload)])

    def close(self) -> None:
        for each in self.opened:
            each.close()


class QdrantBackend:
    """Opens caches of one server, which another process could be using as well."""

    def __init__(self, client: Any, connection: Connection, runner: asyncio.Runner) -> None:
        self.client, self.connection, self.runner = client, connection, runner
        self.names: set[str] = set()

    def open(self, dimension: int = DIMENSION, max_entries: int = 1000, quantized: bool = False) -> Asked:
        connection = replace(self.connection, quantized=quantized)
        store = QdrantCache(self.client, connection, "e/1", dimension, max_entries)
        self.names.add(store.name)
        asked = Asked(store, self.runner)
        asked.prepare()
        return asked

    def write(self, asked: Asked, id: str, vector: Any, payload: dict[str, Any]) -> None:
        from qdrant_client.models import PointStruct

        point = PointStruct(id=id, vector={} if vector is None else {"text": vector.tolist()}, payload=payload)
        self.runner.run(self.client.upsert(asked.asked.name, [point], wait=True))

    def close(self) -> None:
        for name in self.names:
            self.runner.run(self.client.delete_collection(name))
        self.runner.run(self.client.close())


def _open_backend(kind: str, folder: Path, runner: asyncio.Runner) -> Any:
    if kind == "edge":
        return EdgeBackend(folder, runner)
    qdrant_client = pytest.importorskip("qdrant_client")
    if kind == "memory":
        connection = Connection("http://memory", timeout=30.0)
        return QdrantBackend(qdrant_client.AsyncQdrantClient(":memory:"), connection, runner)
    if SERVER is None:
        pytest.skip("COSTPOL_TEST_QDRANT_URL is not set")
    connection = Connection(
        SERVER, os.environ.get("COSTPOL_TEST_QDRANT_KEY"), f"costpol-test-{uuid.uuid4().hex[:12]}", timeout=30.0
    )
    return QdrantBackend(open_client(connection), connection, runner)


@pytest.fixture(params=["edge", "memory", "server"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    with asyncio.Runner() as runner:
        opened = _open_backend(request.param, tmp_path, runner)
        yield opened
        opened.close()


def unit(*numbers: float) -> np.ndarray:
    vector = np.zeros(DIMENSION, dtype=np.float32)
    vector[: len(numbers)] = numbers
    return vector / np.linalg.norm(vector)


def entry(question: str = "q1", **changes: Any) -> Entry:
    made = Entry(
        partition="p1", question=question, scope=TENANT, intent="faq", text="how do I reset my password?",
        body=b'{"choices":[{"message":{"content":"Click \\u0022forgot\\u0022 \xe2\x9c\x93"}}]}', model="gpt-5",
        created=NOW, expires=NOW + 3600, cost_picodollars=1_234_567_890_123, input_tokens=1200, output_tokens=80,
        template="faq@3", answer_id="a-7",
    )  # fmt: skip
    return replace(made, **changes)


def exact(of: Entry, now: float = NOW) -> LookupExact:
    return LookupExact(of.partition, of.question, of.scope, now)


def similar(of: Entry, vector: np.ndarray, now: float = NOW, limit: int = 10) -> LookupSimilar:
    return LookupSimilar(vector, of.partition, of.scope, of.intent, now, limit)


def questions(found: Any) -> list[str]:
    assert isinstance(found, tuple), found
    return [hit.entry.question for hit in found]


def test_an_answer_reads_back_as_it_was_stored(backend: Any) -> None:
    cache, kept = backend.open(), entry()
    assert cache.lookup_exact(exact(kept)) is None
    assert cache.store(Store(kept, unit(1))) is None
    assert cache.lookup_exact(exact(kept)) == Hit(kept, 1.0)
    (hit,) = cache.lookup_similar(similar(kept, unit(1)))
    assert hit.entry == kept
    assert hit.similarity == pytest.approx(1.0, abs=1e-6)
    assert hit.similarity <= 1.0


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    created=st.floats(min_value=0, max_value=4e9),
    life=st.floats(min_value=1, max_value=1e7),
    cost=st.integers(min_value=0, max_value=2**62),
    answer_id=st.none() | st.text(alphabet=st.characters(exclude_categories=["Cs"])),
)
def test_every_field_survives_to_the_last_bit(  # noqa: PLR0917 - one strategy per field
    backend: Any, text: str, created: float, life: float, cost: int, answer_id: str | None
) -> None:
    cache = _once(backend)
    kept = entry(
        text=text, body=text.encode(), created=created, expires=created + life, cost_picodollars=cost,
        answer_id=answer_id,
    )  # fmt: skip
    assert cache.store(Store(kept, unit(1))) is None
    assert cache.lookup_exact(exact(kept, now=created)) == Hit(kept, 1.0)
    assert [hit.entry for hit in cache.lookup_similar(similar(kept, unit(1), now=created))] == [kept]


def _once(backend: Any) -> Asked:
    """The same open cache for every example."""
    if not hasattr(backend, "kept_open"):
        backend.kept_open = backend.open()
    kept: Asked = backend.kept_open
    return kept


def test_similar_entries_come_nearest_first_with_their_cosine(backend: Any) -> None:
    cache = backend.open()
    rng = np.random.default_rng(7)
    vectors = rng.normal(size=(30, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for number, vector in enumerate(vectors):
        cache.store(Store(entry(f"q{number}"), vector))
    asked = unit(1, 2, 3)
    found = cache.lookup_similar(similar(entry(), asked, limit=5))
    nearest = np.argsort(-(vectors @ asked))[:5]
    assert questions(found) == [f"q{number}" for number in nearest]
    assert [hit.similarity for hit in found] == pytest.approx((vectors @ asked)[nearest], abs=1e-5)


def test_vectors_kept_as_small_numbers_find_the_same_nearest(backend: Any) -> None:
    cache = backend.open(quantized=True)
    for number in range(12):
        cache.store(Store(entry(f"q{number}"), unit(1, number)))
    found = cache.lookup_similar(similar(entry(), unit(1, 5), limit=3))
    assert questions(found)[0] == "q5"
    assert found[0].similarity == pytest.approx(1.0, abs=2e-3)


def test_an_entry_without_a_vector_is_found_by_its_repeat_only(backend: Any) -> None:
    cache = backend.open()
    cache.store(Store(entry("exact only"), None))
    cache.store(Store(entry("both"), unit(1)))
    assert questions(cache.lookup_similar(similar(entry(), unit(-1)))) == ["both"]
    assert cache.lookup_exact(exact(entry("exact only"))) is not None


def test_an_answer_replaces_the_one_of_the_same_identity(backend: Any) -> None:
    cache = backend.open()
    cache.store(Store(entry(body=b"{}"), unit(1)))
    cache.store(Store(entry(body=b"[]"), None))
    assert cache.count() == 1
    assert cache.lookup_exact(exact(entry())) == Hit(entry(body=b"[]"), 1.0)
    assert cache.lookup_similar(similar(entry(), unit(1))) == (), "the vector went with the answer it belonged to"


def test_what_was_found_before_is_not_found_once_it_is_replaced_expired_or_taken_back(backend: Any) -> None:
    cache = backend.open()
    for body in (b"{}", b"[]"):
        cache.store(Store(entry(body=body), unit(1)))
        for _ in range(2):
            assert cache.lookup_similar(similar(entry(), unit(1))) == (Hit(entry(body=body), pytest.approx(1.0)),)
    assert cache.lookup_similar(similar(entry(), unit(1), now=entry().expires)) == ()
    assert cache.purge(everything=True) == 1
    assert cache.lookup_similar(similar(entry(), unit(1))) == ()


@pytest.mark.parametrize(
    "other",
    [{"scope": Scope("tenant", "tenant:other")}, {"scope": Scope("global", "global")}, {"partition": "p2"},
     {"intent": "pricing"}],
)  # fmt: skip
def test_a_similar_entry_of_another_place_is_not_found(backend: Any, other: dict[str, object]) -> None:
    cache = backend.open()
    cache.store(Store(entry(), unit(1)))
    assert cache.lookup_similar(similar(entry(**other), unit(1))) == ()


@pytest.mark.parametrize("other", [{"scope": Scope("user", "user:acme:u")}, {"partition": "p2"}, {"question": "q2"}])
def test_an_exact_repeat_needs_all_of_the_identity(backend: Any, other: dict[str, object]) -> None:
    cache = backend.open()
    cache.store(Store(entry(), None))
    assert cache.lookup_exact(exact(entry(**other))) is None


def test_identities_that_spell_the_same_do_not_answer_for_each_other(backend: Any) -> None:
    cache, one, other = backend.open(), entry("b/c", partition="a"), entry("c", partition="a/b")
    cache.store(Store(one, None))
    assert cache.lookup_exact(exact(one)) is not None
    assert cache.lookup_exact(exact(other)) is None


NAMES = ["", "-", "a", "a:b", ":", "a:", "%3A", "a/b", "A", "a\u0301", "\u00e1", "a\0", "global", "tenant:a", "*", "😀"]
CALLERS = st.builds(
    lambda kind, tenant, user: (
        (kind, tenant, user if kind == "user" else None), scope_for(kind, Caller(tenant, user))
    ),
    st.sampled_from(["tenant", "user"]), st.sampled_from(NAMES), st.sampled_from(NAMES),
).filter(lambda caller: caller[1] is not None)  # fmt: skip


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(writers=st.lists(CALLERS, min_size=1, max_size=4), readers=st.lists(CALLERS, min_size=1, max_size=4))
def test_nobody_reads_what_was_written_in_another_scope(
    backend: Any, writers: list[tuple[object, Scope]], readers: list[tuple[object, Scope]]
) -> None:
    cache = _once(backend)
    cache.purge(everything=True)
    for number, (_, scope) in enumerate(writers):
        assert cache.store(Store(entry(scope=scope, body=b"%d" % number), unit(1))) is None
    for who, scope in [*writers, *readers]:
        hit = cache.lookup_exact(exact(entry(scope=scope)))
        near = cache.lookup_similar(similar(entry(scope=scope), unit(1)))
        seen = {one.entry.body for one in (*near, *([hit] if hit else []))}
        own = [number for number, (writer, _) in enumerate(writers) if writer == who]
        assert seen == ({b"%d" % own[-1]} if own else set())


def test_an_entry_is_never_served_from_its_expiry_on(backend: Any) -> None:
    cache, kept = backend.open(), entry()
    cache.store(Store(kept, unit(1)))
    assert cache.lookup_exact(exact(kept, now=float(np.nextafter(kept.expires, 0)))) is not None
    assert cache.lookup_exact(exact(kept, now=kept.expires)) is None
    assert questions(cache.lookup_similar(similar(kept, unit(1), now=kept.expires - 0.001))) == ["q1"]
    assert cache.lookup_similar(similar(kept, unit(1), now=kept.expires)) == ()


def test_expired_entries_do_not_crowd_out_the_living(backend: Any) -> None:
    cache = backend.open()
    for number in range(10):
        cache.store(Store(entry(f"dead{number}", expires=NOW), unit(1)))
    cache.store(Store(entry("alive"), unit(1, 1)))
    assert questions(cache.lookup_similar(similar(entry(), unit(1), limit=3))) == ["alive"]


@pytest.mark.parametrize(
    "vector",
    [unit(1)[:5], unit(1) * 2, unit(1) * np.float32("nan"), np.zeros(DIMENSION, dtype=np.float32)],
    ids=["short", "long", "nan", "zero"],
)
def test_a_vector_that_does_not_fit_is_refused_as_a_value(backend: Any, vector: np.ndarray) -> None:
    cache = backend.open()
    assert cache.store(Store(entry(), vector)) == Failed("vector-unfit")
    assert cache.lookup_similar(similar(entry(), vector)) == Failed("vector-unfit")
    assert cache.count() == 0


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"body": b"\xff\xfe"}, "cache-store-failed"),
        ({"text": "half a pair \ud800"}, "cache-store-failed"),
        ({"answer_id": "\ud800"}, "cache-store-failed"),
        ({"body": b"x" * (4 * 2**20 + 1)}, "entry-too-large"),
    ],
    ids=["not text", "lone surrogate", "lone surrogate in a name", "too large"],
)
def test_an_entry_that_cannot_be_kept_is_a_value_and_leaves_nothing(
    backend: Any, bad: dict[str, object], reason: str
) -> None:
    cache = backend.open()
    assert cache.store(Store(entry(**bad), None)) == Failed(reason)
    assert cache.count() == 0
    assert cache.lookup_exact(exact(entry())) is None


def test_half_a_pair_in_a_lookup_is_a_miss(backend: Any) -> None:
    cache = backend.open()
    odd = Scope("tenant", "\ud800")
    assert cache.lookup_exact(exact(entry("\ud800", scope=odd))) is None
    assert cache.lookup_similar(similar(entry(intent="\ud800"), unit(1))) == ()
    assert cache.lookup_similar(similar(entry(scope=odd), unit(1))) == ()


def test_sweep_deletes_the_expired_and_nothing_else(backend: Any) -> None:
    cache = backend.open()
    for number in range(10):
        cache.store(Store(entry(f"q{number}", expires=NOW + number), unit(1)))
    assert cache.sweep(NOW + 4, at_most=2) == 2
    assert cache.sweep(NOW + 4) == 3
    assert cache.sweep(NOW + 4) == 0
    left = cache.lookup_similar(similar(entry(), unit(1), now=0.0, limit=20))
    assert sorted(questions(left)) == ["q5", "q6", "q7", "q8", "q9"]


def test_a_full_store_gives_up_the_expired_then_the_least_valuable(backend: Any) -> None:
    cache = backend.open(max_entries=4)
    cheap, dear = entry("cheap", cost_picodollars=2), entry("dear", cost_picodollars=9)
    served = entry("served", cost_picodollars=1)
    for kept in (cheap, dear, served):
        cache.store(Store(kept, None))
    for _ in range(9):
        cache.credit(served)
    cache.sweep(NOW)
    for kept in (entry("expired", expires=NOW + 1, cost_picodollars=10**12), entry("next", cost_picodollars=8)):
        cache.store(Store(kept, None))
        cache.sweep(NOW)
    cache.store(Store(entry("last", cost_picodollars=7, created=NOW + 2), None))
    for _ in range(3):  # a server is brought back to its bound over some sweeps
        cache.sweep(NOW + 2)
    assert cache.count() == 4
    kept_now = {name for name in ("cheap", "dear", "served", "next", "last") if cache.lookup_exact(exact(entry(name)))}
    assert kept_now == {"dear", "served", "next", "last"}


def test_the_bound_is_kept_by_sweeping(backend: Any) -> None:
    cache = backend.open(max_entries=20)
    for number in range(60):
        assert cache.store(Store(entry(f"q{number}", cost_picodollars=number + 1), unit(1, number))) is None
    for _ in range(8):
        cache.sweep(NOW)
    assert 15 <= cache.count() <= 20
    assert cache.lookup_exact(exact(entry("q59"))) is not None
    assert cache.lookup_exact(exact(entry("q0"))) is None


def test_purge_deletes_what_was_named(backend: Any) -> None:
    cache = backend.open()
    for number, (intent, template) in enumerate(
        [("faq", "faq@1"), ("faq", "faq@2"), ("pricing", "faq@2"), ("pricing", "price@1"), ("pricing", "")]
    ):
        cache.store(Store(entry(f"q{number}", intent=intent, template=template), unit(1)))
    assert cache.purge() == 0
    assert cache.purge(id="p1/none/tenant:acme") == 0
    assert cache.purge(intent="faq", template="faq@2") == 1
    assert cache.purge(template="faq") == 2
    assert cache.purge(id=entry("q3").id) == 1
    assert cache.lookup_exact(exact(entry("q4"))) is not None
    assert cache.purge(intent="pricing") == 1
    cache.store(Store(entry(), None))
    assert cache.purge(everything=True) == 1
    assert cache.count() == 0


def test_purge_tells_tags_scopes_and_tenants_apart(backend: Any) -> None:
    cache = backend.open()
    scopes = ("tenant:acme", "user:acme:ann", "tenant:acme2", "global")
    for number, key in enumerate(scopes):
        tags = ("prices", "terms") if number % 2 else ("terms",)
        cache.store(Store(entry(f"q{number}", scope=Scope(key.partition(":")[0], key), tags=tags), None))
    assert cache.purge(tenant="acme", dry_run=True) == 2
    assert cache.purge(scope="tenant:acme", dry_run=True) == 1
    assert cache.purge(tag="terms", dry_run=True) == cache.count() == 4
    assert cache.purge(tag="prices", tenant="acme") == 1
    assert cache.purge(tag="prices") == 1
    assert cache.purge(tenant="acme") == 1
    assert cache.purge(tenant="acme2") == 1
    assert cache.count() == 0


def test_an_entry_is_found_and_deleted_by_its_reference(backend: Any) -> None:
    cache, kept = backend.open(), entry()
    cache.store(Store(kept, None))
    assert cache.find(kept.reference) == kept
    assert cache.find(entry("other").reference) is None
    assert cache.purge(id=kept.reference) == 1
    assert cache.find(kept.reference) is None


def test_stats_tell_what_each_intent_holds(backend: Any) -> None:
    cache = backend.open()
    cache.store(Store(entry("a", cost_picodollars=3, expires=NOW + 1), None))
    cache.store(Store(entry("b", cost_picodollars=4), None))
    cache.store(Store(entry("c", intent="pricing", body=b"x" * 5000), None))
    cache.credit(entry("b"))
    cache.credit(entry("gone"))
    cache.sweep(NOW)
    faq, pricing = cache.stats(NOW + 2)
    assert (faq.intent, faq.entries, faq.expired, faq.cost_picodollars, faq.hits) == ("faq", 2, 1, 7, 1)
    assert (pricing.intent, pricing.entries, pricing.hits) == ("pricing", 1, 0)
    assert 5000 <= pricing.size < 6000


@pytest.mark.parametrize(
    "damage",
    [
        {"body": "another answer"},
        {"body": None},
        {"check": "x"},
        {"scope": None},
        {"scope": "tenant:other"},
        {"scope_kind": 3},
        {"partition": "p2"},
        {"intent": ["faq"]},
        {"text": 5},
        {"model": None},
        {"cost": "dear"},
        {"cost": True},
        {"created": "yesterday"},
        {"expires": "nan"},
        {"expires": "inf"},
        {"input_tokens": "many"},
        {"answer_id": 7},
        {"template": None},
        {"tags": "faq"},
        {"tags": [1]},
    ],
    ids=str,
)
def test_a_damaged_entry_is_not_there(backend: Any, damage: dict[str, Any]) -> None:
    cache, kept = backend.open(), entry()
    backend.write(cache, point_id(kept.id), unit(1), pack(kept) | damage)
    assert cache.lookup_exact(exact(kept)) is None
    assert cache.lookup_similar(similar(kept, unit(1))) == ()


def test_an_entry_that_lacks_a_field_is_not_there(backend: Any) -> None:
    cache, kept = backend.open(), entry()
    for missing in ("body", "check", "partition", "scope", "expires", "cost"):
        payload = pack(kept)
        del payload[missing]
        backend.write(cache, point_id(kept.id), unit(1), payload)
        assert cache.lookup_exact(exact(kept)) is None
        assert cache.lookup_similar(similar(kept, unit(1))) == ()


def test_fields_of_a_later_version_do_no_harm(backend: Any) -> None:
    cache, kept = backend.open(), entry()
    backend.write(cache, point_id(kept.id), unit(1), pack(kept) | {"mood": "sunny", "later": {"and": [1, None]}})
    (hit,) = cache.lookup_similar(similar(kept, unit(1)))
    assert hit.entry == kept


def test_what_was_stored_is_there_when_it_is_opened_again(backend: Any) -> None:
    first = backend.open()
    first.store(Store(entry(), unit(1)))
    if isinstance(backend, EdgeBackend):
        first.close()  # it serves one at a time
    again = backend.open()
    (hit,) = again.lookup_similar(similar(entry(), unit(1)))
    assert hit.entry == entry()
    assert again.count() == 1


def test_another_dimension_is_refused_with_what_to_do(backend: Any) -> None:
    first = backend.open()
    if isinstance(backend, EdgeBackend):
        first.close()
    with pytest.raises(ProvisionError) as refused:
        backend.open(dimension=DIMENSION + 1)
    assert f"{DIMENSION} dimensions" in refused.value.message
    assert refused.value.help
    assert backend.open().count() == 0, "what is there is left as it is"


def test_a_closed_store_answers_failures_as_values(backend: Any) -> None:
    cache = backend.open()
    cache.store(Store(entry(), unit(1)))
    if isinstance(backend, QdrantBackend):
        cache.asked._closed = True  # the client is closed with the backend, which still has to tidy up
    else:
        cache.close()
        cache.close()
    assert isinstance(cache.lookup_exact(exact(entry())), Failed)
    assert isinstance(cache.lookup_similar(similar(entry(), unit(1))), Failed)
    assert isinstance(cache.store(Store(entry(), unit(1))), Failed)
