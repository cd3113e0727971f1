"""`costpol cache`: what the answer cache holds, taking answers back, putting known answers in.

With `--sidecar` a running sidecar does it. Without, the command opens the data folder itself, which a running sidecar
keeps to itself.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from msgspec import json

from costpol.cli.sidecar import KEY_VARIABLE, Sidecar
from costpol.errors import StoreLockedError, UsageError

_DATA = Path(".costpol")
_ENCODER = json.Encoder(decimal_format="number")


def _where(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which cache, and how to answer."""
    for option in (
        click.option("--format", "format_", type=click.Choice(("text", "json")), default="text", help="Default: text."),
        click.option("--data", type=click.Path(path_type=Path), default=_DATA, help="Default: .costpol."),
        click.option(
            "--sidecar", metavar="URL", help=f"Ask a running sidecar (its administrator's key: {KEY_VARIABLE})."
        ),
    ):
        command = option(command)
    return command


@click.group("cache", short_help="look into the answer cache, take answers back, put known ones in")
def command() -> None:
    """Look into the answer cache, take answers back, put known ones in.

    The embedded cache belongs to one process: while a sidecar runs, name it with `--sidecar http://127.0.0.1:8080`.
    """


@command.command("stats")
@_where
def stats(*, sidecar: str | None, data: Path, format_: str) -> int:
    """Show how many answers are kept per intent, what they cost, and what their hits saved.

    Hits count since the cache was opened, so a stopped sidecar's are not known any more.
    """
    found = asyncio.run(_opened(data, _described)) if sidecar is None else [_asked(sidecar).ask("GET", "/-/cache")]
    _show(found, format_, _stats_text)
    return 0


@command.command("purge")
@click.option("--intent", help="Answers of this intent (`otherwise`: of those that no plan names).")
@click.option("--template", metavar="NAME[@VERSION]", help="Answers to this template, of any version or of one.")
@click.option("--tag", help="Answers that the policy gave this tag.")
@click.option("--id", "id_", help="The one answer that `x-costpol-entry` named.")
@click.option("--tenant", help="Answers that a tenant, or one of its users, shares.")
@click.option("--scope", help="Answers of one scope: `global`, `tenant:acme`, `user:acme:ann`.")
@click.option("--all", "all_", is_flag=True, help="Every answer.")
@click.option("--dry-run", is_flag=True, help="Only say how many.")
@_where
def purge(
    *, intent: str | None, template: str | None, tag: str | None, id_: str | None, tenant: str | None,
    scope: str | None, all_: bool, dry_run: bool, sidecar: str | None, data: Path, format_: str,
) -> int:  # fmt: skip
    """Take answers back. What is named must hold all at once.

    Exits with 0 also where nothing was there to take back: afterwards no such answer is kept.
    """
    from costpol.runtime.cache_keeping import Selection
    from costpol.runtime.cache_keeping import purge as purge_cache

    intent = "" if intent == "otherwise" else intent
    selection = Selection(intent, template, tag, id_, tenant, scope, all_)
    if sidecar is not None:
        wish = {"intent": intent, "template": template, "tag": tag, "id": id_, "tenant": tenant, "scope": scope}
        found = _asked(sidecar).ask("POST", "/-/cache/purge", wish | {"all": all_, "dry_run": dry_run})
    else:

        async def purged(kept: Any) -> dict[str, Any]:
            return {"purged": sum([await purge_cache(each.cache, selection, dry_run=dry_run) for each in kept])}

        found = asyncio.run(_opened(data, purged)) | {"dry_run": dry_run}
    _show(found, format_, _purge_text)
    return 0


@command.command("report-wrong")
@click.argument("id_", metavar="ID")
@_where
def report_wrong(*, id_: str, sidecar: str | None, data: Path, format_: str) -> int:
    """Say that an answer was wrong. ID is what the answer's header `x-costpol-entry` named.

    The answer is given to nobody any more. A running sidecar also learns that the questions it was given for were not
    alike, where the policy has `max_wrong_hits`. Exits with 1 if no such answer is kept.
    """
    if sidecar is not None:
        found = _asked(sidecar).ask("POST", "/-/cache/report-wrong", {"id": id_})
    else:
        found = asyncio.run(_opened(data, lambda kept: _reported(kept, id_)))
    if found is None:
        message = "no answer of this id is kept"
        click.echo(_ENCODER.encode({"error": message}).decode() if format_ == "json" else message)
        return 1
    _show(found, format_, _report_text)
    return 0


