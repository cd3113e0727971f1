"""Every exception that costpol raises on purpose.

    CostpolError             says what is wrong (`message`) and how to mend it (`help`)
    ├── UsageError           the command line or a file it names cannot be used                    exit 2
    ├── BundleError          the policy bundle is refused; carries its diagnostics                    exit 1
    ├── ProvisionError       the policy is sound, but what it needs cannot be had (key, store, embedder)
    │   ├── StoreLockedError another process holds the embedded store
    │   └── AwayError        a service that it needs does not answer now
    ├── WireError            a request body that the provider's own API would refuse               HTTP 400
    └── StoreError           the ledger or the cache failed while in use (corrupt, locked)
        └── DiskFullError    for want of room on its disk

A message is one sentence, lower case, without a full stop, and never names a Python type.
"""

from __future__ import annotations

from collections.abc import Sequence

from costpol.diagnostics import Diagnostic


class CostpolError(Exception):
    """What is wrong, and how to mend it."""

    def __init__(self, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help


class UsageError(CostpolError):
    """The command line, or a file that it names, cannot be used."""


class BundleError(CostpolError):
    """The bundle is refused. `diagnostics` say where and why."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        first = diagnostics[0]
        more = f" (and {len(diagnostics) - 1} more)" if len(diagnostics) > 1 else ""
        place = f"{first.span.file}:{first.span.line}:{first.span.column}"
        super().__init__(f"{place}: {first.message}{more}", first.help)
        self.diagnostics = tuple(diagnostics)


class ProvisionError(CostpolError):
    """The policy is sound, but something that it needs cannot be had."""


class StoreLockedError(ProvisionError):
    """Another process holds the embedded store."""


class AwayError(ProvisionError):
    """A service that the policy needs does not answer now; it may later."""


class WireError(CostpolError):
    """A request that the provider's own API would refuse. `field` names the offending field where there is one."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class StoreError(CostpolError):
    """The ledger or the cache failed while in use."""


class DiskFullError(StoreError):
    """There is no room on the disk."""
