"""`costpol lsp`: the language server that editors start."""

from __future__ import annotations

import os

import click

from costpol.cli.settings import read_settings
from costpol.errors import UsageError


@click.command("lsp", short_help="help editors with policies, as a language server")
@click.option("--stdio", is_flag=True, help="Speak on standard input and output, which is always so.")
def command(stdio: bool) -> int:
    """Answer an editor on standard input and output, until it leaves.

    Findings as one types, those that costpol.toml wants, with their fixes; hover texts with prices, completion of keys
    and names, definitions and references.
    """
    try:
        from costpol.editor.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise UsageError("the language server is not installed", "run `pip install 'costpol[lsp]'`") from error
    serve(lambda folder: read_settings(folder, os.environ).reports)
    return 0
