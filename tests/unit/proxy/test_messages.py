from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from costpol.proxy.identity import Denied
from costpol.proxy.messages import ClientLeftError, error_kind, join_headers, own_task, read_body
from costpol.proxy.patience import Patience


def read(parts: Sequence[dict[str, Any]], limit: int = 10, headers: dict[bytes, bytes] | None = None) -> bytes | Denied:
    waiting = list(parts)

    async def receive() -> dict[str, Any]:
        if not waiting:
            await asyncio.sleep(60)
        return waiting.pop(0)

    async def main() -> bytes | Denied:
        return await read_body(receive, headers or {}, limit, Patience(0.01), own_task())

    return asyncio.run(main())


def part(body: bytes, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def test_a_body_comes_in_one_part_or_many() -> None:
    assert read([part(b"abc")]) == b"abc"
    assert read([part(b"ab", True), part(b"", True), part(b"c")]) == b"abc"


@pytest.mark.parametrize("parts", [[part(b"x" * 11)], [part(b"x" * 6, True), part(b"x" * 6, True)]])
def test_a_body_beyond_the_limit_is_refused(parts: list[dict[str, Any]]) -> None:
    denied = read(parts)
    assert isinstance(denied, Denied)
    assert denied.status == 413


@pytest.mark.parametrize("parts", [[], [part(b"x" * 5, True)], [part(b"x" * 5, True), part(b"x" * 6)]])
def test_a_body_that_announces_its_size_is_refused_whether_it_comes_or_not(parts: list[dict[str, Any]]) -> None:
    denied = read(parts, headers={b"content-length": b"11"})
    assert isinstance(denied, Denied)
    assert denied.status == 413


def test_a_body_that_waits_to_be_asked_for_is_not_asked_for_in_vain() -> None:
    asked = []

    async def receive() -> dict[str, Any]:
        asked.append(True)
        return part(b"x" * 11)

    async def main() -> bytes | Denied:
        headers = {b"content-length": b"11", b"expect": b"100-continue"}
        return await read_body(receive, headers, 10, Patience(0.01), own_task())

    denied = asyncio.run(main())
    assert isinstance(denied, Denied)
    assert denied.status == 413
    assert not asked


def test_a_client_that_leaves_while_sending_is_noticed() -> None:
    with pytest.raises(ClientLeftError):
        read([part(b"a", True), {"type": "http.disconnect"}])


def test_a_body_that_does_not_come_is_given_up() -> None:
    denied = read([part(b"a", True)])
    assert isinstance(denied, Denied)
    assert denied.status == 408


def test_errors_have_the_type_that_clients_know() -> None:
    assert error_kind(401) == "authentication_error"
    assert error_kind(404) == "invalid_request_error"
    assert error_kind(502) == "server_error"


def test_a_repeated_header_has_all_its_values() -> None:
    pairs = [(b"x-costpol-tenant", b"acme"), (b"host", b"localhost"), (b"x-costpol-tenant", b"initech")]
    assert join_headers(pairs) == {b"x-costpol-tenant": b"acme, initech", b"host": b"localhost"}
    assert join_headers(pairs[:2]) == dict(pairs[:2])
