"""What a policy saves on a log, as strings: for people (`text`, `markdown`, `html`) and for machines (`json`)."""

from __future__ import annotations

from costpol.reporting.savings.figures import Savings

FORMATS = ("text", "json", "html", "markdown")


def render(savings: Savings, format: str = "text", *, color: bool = False) -> str:
    """The report in one of `FORMATS`, without a last line break."""
    if format == "text":
        from costpol.reporting.savings.text import render_text

        return render_text(savings, color=color)
    if format == "json":
        from costpol.reporting.savings.document import render_json

        return render_json(savings)
    if format == "html":
        from costpol.reporting.savings.html import render_html

        return render_html(savings)
    if format == "markdown":
        from costpol.reporting.savings.markdown import render_markdown

        return render_markdown(savings)
    raise ValueError(f"there is no format `{format}`")
