"""`costpol rule`: what a finding means, why it matters, and how a policy without it looks."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import click

from costpol.errors import UsageError
from costpol.evaluate.log_registry import LOG_RULES
from costpol.lint.page import IMPOSSIBLE, index, markdown, page
from costpol.lint.registry import RULES, Documented
from costpol.policy.codes import CATALOGUE, Code
from costpol.policy.suggestion import did_you_mean

Entry = Documented | Code
_PAGED: tuple[Documented, ...] = (*RULES, *LOG_RULES)


@click.command("rule", short_help="explain a finding by its code or name")
@click.argument("name", required=False)
@click.option("--all", "every", is_flag=True, help="List every rule.")
@click.option("--format", "format_", type=click.Choice(("text", "json")), default="text", help="How to print.")
@click.option("--write", "folder", type=click.Path(path_type=Path), help="Write one page per rule into this folder.")
def command(name: str | None, every: bool, format_: str, folder: Path | None) -> int:
    """Explain a rule by its code (CP303) or its name (personal-intent-cached)."""
    if folder is not None:
        write_pages(folder)
        click.echo(f"wrote {len(_PAGED) + 1} pages to {folder}", err=True)
        return 0
    if name is None and not every:
        raise UsageError("no rule is named", "write `costpol rule CP303`, or `costpol rule --all` for a list")
    chosen = entries() if name is None else [find(name)]
    if format_ == "json":
        described = [describe(entry) for entry in chosen]
        click.echo(json.dumps(described if name is None else described[0], indent=2))
    elif name is None:
        click.echo("\n".join(_line(entry) for entry in chosen))
    else:
        click.echo(text(chosen[0]), nl=False)
    return 0


def entries() -> list[Entry]:
    """Every rule, and every code of the loader that no rule shares, in the order of their codes."""
    shared = {rule.CODE for rule in _PAGED}
    found: list[Entry] = [*_PAGED, *(code for code in CATALOGUE if code.code not in shared)]
    return sorted(found, key=lambda entry: identity(entry)[0])


def find(name: str) -> Entry:
    """The rule of a code or name. Raises `UsageError` where there is none."""
    for code, (label, why) in IMPOSSIBLE.items():
        if name.strip().upper() == code or name.strip().lower() == label:
            raise UsageError(f"there is no rule `{code}` ({label}), because it cannot happen here: {why}")
    known = {word: entry for entry in entries() for word in identity(entry)}
    wanted = name.strip().upper() if name.strip().upper() in known else name.strip().lower()
    if wanted not in known:
        guess = did_you_mean(name, known)
        raise UsageError(f"there is no rule `{name[:60]}`", guess or "`costpol rule --all` lists them")
    return known[wanted]


def identity(entry: Entry) -> tuple[str, str]:
    """Code and name."""
    return (entry.code, entry.name) if isinstance(entry, Code) else (entry.CODE, entry.NAME)


def describe(entry: Entry) -> dict[str, object]:
    """A rule as JSON."""
    if isinstance(entry, Code):
        return {"code": entry.code, "name": entry.name, "severity": entry.severity.value, "summary": entry.doc}
    parts = page(entry)
    sections = {heading.lower(): body for heading, body in parts.sections.items()}
    severity = entry.SEVERITY.value
    return {"code": entry.CODE, "name": entry.NAME, "severity": severity, "summary": parts.summary, **sections}


def text(entry: Entry) -> str:
    """A rule's page for a terminal."""
    if isinstance(entry, Code):
        return f"# {entry.code} {entry.name}\n\n{entry.severity.value.capitalize()}.\n\n{_sentence(entry.doc)}\n"
    return markdown(entry)


def write_pages(folder: Path) -> None:
    """Write `<name>.md` per rule and `README.md`. Raises `UsageError` where the folder cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, page_text in pages():
            (folder / name).write_text(page_text, encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise UsageError(f"the pages cannot be written to `{folder}`: {reason}") from error


def pages() -> Iterable[tuple[str, str]]:
    """Every page by its file name."""
    yield "README.md", index(LOG_RULES)
    for rule in _PAGED:
        yield f"{rule.NAME}.md", markdown(rule)


def _line(entry: Entry) -> str:
    code, name = identity(entry)
    severity = (entry.severity if isinstance(entry, Code) else entry.SEVERITY).value
    summary = _sentence(entry.doc) if isinstance(entry, Code) else page(entry).summary
    return f"{code}  {severity:7}  {name:27}  {' '.join(summary.split())}"


def _sentence(doc: str) -> str:
    return f"{doc[0].upper()}{doc[1:]}."