@command.command("warm", short_help="put known answers in")
@click.argument("files", nargs=-1, required=True)
@click.option("--request", "request_file", type=click.Path(path_type=Path), help="How FAQs are asked: a JSON request.")
@click.option("--policies", type=click.Path(path_type=Path), default=Path("policies"), help="Default: policies.")
@_where
def warm(
    *, files: tuple[str, ...], request_file: Path | None, policies: Path, sidecar: str | None, data: Path, format_: str
) -> int:  # fmt: skip
    """Put the answers of FILE... in: a FAQ (YAML or JSON Lines) or a log, as `costpol dry-run` reads it.

    \b
      request: {model: gpt-4.1, messages: [{role: system, content: You are ...}]}
      questions:
        - {question: How do I block my card?, answer: Open the app and ...}
        - {question: [What does it cost?, Is it free?], answer: It is free., intent: prices, tenant: acme}

    The policy decides on each as on a live request: what is personal, excluded or not to be cached is skipped. Doing it
    again renews what is there. Exits with 1 if nothing could be kept.
    """
    from costpol.cli.warming import Counts, send, warm_here
    from costpol.evaluate.known_answers import KnownAnswers

    template = None if request_file is None else _template(request_file)
    known = KnownAnswers(files, sys.stdin.buffer, template)
    counts = Counts()
    if sidecar is not None:
        send(known, _asked(sidecar), counts)
    else:
        try:
            asyncio.run(warm_here(known, policies, data, counts, time.time))
        except StoreLockedError as error:
            raise _locked(error) from None
    found = counts.document(known.skipped)
    _show(found, format_, _warm_text)
    return 0 if found["kept"] else 1


def _asked(url: str) -> Sidecar:
    return Sidecar(url, os.environ.get(KEY_VARIABLE))


async def _opened(data: Path, work: Callable[[Any], Any]) -> Any:
    """What `work` finds in the caches of a data folder."""
    from costpol.runtime.kept_caches import open_kept

    try:
        with open_kept(data) as kept:
            return await work(kept)
    except StoreLockedError as error:
        raise _locked(error) from None


def _locked(error: StoreLockedError) -> StoreLockedError:
    return StoreLockedError(error.message, "if that is a sidecar, ask it: `--sidecar http://127.0.0.1:8080`")


async def _described(kept: Any) -> list[dict[str, Any]]:
    from costpol.runtime.cache_keeping import describe_cache

    now = time.time()
    found = []
    for each in kept:
        described = await describe_cache(each.cache, now)
        del described["max_entries"]  # the policy's, which is not at hand
        found.append({"folder": each.folder, "embedder": each.embedder, **described})
    return found


async def _reported(kept: Any, id: str) -> Any:
    from costpol.runtime.cache_keeping import report_wrong as report

    for each in kept:
        found = await report(each.cache, None, id)
        if found is not None:
            return json.decode(json.encode(found))
    return None


def _template(path: Path) -> dict[str, Any]:
    from msgspec import DecodeError

    try:
        found = json.decode(path.read_bytes())
    except OSError as error:
        raise UsageError(f"`{path}` cannot be read: {(error.strerror or 'unknown reason').lower()}") from error
    except (DecodeError, UnicodeDecodeError, RecursionError):
        raise UsageError(f"`{path}` is not JSON", "write the body of a request, without its question") from None
    if not isinstance(found, dict):
        raise UsageError(f"`{path}` is no request", "write the body of a request, without its question")
    return found


def _show(found: Any, format_: str, text: Callable[[Any], str]) -> None:
    click.echo(json.format(_ENCODER.encode(found), indent=2).decode() if format_ == "json" else text(found))


def _stats_text(caches: list[dict[str, Any]]) -> str:
    from costpol.reporting.cache import render_stats

    return render_stats(caches)


def _purge_text(found: dict[str, Any]) -> str:
    answers = "1 answer" if found["purged"] == 1 else f"{found['purged']:,} answers"
    return f"would purge {answers}" if found["dry_run"] else f"purged {answers}"


def _report_text(found: dict[str, Any]) -> str:
    intent = found["intent"] or "otherwise"
    learned = f"{found['verdicts']} verdicts learned" if found["verdicts"] else "nothing was to be learned from it"
    return f"withdrawn: an answer of {found['model']} for the intent {intent}; {learned}"


def _warm_text(found: dict[str, Any]) -> str:
    from costpol.reporting.cache import render_warmed

    return render_warmed(found)
