"""Who asks: the identity that scopes a cache entry and a budget."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of one request. `None` is an unknown caller, which is never the same as another unknown one:
    scopes that need the missing part are closed to the request."""

    tenant: str | None = None
    user: str | None = None
    agent: str | None = None
    session: str | None = None
    stage: str | None = None


ANONYMOUS = Caller()
