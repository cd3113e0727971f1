"""What keeps strangers away from a service that trusts its own machine.

A browser on this machine can be made to send requests here by any page that is open in it. Two signs tell: a page that
has its own name resolve to 127.0.0.1 sends that name as `Host`, and a request that another page starts carries its
`Origin`. Both are refused where the loopback interface stands for the identity of the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

from costpol.proxy.identity import Denied, Identities

_FORWARDED = frozenset((b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip"))
"""The signs of a proxy, whose own address stands for those of all its clients."""


@dataclass(frozen=True, slots=True)
class Access:
    """The checks, for one way of serving. `local` says that only this machine can connect."""

    identities: Identities
    local: bool

    def check(self, headers: Mapping[bytes, bytes]) -> Denied | None:
        """Whether a request may come in at all."""
        return _refuse_pages(headers) if self.local else None

    def check_operator(self, headers: Mapping[bytes, bytes], peer: str | None) -> Denied | None:
        """Whether a request may see or change how the service runs: from here, or with an administrator's key.

        What a proxy on this machine passes on does not come from here; who shows another caller's key is that caller.
        """
        if self.identities.is_admin(headers):
            return self.check(headers)
        here = peer is not None and is_loopback_name(peer.encode()) and _FORWARDED.isdisjoint(headers)
        if not here or self.identities.is_known(headers):
            return Denied(403, "operator_only", "this is open to the machine itself and to administrators' keys only")
        return _refuse_pages(headers)


def _refuse_pages(headers: Mapping[bytes, bytes]) -> Denied | None:
    """Turn away what a page in a browser started."""
    host = headers.get(b"host", b"")
    if not _is_loopback_host(host):
        return Denied(403, "host_not_allowed", "this is answered under the names of the loopback interface only")
    origin = headers.get(b"origin")
    if origin is not None and origin.partition(b"://")[2] != host:
        return Denied(403, "origin_not_allowed", "requests that another site starts are not answered")
    return None


def is_loopback_name(name: bytes) -> bool:
    """`localhost`, or an address of the loopback interface."""
    if name.lower() == b"localhost":
        return True
    try:
        return ip_address(name.decode("ascii").strip("[]")).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=64)
def _is_loopback_host(host: bytes) -> bool:
    if len(host) > 64:
        return False
    name = host.partition(b"]")[0] + b"]" if host.startswith(b"[") else host.partition(b":")[0]
    return is_loopback_name(name)
