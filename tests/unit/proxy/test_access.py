from __future__ import annotations

from hashlib import sha256

import pytest

from costpol.proxy.access import Access, is_loopback_name
from costpol.proxy.identity import Identities, read_identities

LOCAL = Access(Identities(), local=True)
OPEN = Access(
    read_identities(
        f"callers: [{{key_sha256: {sha256(b'root').hexdigest()}, tenant: ops, admin: true}}, "
        f"{{key_sha256: {sha256(b'acme').hexdigest()}, tenant: acme}}]".encode(),
        "c",
    ),
    local=False,
)
ADMIN = {b"authorization": b"Bearer root"}


@pytest.mark.parametrize("host", [b"localhost", b"LOCALHOST:8080", b"127.0.0.1:1", b"127.1.2.3", b"[::1]:8080"])
def test_names_of_the_loopback_interface_are_answered(host: bytes) -> None:
    assert LOCAL.check({b"host": host}) is None


@pytest.mark.parametrize(
    "host", [b"", b"evil.example", b"evil.example:8080", b"127.0.0.1.evil.example", b"10.0.0.1", b"x" * 500]
)
def test_a_rebound_name_is_refused(host: bytes) -> None:
    denied = LOCAL.check({b"host": host})
    assert denied is not None
    assert denied.status == 403


@pytest.mark.parametrize("origin", [b"https://evil.example", b"null", b"http://localhost:3000"])
def test_requests_that_another_page_starts_are_refused(origin: bytes) -> None:
    denied = LOCAL.check({b"host": b"localhost:8080", b"origin": origin})
    assert denied is not None
    assert denied.code == "origin_not_allowed"


def test_a_page_of_the_service_itself_is_answered() -> None:
    assert LOCAL.check({b"host": b"localhost:8080", b"origin": b"http://localhost:8080"}) is None


def test_where_keys_decide_any_host_is_answered() -> None:
    assert OPEN.check({b"host": b"api.example"}) is None


def test_operations_are_for_this_machine_and_administrators() -> None:
    assert OPEN.check_operator({b"host": b"api.example"} | ADMIN, "10.0.0.9") is None
    assert OPEN.check_operator({b"host": b"localhost"}, "127.0.0.1") is None
    for headers, peer in [
        ({b"host": b"api.example"}, "10.0.0.9"),
        ({b"host": b"localhost"}, None),
        ({b"host": b"api.example", b"authorization": b"Bearer other"}, "10.0.0.9"),
        ({b"host": b"evil.example"}, "127.0.0.1"),
        ({b"host": b"localhost", b"origin": b"https://evil.example"}, "127.0.0.1"),
        ({b"host": b"localhost", b"x-forwarded-for": b"10.0.0.9"}, "127.0.0.1"),
        ({b"host": b"localhost", b"forwarded": b"for=10.0.0.9"}, "127.0.0.1"),
        ({b"host": b"localhost", b"authorization": b"Bearer acme"}, "127.0.0.1"),
    ]:
        denied = OPEN.check_operator(headers, peer)
        assert denied is not None
        assert denied.status == 403


def test_an_administrator_is_one_behind_a_proxy_too() -> None:
    assert OPEN.check_operator({b"host": b"api.example", b"x-forwarded-for": b"10.0.0.9"} | ADMIN, "127.0.0.1") is None


@pytest.mark.parametrize("name", [b"localhost", b"127.0.0.1", b"::1"])
def test_loopback_names(name: bytes) -> None:
    assert is_loopback_name(name)


@pytest.mark.parametrize("name", [b"0.0.0.0", b"::", b"example.com", b""])
def test_other_names(name: bytes) -> None:
    assert not is_loopback_name(name)
