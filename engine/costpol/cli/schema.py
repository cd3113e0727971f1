"""`costpol schema`: the JSON Schemas that editors check and complete policies by."""

from __future__ import annotations

import json
from pathlib import Path

import click

from costpol.errors import UsageError
from costpol.policy.loader import KINDS
from costpol.policy.reference import reference
from costpol.policy.schema import schema


@click.command("schema", short_help="print or write the JSON Schemas for editors")
@click.argument("kind", required=False, type=click.Choice(list(KINDS)))
@click.option("--write", "folder", type=click.Path(path_type=Path), help="Write one file per kind into this folder.")
@click.option("--reference", "as_reference", is_flag=True, help="Print every key of the language, as Markdown.")
def command(kind: str | None, folder: Path | None, as_reference: bool) -> int:
    """Print the schema of KIND, or of every kind as one object; or write them as files."""
    if as_reference:
        click.echo(reference_page(), nl=False)
        return 0
    kinds = [kind] if kind else list(KINDS)
    if folder is not None:
        write_schemas(folder, kinds)
        click.echo(f"wrote {len(kinds)} schemas to {folder}", err=True)
    elif kind:
        click.echo(schema_text(kind), nl=False)
    else:
        click.echo(json.dumps({name: schema(name) for name in kinds}, indent=2))
    return 0


def reference_page() -> str:
    """The page that lists every key, for `docs/reference.md`."""
    intro = (
        "# Reference\n\nEvery key of every kind of file. [The language](language.md) says how they play together.\n\n"
    )
    return intro + reference(KINDS)


def schema_text(kind: str) -> str:
    """A schema as its file holds it."""
    return json.dumps(schema(kind), indent=2) + "\n"


def write_schemas(folder: Path, kinds: list[str]) -> None:
    """Write `<kind>.schema.json` files. Raises `UsageError` where the folder cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for kind in kinds:
            (folder / f"{kind}.schema.json").write_text(schema_text(kind), encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise UsageError(f"the schemas cannot be written to `{folder}`: {reason}") from error
