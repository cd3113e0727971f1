"""The embedded cache as its callers see it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import costpol
from costpol.cache.edge import EdgeCache, open_cache
from costpol.commands import Entry, Failed, Hit, LookupExact, LookupSimilar, Scope, Store

DIMENSION = 16
NOW = 1_790_000_000.25
TENANT = Scope("tenant", "tenant:acme")


def unit(*numbers: float) -> np.ndarray:
    vector = np.zeros(DIMENSION, dtype=np.float32)
    vector[: len(numbers)] = numbers
    return vector / np.linalg.norm(vector)


def entry(question: str = "q1", **changes: object) -> Entry:
    made = Entry(
        partition="p1",
        question=question,
        scope=TENANT,
        intent="faq",
        text="how do I reset my password?",
        body=b'{"choices":[{"message":{"content":"Click \\u0022forgot\\u0022 \xe2\x9c\x93"}}]}',
        model="gpt-5",
        created=NOW,
        expires=NOW + 3600,
        cost_picodollars=1_234_567_890_123,
        input_tokens=1200,
        output_tokens=80,
        template="faq@3",
        answer_id="a-7",
    )
    return replace(made, **changes)


def exact(of: Entry, now: float = NOW) -> LookupExact:
    return LookupExact(of.partition, of.question, of.scope, now)


def similar(of: Entry, vector: np.ndarray, now: float = NOW, limit: int = 10) -> LookupSimilar:
    return LookupSimilar(vector, of.partition, of.scope, of.intent, now, limit)


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[EdgeCache]:
    opened = open_cache(tmp_path, "static-en@1", DIMENSION)
    yield opened
    opened.close()


def test_an_exact_repeat_reads_back_the_entry_as_it_was_stored(cache: EdgeCache) -> None:
    kept = entry()
    assert cache.lookup_exact(exact(kept)) is None
    assert cache.store(Store(kept, None)) is None
    assert cache.lookup_exact(exact(kept)) == Hit(kept, 1.0)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    body=st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    created=st.floats(min_value=0, max_value=4e9),
    life=st.floats(min_value=1, max_value=1e7),
    cost=st.integers(min_value=0, max_value=2**62),
    answer_id=st.none() | st.text(alphabet=st.characters(exclude_categories=["Cs"])),
)
def test_every_field_survives_to_the_last_bit(  # noqa: PLR0917 - one strategy per field
    cache: EdgeCache, text: str, body: str, created: float, life: float, cost: int, answer_id: str | None
) -> None:
    kept = entry(
        text=text, body=body.encode(), created=created, expires=created + life,
        cost_picodollars=cost, answer_id=answer_id,
    )  # fmt: skip
    assert cache.store(Store(kept, unit(1))) is None
    assert cache.lookup_exact(exact(kept, now=created)) == Hit(kept, 1.0)
    assert cache.lookup_similar(similar(kept, unit(1), now=created)) == (Hit(kept, 1.0),)


def test_similar_entries_come_nearest_first_with_their_cosine(cache: EdgeCache) -> None:
    rng = np.random.default_rng(7)
    vectors = rng.normal(size=(50, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for number, vector in enumerate(vectors):
        cache.store(Store(entry(f"q{number}"), vector))
    asked = unit(1, 2, 3)
    found = cache.lookup_similar(similar(entry(), asked, limit=5))
    assert isinstance(found, tuple)
    cosines = vectors @ asked
    nearest = np.argsort(-cosines)[:5]
    assert [hit.entry.question for hit in found] == [f"q{number}" for number in nearest]
    assert [hit.similarity for hit in found] == pytest.approx(cosines[nearest], abs=1e-6)


def test_an_entry_without_a_vector_is_found_by_its_repeat_only(cache: EdgeCache) -> None:
    cache.store(Store(entry("exact only"), None))
    cache.store(Store(entry("both"), unit(1)))
    found = cache.lookup_similar(similar(entry(), unit(-1)))
    assert isinstance(found, tuple)
    assert [hit.entry.question for hit in found] == ["both"]


def test_storing_again_without_a_vector_takes_the_old_vector_away(cache: EdgeCache) -> None:
    cache.store(Store(entry(body=b"{}"), unit(1)))
    cache.store(Store(entry(body=b"[]"), None))
    assert cache.lookup_similar(similar(entry(), unit(1))) == ()
    assert cache.lookup_exact(exact(entry())) == Hit(entry(body=b"[]"), 1.0)
    assert cache.count() == 1


@pytest.mark.parametrize(
    "other",
    [
        {"scope": Scope("tenant", "tenant:other")},
        {"scope": Scope("global", "global")},
        {"partition": "p2"},
        {"intent": "pricing"},
    ],
)
def test_a_similar_entry_of_another_place_is_not_found(cache: EdgeCache, other: dict[str, object]) -> None:
    cache.store(Store(entry(), unit(1)))
    assert cache.lookup_similar(similar(entry(**other), unit(1))) == ()


@pytest.mark.parametrize("other", [{"scope": Scope("user", "user:acme:u")}, {"partition": "p2"}, {"question": "q2"}])
def test_an_exact_repeat_needs_all_of_the_identity(cache: EdgeCache, other: dict[str, object]) -> None:
    cache.store(Store(entry(), None))
    assert cache.lookup_exact(exact(entry(**other))) is None


def test_identities_that_spell_the_same_do_not_answer_for_each_other(cache: EdgeCache) -> None:
    one, other = entry("b/c", partition="a"), entry("c", partition="a/b")
    assert one.id == other.id
    cache.store(Store(one, None))
    assert cache.lookup_exact(exact(one)) is not None
    assert cache.lookup_exact(exact(other)) is None


def test_an_entry_is_never_served_from_its_expiry_on(cache: EdgeCache) -> None:
    kept = entry()
    cache.store(Store(kept, unit(1)))
    before, at = np.nextafter(kept.expires, 0), kept.expires
    assert cache.lookup_exact(exact(kept, now=before)) is not None
    assert cache.lookup_exact(exact(kept, now=at)) is None
    assert cache.lookup_similar(similar(kept, unit(1), now=at - 0.001)) == (Hit(kept, 1.0),)
    assert cache.lookup_similar(similar(kept, unit(1), now=at)) == ()


def test_expired_entries_do_not_crowd_out_the_living(cache: EdgeCache) -> None:
    for number in range(20):
        cache.store(Store(entry(f"dead{number}", expires=NOW), unit(1)))
    cache.store(Store(entry("alive"), unit(1, 1)))
    found = cache.lookup_similar(similar(entry(), unit(1), limit=3))
    assert isinstance(found, tuple)
    assert [hit.entry.question for hit in found] == ["alive"]


@pytest.mark.parametrize(
    "vector",
    [unit(1)[:5], unit(1) * 2, unit(1) * np.float32("nan"), np.zeros(DIMENSION, dtype=np.float32)],
    ids=["short", "long", "nan", "zero"],
)
def test_a_vector_that_does_not_fit_is_refused_as_a_value(cache: EdgeCache, vector: np.ndarray) -> None:
    assert cache.store(Store(entry(), vector)) == Failed("vector-unfit")
    assert cache.lookup_similar(similar(entry(), vector)) == Failed("vector-unfit")
    assert cache.count() == 0


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"body": b"\xff\xfe"}, "cache-store-failed"),
        ({"text": "half a pair \ud800"}, "cache-store-failed"),
        ({"body": b"x" * (4 * 2**20 + 1)}, "entry-too-large"),
    ],
    ids=["not text", "lone surrogate", "too large"],
)
def test_an_entry_that_cannot_be_kept_is_a_value_and_leaves_nothing(
    cache: EdgeCache, bad: dict[str, object], reason: str
) -> None:
    assert cache.store(Store(entry(**bad), None)) == Failed(reason)
    assert cache.count() == 0
    assert cache.lookup_exact(exact(entry())) is None


def test_a_lone_surrogate_in_a_question_is_a_miss(cache: EdgeCache) -> None:
    assert cache.lookup_exact(exact(entry("\ud800"))) is None
    assert cache.lookup_similar(similar(entry(intent="\ud800"), unit(1))) == ()


def test_a_closed_cache_answers_failures_as_values(tmp_path: Path) -> None:
    cache = open_cache(tmp_path, "e", DIMENSION)
    cache.store(Store(entry(), unit(1)))
    cache.close()
    cache.close()
    assert cache.lookup_exact(exact(entry())) == Failed("cache-lookup-failed")
    assert cache.lookup_similar(similar(entry(), unit(1))) == Failed("cache-lookup-failed")
    assert cache.store(Store(entry(), unit(1))) == Failed("cache-store-failed")


def test_sweep_deletes_the_expired_and_nothing_else(cache: EdgeCache) -> None:
    for number in range(10):
        cache.store(Store(entry(f"q{number}", expires=NOW + number), unit(1)))
    assert cache.sweep(NOW + 4, at_most=2) == 2
    assert cache.sweep(NOW + 4) == 3
    assert cache.sweep(NOW + 4) == 0
    assert cache.count() == 5
    found = cache.lookup_similar(similar(entry(), unit(1), now=0.0, limit=20))
    assert isinstance(found, tuple)
    assert sorted(hit.entry.question for hit in found) == ["q5", "q6", "q7", "q8", "q9"]


def test_a_full_store_gives_up_the_expired_then_the_least_valuable(tmp_path: Path) -> None:
    cache = open_cache(tmp_path, "e", DIMENSION, max_entries=4)
    cheap, dear, served = entry("cheap", cost_picodollars=2), entry("dear", cost_picodollars=9), entry("served")
    served = replace(served, cost_picodollars=1)
    expired = entry("expired", expires=NOW - 1, cost_picodollars=10**12)
    for kept in (cheap, dear, served, expired):
        cache.store(Store(kept, None))
    for _ in range(5):
        cache.credit(served)
    cache.store(Store(entry("next", cost_picodollars=5), None))
    assert cache.lookup_exact(exact(expired, now=0.0)) is None
    assert cache.count() == 4
    cache.store(Store(entry("after", cost_picodollars=5), None))
    assert cache.lookup_exact(exact(cheap)) is None
    assert cache.lookup_exact(exact(dear)) is not None
    assert cache.lookup_exact(exact(served)) is not None
    cache.close()


def test_the_bound_holds_whatever_is_stored(tmp_path: Path) -> None:
    cache = open_cache(tmp_path, "e", DIMENSION, max_entries=100)
    for number in range(350):
        assert cache.store(Store(entry(f"q{number}", cost_picodollars=number), unit(1, number))) is None
        assert cache.count() <= 100
    found = cache.lookup_similar(similar(entry(), unit(1), limit=500))
    assert isinstance(found, tuple)
    assert len(found) == cache.count()
    cache.close()


def test_a_lowered_bound_takes_effect_with_the_next_answer(cache: EdgeCache) -> None:
    for number in range(30):
        cache.store(Store(entry(f"q{number}"), None))
    cache.max_entries = 10
    cache.store(Store(entry("next"), None))
    assert cache.count() == 10


def test_purge_deletes_what_was_named(cache: EdgeCache) -> None:
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


def test_purge_tells_tags_scopes_and_tenants_apart(cache: EdgeCache) -> None:
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


def test_an_entry_is_found_and_deleted_by_its_reference(cache: EdgeCache) -> None:
    kept = entry()
    cache.store(Store(kept, None))
    assert cache.find(kept.reference) == kept
    assert cache.find(entry("other").reference) is None
    assert cache.purge(id=kept.reference) == 1
    assert cache.find(kept.reference) is None


def test_tags_and_scopes_survive_a_restart(tmp_path: Path) -> None:
    cache = open_cache(tmp_path, "static-en", DIMENSION)
    cache.store(Store(entry(tags=("prices",)), None))
    cache.close()
    reopened = open_cache(tmp_path, "static-en", DIMENSION)
    assert reopened.purge(tag="prices", scope=TENANT.key) == 1
    reopened.close()


def test_stats_tell_what_each_intent_holds(cache: EdgeCache) -> None:
    cache.store(Store(entry("a", cost_picodollars=3, expires=NOW + 1), None))
    cache.store(Store(entry("b", cost_picodollars=4), None))
    cache.store(Store(entry("c", intent="pricing", body=b"x" * 5000), None))
    cache.credit(entry("b"))
    faq, pricing = cache.stats(NOW + 2)
    assert (faq.intent, faq.entries, faq.expired, faq.cost_picodollars, faq.hits) == ("faq", 2, 1, 7, 1)
    assert (pricing.intent, pricing.entries, pricing.hits) == ("pricing", 1, 0)
    assert 5000 <= pricing.size < 6000


def test_a_damaged_body_reads_as_a_miss(tmp_path: Path) -> None:
    cache = open_cache(tmp_path, "e", DIMENSION)
    kept = entry(body=b'{"answer":"' + bytes(range(97, 123)) * 20 + b'"}')
    cache.store(Store(kept, unit(1)))
    cache.close()
    assert _flip_in_payloads(tmp_path, b"abcdefghijklm", b"XXcdefghijklm") > 0
    cache = open_cache(tmp_path, "e", DIMENSION)
    assert cache.lookup_exact(exact(kept)) is None
    assert cache.lookup_similar(similar(kept, unit(1))) == ()
    cache.close()


def _flip_in_payloads(directory: Path, old: bytes, new: bytes) -> int:
    """Damage stored bodies where the engine keeps them, and say how often."""
    count = 0
    for page in directory.glob("*/shard-*/segments/*/payload_storage/page_*.dat"):
        content = page.read_bytes()
        count += content.count(old)
        page.write_bytes(content.replace(old, new))
    return count


def test_entries_outlive_the_process(tmp_path: Path) -> None:
    cache = open_cache(tmp_path, "e", DIMENSION)
    for number in range(1100):  # more than one page of the walk at opening
        cache.store(Store(entry(f"q{number}"), unit(1, number / 1000)))
    cache.close()
    cache = open_cache(tmp_path, "e", DIMENSION)
    assert cache.count() == 1100
    assert cache.lookup_exact(exact(entry("q1099"))) == Hit(entry("q1099"), 1.0)
    found = cache.lookup_similar(similar(entry(), unit(1, 0.5), limit=1))
    assert isinstance(found, tuple)
    assert found[0].entry.question == "q500"
    assert cache.sweep(NOW + 1e6) == 1100
    cache.close()


@pytest.mark.parametrize("renewing", ["", "renewing"])
def test_a_killed_process_loses_no_acknowledged_entry_and_leaves_no_torn_one(tmp_path: Path, renewing: str) -> None:
    writer = textwrap.dedent(
        """
        import sys, numpy as np
        from costpol.cache.edge import open_cache
        from costpol.commands import Entry, Scope, Store
        from pathlib import Path
        cache = open_cache(Path(sys.argv[1]), "e", 16)
        rng = np.random.default_rng(0)
        for n in range(100_000):
            v = rng.normal(size=16).astype(np.float32)
            e = Entry("p", f"q{n}", Scope("global", "global"), "faq", "t", (f"answer {n} " * 50).encode(), "m",
                      0.0, 1e9, 1)
            assert cache.store(Store(e, v / np.linalg.norm(v) if n % 3 else None)) is None
            print(n, flush=True)
            if sys.argv[2]:  # move to a fresh shard again and again
                if n % 100 == 0:
                    cache.slack = -2**40
                    cache.flush()
                if n % 5 == 0:
                    cache.sweep(1.0)
        """
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(costpol.__file__).parent.parent)}
    acknowledged = -1
    for kill_after in (40, 700, 1300):
        place = tmp_path / str(kill_after)
        process = subprocess.Popen(
            [sys.executable, "-c", writer, str(place), renewing], stdout=subprocess.PIPE, text=True, env=environment
        )
        assert process.stdout is not None
        for line in process.stdout:
            acknowledged = int(line)
            if acknowledged == kill_after:
                os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert acknowledged >= kill_after
        cache = open_cache(place, "e", DIMENSION)  # the lock went with its holder
        assert acknowledged + 1 <= cache.count() <= acknowledged + 2
        for n in range(acknowledged + 1):
            hit = cache.lookup_exact(LookupExact("p", f"q{n}", Scope("global", "global"), 1.0))
            assert isinstance(hit, Hit)
            assert hit.entry.body == (f"answer {n} " * 50).encode()
        cache.close()


def test_a_disk_without_room_is_told_once_and_so_is_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cache = open_cache(tmp_path, "e/1/16", DIMENSION)
    real = os.statvfs(tmp_path)
    for _ in range(2):
        with monkeypatch.context() as full:
            full.setattr("os.statvfs", lambda path: os.statvfs_result((*real[:4], 0, *real[5:])))
            for number in range(3):
                assert cache.store(Store(entry(f"q{number}"), unit(1))) == Failed("cache-store-failed")
            assert cache.trouble is not None
            assert "16 MiB must stay free" in cache.trouble
        assert cache.store(Store(entry(), unit(1))) is None
        assert cache.trouble is None
    assert len(caplog.records) == 4
    with monkeypatch.context() as full:
        full.setattr("os.statvfs", lambda path: os.statvfs_result((*real[:4], 0, *real[5:])))
        cache.store(Store(entry("q9"), unit(1)))
    cache.sweep(NOW)
    assert cache.trouble is None, "upkeep finds room again without waiting for an answer to keep"
    cache.close()
