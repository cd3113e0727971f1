"""Reports as one HTML file each: nothing loaded from anywhere, everything escaped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

from costpol.reporting.terminal import visible


def fill(room: str, filters: Mapping[str, Callable[..., Any]], values: Mapping[str, Any]) -> str:
    """The template `report.html.j2` of a room with its values; `visible` is a filter in all of them."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"visible": visible, **filters}
    return environment.from_string(files(room).joinpath("report.html.j2").read_text(encoding="utf-8")).render(**values)
