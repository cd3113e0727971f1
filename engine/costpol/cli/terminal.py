"""What the stream at hand can show."""

from __future__ import annotations

import os


def use_color(stream: object) -> bool:
    """Whether to colour what goes to a stream: on a terminal, unless `NO_COLOR` says otherwise."""
    terminal = getattr(stream, "isatty", lambda: False)()
    return bool(terminal) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
