"""The `costpol` command: a table of subcommands, each imported only when it is used.

Exit codes: 0 clean, 1 findings or a gate tripped, 2 bad usage, unreadable input or an internal error.
"""

from __future__ import annotations

import errno
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

import click

from costpol import __version__
from costpol.cli.terminal import use_color
from costpol.errors import BundleError, CostpolError

SUBCOMMANDS: Mapping[str, tuple[str, str]] = {
    "init": ("costpol.cli.init:command", "write a starter policy"),
    "validate": ("costpol.cli.validate:command", "check policies and say what is wrong, and where"),
    "test": ("costpol.cli.test:command", "run the tests that a policy brings along"),
    "dry-run": ("costpol.cli.dry_run:command", "replay a log through a policy, and say what it would have cost"),
    "diff": ("costpol.cli.diff:command", "what changes from one policy to another"),
    "tune": ("costpol.cli.tune:command", "how alike questions must be, by what a log shows"),
    "explain": ("costpol.cli.explain:command", "why one request is decided as it is"),
    "serve": ("costpol.cli.serve:command", "answer requests by a policy"),
    "cache": ("costpol.cli.cache:command", "look into the answer cache, take answers back, put known ones in"),
    "simulate": ("costpol.cli.simulate:command", "pretend to be a provider, for demos and tests"),
    "rule": ("costpol.cli.rule:command", "explain a finding by its code or name"),
    "schema": ("costpol.cli.schema:command", "print or write the JSON Schemas for editors"),
    "lsp": ("costpol.cli.lsp:command", "help editors with policies, as a language server"),
}
"""Name -> where its command lives, and its line of help. The only list of subcommands."""


class _Subcommands(click.Group):
    """A group that knows its subcommands by name, and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in SUBCOMMANDS:
            return None
        module, _, attribute = SUBCOMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Subcommands"):
            formatter.write_dl([(name, help) for name, (_, help) in SUBCOMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in SUBCOMMANDS:
            _unknown(args[0], ctx)
        return super().resolve_command(ctx, args)


def _unknown(name: str, ctx: click.Context) -> NoReturn:
    from costpol.policy.suggestion import did_you_mean

    guess = did_you_mean(name, SUBCOMMANDS)
    ctx.fail(f"no subcommand is called `{name[:60]}`{f', {guess}' if guess else ''}")


@click.group(cls=_Subcommands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="costpol")
def command() -> None:
    """Cut the cost of LLM applications by a policy that can be read, checked and tried out."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, and answer its exit code. Nothing is raised."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = command.main(args=words, prog_name="costpol", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return _failed(words, error.format_message(), None)
    except BrokenPipeError:  # whoever reads the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except click.Abort:
        click.echo("stopped", err=True)
        return 130
    except BundleError as error:
        _show_bundle_error(words, error)
        return 1
    except CostpolError as error:
        _complain(error.message, error.help)
        return _failed(words, error.message, error.help)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            return _internal_error(words, error)
        message = f"the output cannot be written: {os.strerror(error.errno).lower()}"
        _complain(message, None)
        return _failed(words, message, None)
    except Exception as error:  # noqa: BLE001 (the last door: a person gets a sentence, not a traceback)
        return _internal_error(words, error)
    return code if isinstance(code, int) else 0


def _show_bundle_error(words: Sequence[str], error: BundleError) -> None:
    """The findings for which a bundle is refused; as the answer itself where a machine is to read it."""
    from costpol.reporting.findings import render, summary

    wanted = _format(words)
    if wanted is not None:
        click.echo(render(error.diagnostics, {}, wanted))
    files = {name: _text(name) for name in {diagnostic.span.file for diagnostic in error.diagnostics} if name}
    click.echo(render(error.diagnostics, files, "full", color=use_color(sys.stderr)), err=True)
    click.echo(f"the policy is refused: {summary(error.diagnostics)}", err=True)


def _text(name: str) -> str:
    """The text of a policy file, for carets; empty where it has gone."""
    try:
        return Path(name).read_text(encoding="utf-8", errors="replace").removeprefix("\ufeff")
    except OSError:
        return ""


def _internal_error(words: Sequence[str], error: Exception) -> int:
    """One line for people; all of it with `COSTPOL_DEBUG=1`."""
    if os.environ.get("COSTPOL_DEBUG"):
        import traceback

        traceback.print_exception(error)
    message = f"internal error: {str(error).strip().splitlines()[0] if str(error).strip() else 'no message'}"
    help = "run again with `COSTPOL_DEBUG=1` to see where it happened, and report it"
    _complain(message, help)
    return _failed(words, message, help)


def _complain(message: str, help: str | None) -> None:
    click.echo(f"{click.style('error', fg='red', bold=True)}: {message}", err=True, color=use_color(sys.stderr))
    if help:
        click.echo(f"  = help: {help}", err=True)


def _failed(words: Sequence[str], message: str, help: str | None) -> int:
    """Exit code 2; a machine that asked for a format gets that, too."""
    wanted = _format(words)
    if wanted is not None:
        from costpol.reporting.findings import render_failure

        with suppress(OSError):  # standard output may be what failed; standard error has it all
            click.echo(render_failure(message, help, wanted))
    return 2


def _format(words: Sequence[str]) -> str | None:
    """The format asked for, if machines read it."""
    chosen = [value for word, value in pairwise(words) if word == "--format"]
    chosen += [word.removeprefix("--format=") for word in words if word.startswith("--format=")]
    return next((each for each in chosen if each in ("json", "jsonl", "sarif", "junit", "github")), None)


if __name__ == "__main__":
    sys.exit(main())
