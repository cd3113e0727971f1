"""What is amiss with a service that answers all the same: which part, and why.

A part that stays amiss is told in the log once, and once more when it is well again: a full disk must not fill the log.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Part = Literal["disk", "ledger", "settlements", "cache", "embedder", "policy", "record"]
PARTS: tuple[Part, ...] = ("disk", "ledger", "settlements", "cache", "embedder", "policy", "record")

_log = logging.getLogger("costpol.health")


@dataclass(slots=True)
class Health:
    """How the parts are, as they were last seen."""

    _troubles: dict[Part, str] = field(default_factory=dict)

    def note(self, part: Part, trouble: str | None) -> None:
        """Say how a part is: `trouble` in one sentence, `None` where it is well."""
        known = part in self._troubles
        if trouble is not None:
            self._troubles[part] = trouble
            if not known:
                _log.warning("%s: %s", part, trouble)
        elif known:
            del self._troubles[part]
            _log.warning("%s: well again", part)

    @property
    def troubles(self) -> Mapping[Part, str]:
        """What is amiss now, by part."""
        return self._troubles
