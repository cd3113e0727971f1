"""What a log says of a cache's settings, as strings: for people (`text`, `markdown`, `html`) and machines (`json`)."""

from __future__ import annotations

from costpol.reporting.tuning.figures import Tuning

FORMATS = ("text", "json", "html", "markdown")


def render(tuning: Tuning, format: str = "text", *, color: bool = False) -> str:
    """The report in one of `FORMATS`, without a last line break."""
    if format == "json":
        from costpol.reporting.tuning.document import render_json

        return render_json(tuning)
    if format == "html":
        from costpol.reporting.tuning.html import render_html

        return render_html(tuning)
    if format == "markdown":
        from costpol.reporting.tuning.markdown import render_markdown

        return render_markdown(tuning)
    if format == "text":
        from costpol.reporting.tuning.text import render_text

        return render_text(tuning, color=color)
    raise ValueError(f"there is no format `{format}`")
