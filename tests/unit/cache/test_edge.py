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


def test_a_closed_cache_answers_failures_as_values(tmp_path: Path) -> None:
    cache = open_cache(tmp_path, "e", DIMENSION)
    cache.store(Store(entry(), unit(1)))
    cache.close()
    cache.close()
    assert cache.lookup_exact(exact(entry())) == Failed("cache-lookup-failed")
    assert cache.lookup_similar(similar(entry(), unit(1))) == Failed("cache-lookup-failed")
    assert cache.store(Store(entry(), unit(1))) == Failed("cache-store-failed")


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


def test_tags_and_scopes_survive_a_restart(tmp_path: Path) -> None:
    cache = open_cache(tmp_path, "static-en", DIMENSION)
    cache.store(Store(entry(tags=("prices",)), None))
    cache.close()
    reopened = open_cache(tmp_path, "static-en", DIMENSION)
    assert reopened.purge(tag="prices", scope=TENANT.key) == 1
    reopened.close()


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
