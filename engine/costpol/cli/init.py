"""`costpol init`: a policy to start from, with schemas beside it so that editors complete and check it."""

from __future__ import annotations

from pathlib import Path

import click

from costpol.cli.bundled import bundled
from costpol.cli.schema import write_schemas
from costpol.errors import UsageError
from costpol.policy.loader import KINDS

SCHEMAS = ".schemas"
"""Inside the bundle's folder; a hidden name, so it is no part of the policy."""


@click.command("init", short_help="write a starter policy")
@click.argument("folder", default="policies", type=click.Path(path_type=Path))
def command(folder: Path) -> int:
    """Write a commented policy into FOLDER (default: policies). Existing policy files are never overwritten."""
    names = write_starter(folder)
    click.echo(f"wrote {', '.join(names)} to {folder}")
    click.echo(f"next: edit them, then run `costpol validate {folder}`", err=True)
    return 0


def write_starter(folder: Path) -> list[str]:
    """Copy the default bundle into a folder, and answer the names of its files.

    Raises `UsageError` where the folder holds policy files already, or cannot be written.
    """
    sources = sorted(bundled("policies").glob("*.yaml"))
    taken = [path.name for path in sources if (folder / path.name).exists()]
    if taken:
        raise UsageError(f"`{folder / taken[0]}` exists already", "name another folder, or delete the file")
    write_schemas(folder / SCHEMAS, list(KINDS))
    try:
        for path in sources:
            text = path.read_text(encoding="utf-8").replace("$schema=../schemas/", f"$schema={SCHEMAS}/", 1)
            (folder / path.name).write_text(text, encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise UsageError(f"the policy cannot be written to `{folder}`: {reason}") from error
    return [path.name for path in sources]
