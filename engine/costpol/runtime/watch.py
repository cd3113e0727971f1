"""The hint that a policy folder may have changed. Only a hint: polling finds every change without it, just later.

No event watcher notices every way of saving a file (a replaced folder, a retargeted link), and some end silently. So
events are never interpreted, and a watcher that is missing or dead is logged and otherwise changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver

_log = logging.getLogger("costpol.reload")


class FolderHint:
    """Calls `changed` from a thread of its own whenever something happens in a folder."""

    def __init__(self, folder: Path, changed: Callable[[], object]) -> None:
        self._folder = folder
        self._changed = changed
        self._observer: BaseObserver | None = None
        self._reported = False

    def start(self) -> None:
        """Begin to watch. A failure is logged, not raised."""
        try:
            from watchdog.events import FileSystemEventHandler
            from watchdog.observers import Observer

            changed = self._changed

            class Handler(FileSystemEventHandler):
                def on_any_event(self, event: Any) -> None:
                    # Reading the files raises events of its own, which would ask for the next reading for ever.
                    if event.event_type not in ("opened", "closed_no_write"):
                        changed()

            observer = Observer()
            observer.daemon = True
            observer.schedule(Handler(), str(self._folder), recursive=False)
            observer.start()
            self._observer = observer
        except (OSError, ImportError, RuntimeError) as error:
            self._report(str(error))

    def supervise(self) -> None:
        """Log it once if the watcher has ended."""
        if self._observer is not None and not self._observer.is_alive():
            self._report("its thread has ended")

    def stop(self) -> None:
        """End the watcher, without waiting for it."""
        if self._observer is not None:
            self._observer.stop()

    def _report(self, reason: str) -> None:
        if not self._reported:
            self._reported = True
            _log.warning("changes of `%s` are found by polling only: %s", self._folder, reason.lower())
