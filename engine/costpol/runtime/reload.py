"""A changed policy takes effect while requests run; one that cannot be served changes nothing.

The truth is the digest of the files' names and bytes, read again and again; events only make the next reading come
sooner. A revision is taken up when two readings, `settle` seconds apart, agree; it is then built beside the one that
serves, and takes its place by one assignment. Whatever fails on the way leaves the last good policy in service, is
logged, and is kept for whoever asks.

A bad revision is not built again until its bytes change. One that failed for want of something outside of it (a key,
an endpoint, a disk) is tried again, ever more rarely.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from costpol.diagnostics import Diagnostic
from costpol.errors import BundleError, CostpolError, UsageError
from costpol.policy.loader import digest
from costpol.policy.source import read_source
from costpol.runtime.snapshot import Snapshot

Files = Mapping[str, bytes]

DEFAULT_INTERVAL = 1.0
DEFAULT_SETTLE = 0.2
_FIRST_RETRY, _LAST_RETRY = 1.0, 60.0
_READINGS = 50
"""After so many readings of files that never agree, the reload is given up until the next poll."""

_ABSENCE = 10
"""A file must be missing for so many times the usual wait before its absence counts."""

_log = logging.getLogger("costpol.reload")

Result = Literal["reloaded", "unchanged", "valid", "rejected", "unavailable", "unsettled", "half-written"]


@dataclass(frozen=True, slots=True)
class ReloadReport:
    """What became of one attempt. `generation` and `digest` are those in service now; `candidate` is the digest that
    was looked at, where there was one."""

    result: Result
    generation: int
    digest: str
    candidate: str | None = None
    message: str | None = None
    help: str | None = None
    findings: tuple[Diagnostic, ...] = ()

    @property
    def failed(self) -> bool:
        return self.result not in ("reloaded", "unchanged", "valid")


@dataclass(frozen=True, slots=True)
class ReloadError:
    """Why the files that lie on the disk are not in service. `at` is epoch seconds."""

    at: float
    report: ReloadReport


class Reloader:
    """Keeps `current` equal to the latest sound revision of the files.

    `read` reads the files and may block; it raises `UsageError`. `build` makes a snapshot of them under a generation
    number; it raises `BundleError` or `ProvisionError`. `observe` is told the result of every attempt but `unchanged`.
    """

    def __init__(
        self,
        current: Snapshot,
        read: Callable[[], Files],
        build: Callable[[Files, int], Awaitable[Snapshot]],
        *,
        interval: float = DEFAULT_INTERVAL,
        settle: float = DEFAULT_SETTLE,
        observe: Callable[[ReloadReport], None] = lambda report: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.current = current
        self.error: ReloadError | None = None
        self.last_success = clock()
        self._read, self._build, self._observe, self._clock = read, build, observe, clock
        self._interval, self._settle = interval, settle
        self._rejected: str | None = None
        self._retry_at, self._retry_after = 0.0, _FIRST_RETRY
        self._turn = asyncio.Lock()
        self._hinted = asyncio.Event()
        self._asked = False

    def hint(self) -> None:
        """Ask for a reading soon. From another thread: `loop.call_soon_threadsafe(reloader.hint)`."""
        self._hinted.set()

    def ask(self) -> None:
        """Ask for a reload as `reload` does, without waiting for it."""
        self._asked = True
        self._hinted.set()

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            try:
                await asyncio.wait_for(self._hinted.wait(), self._interval)
                await asyncio.sleep(min(self._settle, self._interval))  # one save is many events
            except TimeoutError:
                pass
            self._hinted.clear()
            asked, self._asked = self._asked, False
            try:
                await self._attempt(asked=asked, dry_run=False)
            except Exception:  # noqa: BLE001
                # A defect while building must not end the watch over all later revisions.
                _log.exception("the policy could not be reloaded because of a defect in costpol")

    async def reload(self, *, dry_run: bool = False) -> ReloadReport:
        """Read and take up the files now. Whoever asks vouches that they are whole and worth another try.

        A dry run builds the revision and lets it go again.
        """
        return await self._attempt(asked=True, dry_run=dry_run)

    async def _attempt(self, *, asked: bool, dry_run: bool) -> ReloadReport:
        async with self._turn:
            try:
                files, revision = await self._read_settled(asked)
            except UsageError as error:
                return self._fail("unavailable", None, error.message, error.help, keep=not dry_run)
            if revision is None:
                return self._fail("unsettled", None, "the policy files keep changing", keep=not dry_run)
            if revision == self.current.digest and not self._prices_expired():
                return self._unchanged()
            if not asked and revision == self._rejected and self._clock() < self._retry_at:
                return self._report("unchanged", revision)
            torn = None if asked else self._half_written(files)
            if torn is not None:
                return self._fail(
                    "half-written", revision, f"`{torn}` has lost the `...` at its end, so it may be half-written",
                    "end the file with `...`, or ask for a reload if that is meant", keep=True,
                )  # fmt: skip
            return await self._take_up(files, revision, dry_run)

    async def _take_up(self, files: Files, revision: str, dry_run: bool) -> ReloadReport:
        try:
            snapshot = await self._build(files, self.current.generation + 1)
        except BundleError as error:
            return self._fail("rejected", revision, error.message, error.help, error.diagnostics, keep=not dry_run)
        except CostpolError as error:
            return self._fail("unavailable", revision, error.message, error.help, keep=not dry_run)
        if dry_run:
            snapshot.retire()
            return self._report("valid", revision, findings=snapshot.findings)
        before, self.current = self.current, snapshot
        before.retire()
        snapshot.adopt()
        self._settled_well()
        _log.info("policy %s takes the place of %s", snapshot.label, before.label)
        for finding in snapshot.findings:
            _log.warning("%s", describe(finding))
        report = self._report("reloaded", revision, findings=snapshot.findings)
        self._observe(report)
        return report

    async def _read_settled(self, asked: bool) -> tuple[Files, str | None]:
        """The files and their digest once two readings agree; at once where nothing is new."""
        files = await asyncio.to_thread(self._read)
        revision = digest(files)
        if revision == self.current.digest or (revision == self._rejected and not asked):
            return files, revision
        # A file that is gone may be about to come back: some programs save by deleting first.
        gone = self.current.bundle.files.keys() - files.keys()
        for _ in range(_READINGS):
            await asyncio.sleep(self._settle * (_ABSENCE if gone else 1))
            again = await asyncio.to_thread(self._read)
            before, revision = revision, digest(again)
            if revision == before:
                return again, revision
        return files, None

    def _half_written(self, files: Files) -> str | None:
        """A file whose end was marked and is not any more."""
        for name in sorted(self.current.marked & files.keys()):
            if not read_source(files[name], name).explicit_end:
                return name
        return None

    def _prices_expired(self) -> bool:
        until = self.current.prices_until
        return until is not None and self._clock() >= until

    def _unchanged(self) -> ReloadReport:
        if self.error is not None:
            _log.info("the policy files are those in service again (%s)", self.current.label)
            self._settled_well()
        return self._report("unchanged", self.current.digest)

    def _settled_well(self) -> None:
        self.error = None
        self._rejected = None
        self._retry_after = _FIRST_RETRY
        self.last_success = self._clock()

    def _fail(
        self,
        result: Result,
        revision: str | None,
        message: str,
        help: str | None = None,
        findings: tuple[Diagnostic, ...] = (),
        *,
        keep: bool,
    ) -> ReloadReport:
        report = self._report(result, revision, message, help, findings)
        if not keep:
            return report
        repeated = self.error is not None and self.error.report == report
        if revision != self._rejected:
            self._retry_after = _FIRST_RETRY
        self._rejected = revision
        outage = result == "unavailable"
        self._retry_at = self._clock() + self._retry_after if outage else float("inf")
        self._retry_after = min(self._retry_after * 2, _LAST_RETRY)
        if not repeated:
            self.error = ReloadError(self._clock(), report)
            _log.error("policy %s stays in service: %s", self.current.label, message)
            for finding in findings:
                _log.error("%s", describe(finding))
            self._observe(report)
        return report

    def _report(
        self,
        result: Result,
        revision: str | None,
        message: str | None = None,
        help: str | None = None,
        findings: tuple[Diagnostic, ...] = (),
    ) -> ReloadReport:
        return ReloadReport(
            result, self.current.generation, self.current.digest, revision, message, help, tuple(findings)
        )


def describe(finding: Diagnostic) -> str:
    """One finding on one line, for a log."""
    span = finding.span
    place = f"{span.file}:{span.line}:{span.column}"
    return f"{place}: {finding.severity.value} {finding.code} {finding.name}: {finding.message}"
