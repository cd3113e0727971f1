from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpol.errors import UsageError
from costpol.inference.caller import ANONYMOUS, Caller
from costpol.pipeline.arrival import CacheWish
from costpol.proxy.identity import Denied, Identities, read_deadline, read_identities, read_wish

KEY = "ck-acme-1"


def digest(key: str = KEY) -> str:
    return sha256(key.encode()).hexdigest()


def callers(*lines: str) -> Identities:
    return read_identities("\n".join(["callers:", *lines]).encode(), "callers.yaml")


def bearer(key: str) -> dict[bytes, bytes]:
    return {b"authorization": b"Bearer " + key.encode()}


def test_without_callers_every_part_may_be_named() -> None:
    headers = {f"x-costpol-{part}".encode(): part.upper().encode() for part in Caller.__slots__}
    assert Identities().caller(headers) == Caller("TENANT", "USER", "AGENT", "SESSION", "STAGE")
    assert Identities().caller({}) == ANONYMOUS


def test_a_name_may_be_any_printable_text() -> None:
    assert Identities().caller({b"x-costpol-user": "Zoë 东".encode()}) == Caller(user="Zoë 东")


@pytest.mark.parametrize("name", [b"", b"   ", b"a\tb", b"\xff", b"x" * 129, "a\u2028b".encode()])
def test_what_cannot_be_a_name_is_refused(name: bytes) -> None:
    denied = Identities().caller({b"x-costpol-tenant": name})
    assert isinstance(denied, Denied)
    assert denied.status == 400


def test_the_key_decides_who_asks() -> None:
    identities = callers(f"  - {{key_sha256: {digest()}, tenant: acme, agent: reports}}")
    assert identities.caller(bearer(KEY)) == Caller("acme", agent="reports")
    assert identities.caller(bearer(KEY) | {b"x-costpol-tenant": b"other"}) == Caller("acme", agent="reports")


@pytest.mark.parametrize("headers", [{}, bearer("wrong"), bearer(""), {b"authorization": b"Basic " + KEY.encode()}])
def test_a_key_that_nobody_has_is_refused(headers: dict[bytes, bytes]) -> None:
    denied = callers(f"  - {{key_sha256: {digest()}, tenant: acme}}").caller(headers)
    assert isinstance(denied, Denied)
    assert (denied.status, denied.code) == (401, "invalid_api_key")


def test_a_caller_may_say_only_what_it_may_say() -> None:
    identities = callers(f"  - {{key_sha256: {digest()}, tenant: acme, may_name: [user]}}")
    named = identities.caller(bearer(KEY) | {b"x-costpol-user": b"ann", b"x-costpol-agent": b"spy"})
    assert named == Caller("acme", "ann")


def test_administrators_are_those_declared() -> None:
    identities = callers(
        f"  - {{key_sha256: {digest()}, tenant: acme}}",
        f"  - {{key_sha256: {digest('root')}, tenant: ops, admin: true}}",
    )
    assert identities.is_admin(bearer("root"))
    assert not identities.is_admin(bearer(KEY))
    assert not Identities().is_admin(bearer("root"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("callers: [", "callers.yaml:2"),
        ("", "callers.yaml"),
        ("callers:\n  - {tenant: a}", "key_sha256"),
        ("callers:\n  - {key_sha256: ab, tenant: a}", "caller 1 has no SHA-256 digest"),
        (f"callers:\n  - {{key_sha256: {digest()}, tenant: a, tennant: b}}", "tennant"),
        (f"callers:\n  - {{key_sha256: {digest()}, tenant: a}}\n  - {{key_sha256: {digest()}, tenant: b}}", "caller 2"),
        (f"callers:\n  - {{key_sha256: {digest()}, tenant: a, may_name: [tenant]}}", "may_name"),
        (f"callers:\n  - {{key_sha256: {digest()}, tenant: 7}}", "a number"),
        (f"callers:\n  - {{key_sha256: {digest()}, tenant: ''}}", "empty"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read_identities(text.encode(), "callers.yaml")


@pytest.mark.parametrize(("text", "seconds"), [(b"6h", 21600), (b"90", 90), (b"1.5", 1.5), (b"250ms", 0.25)])
def test_a_deadline_is_a_duration_or_seconds(text: bytes, seconds: float) -> None:
    assert read_deadline({b"x-costpol-deadline": text}) == seconds


@given(st.binary(max_size=12))
def test_any_other_deadline_is_refused_not_guessed(text: bytes) -> None:
    read = read_deadline({b"x-costpol-deadline": text})
    assert isinstance(read, Denied) or (read is not None and 0 < read <= 31 * 86400)


def test_no_deadline_is_none() -> None:
    assert read_deadline({}) is None


def test_a_wish_of_the_cache_is_read() -> None:
    wish = read_wish({b"x-costpol-cache": b"No-Store, only-if-cached,max-age=60"})
    assert wish == CacheWish(no_store=True, only_if_cached=True, max_age=60.0)
    assert read_wish({}) == CacheWish()


def test_of_two_ages_the_shorter_counts() -> None:
    for text in (b"max-age=0, max-age=100", b"max-age=100, max-age=0"):
        assert read_wish({b"x-costpol-cache": text}) == CacheWish(max_age=0.0)


@pytest.mark.parametrize(
    "text", [b"", b"public", b"max-age", b"max-age=-1", b"max-age=1e9", b"no-store=1", b"threshold=0"]
)
def test_a_wish_that_is_not_understood_is_refused(text: bytes) -> None:
    assert isinstance(read_wish({b"x-costpol-cache": text}), Denied)
