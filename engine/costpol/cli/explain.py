"""`costpol explain`: why one request is decided as it is, stage by stage, without calling anything."""

from __future__ import annotations

import asyncio
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import DecodeError, json, structs

from costpol.cli.checking import count_errors, tell_errors
from costpol.errors import UsageError
from costpol.policy.loader import read_bundle
from costpol.units import parse_duration, parse_share

if TYPE_CHECKING:
    from costpol.cli.explanation import Told

_EARLIER = 1.0
"""Seconds before the request at which kept messages were answered: within every life that an answer can have."""


@click.command("explain", short_help="why one request is decided as it is")
@click.option("--policies", type=click.Path(path_type=Path), default=Path("policies"), help="Default: policies.")
@click.option("--message", help="The user's message.")
@click.option("--request", "request_file", help="A file with the whole request body as JSON (`-`: standard input).")
@click.option("--model", help="The model that is asked for (default: the strongest of the policy).")
@click.option("--tenant", help="The caller's tenant.")
@click.option("--user", help="The caller's user.")
@click.option("--agent", help="The calling agent.")
@click.option("--session", help="The caller's session.")
@click.option("--stage", help="The stage of the caller's work.")
@click.option("--metadata", multiple=True, metavar="NAME=VALUE", help="A member of the request's metadata.")
@click.option("--deadline", help="How long the caller can wait, such as `6h`.")
@click.option("--data", type=click.Path(path_type=Path), help="A sidecar's data folder: show what it learned.")
@click.option("--spent", multiple=True, metavar="BUDGET=SHARE", help="A budget's use, such as `company=90%`.")
@click.option("--kept", multiple=True, metavar="TEXT", help="A message of the same caller that was answered before.")
@click.option("--format", "format_", type=click.Choice(("text", "json")), default="text", help="Default: text.")
def command(
    *, policies: Path, message: str | None, request_file: str | None, model: str | None, tenant: str | None,
    user: str | None, agent: str | None, session: str | None, stage: str | None, metadata: tuple[str, ...],
    deadline: str | None, data: Path | None, spent: tuple[str, ...], kept: tuple[str, ...], format_: str,
) -> int:  # fmt: skip
    """Show the way of one request through a policy: what each stage saw and did, what the call would cost, and what
    would change that.

    Nothing is called and nothing is remembered: the cache holds what `--kept` names, budgets stand where `--spent` puts
    them.
    """
    from costpol.cli.explanation import render_json, render_text
    from costpol.inference.caller import Caller

    if (message is None) == (request_file is None):
        raise UsageError("name either a message or a request", "write `--message TEXT` or `--request FILE`")
    labels = dict(_pair(each, "--metadata") for each in metadata)
    try:
        shares = {name: parse_share(share) for name, share in (_pair(each, "--spent") for each in spent)}
        waits = None if deadline is None else parse_duration(deadline)
    except ValueError as error:
        raise UsageError(str(error)) from None
    request: Any = None if request_file is None else _read_request(request_file)
    if model is not None:
        request = {"messages": [{"role": "user", "content": message}]} if request is None else request
        request = {**request, "model": model} if isinstance(request, dict) else request
    caller = Caller(tenant, user, agent, session, stage)
    if data is not None and not data.is_dir():
        raise UsageError(f"there is no data folder `{data}`", "name the one that `costpol serve` was given")
    told = asyncio.run(
        _explain(
            policies=policies,
            message=message,
            request=request,
            caller=caller,
            labels=labels,
            deadline=waits,
            spent=shares,
            kept=kept,
            data=data,
        )
    )
    click.echo(render_json(told) if format_ == "json" else render_text(told))
    return 0


async def _explain(
    *, policies: Path, message: str | None, request: Any, caller: Any, labels: dict[str, str], deadline: float | None,
    spent: dict[str, Decimal], kept: tuple[str, ...], data: Path | None,
) -> Told:  # fmt: skip
    from costpol.cli.explanation import Told
    from costpol.errors import WireError
    from costpol.evaluate.explain import Explainer, message_body, request_body
    from costpol.evaluate.kept import Memory
    from costpol.evaluate.nearby import Situation, nearby
    from costpol.evaluate.rehearsal import rehearse
    from costpol.pipeline.arrival import Arrival
    from costpol.providers.openai import decode_request
    from costpol.runtime.learned import learned_of

    async with rehearse(read_bundle(policies), time.time, pays=False) as rehearsal:
        tell_errors(count_errors(rehearsal.snapshot.findings), policies)
        explainer = Explainer(rehearsal)
        bundle = explainer.bundle
        body = message_body(bundle, message or "", labels) if request is None else request_body(bundle, request, labels)
        try:
            arrival = Arrival(decode_request(body), caller, time.time(), deadline)
        except WireError as error:
            raise UsageError(f"the request cannot be read: {error.message}") from None
        memory = Memory()
        for text in kept:
            earlier = structs.replace(arrival, request=decode_request(_saying(text, body)), now=arrival.now - _EARLIER)
            await memory.keep(explainer, earlier, None, None)
        situation = Situation(arrival, spent, memory.replies(explainer, None) if kept else {})
        explained = await explainer.explain(arrival, spent, situation.replies)
        learned = None if data is None else learned_of(rehearsal.snapshot, explained.decision.intent, data)
        return Told(arrival, explained, await nearby(explainer, situation, explained), learned)


def _saying(text: str, body: bytes) -> bytes:
    """A request with another last user message."""
    asked = json.decode(body)
    places = [index for index, message in enumerate(asked["messages"]) if message.get("role") == "user"]
    if not places:
        raise UsageError("the request has no user message in whose place `--kept` could stand")
    asked["messages"][places[-1]] = {"role": "user", "content": text}
    return json.encode(asked)


def _read_request(name: str) -> Any:
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise UsageError(f"`{name}` cannot be read: {(error.strerror or 'unknown reason').lower()}") from error
    try:
        return json.decode(data)
    except (DecodeError, RecursionError):
        raise UsageError(f"`{name}` holds no JSON") from None


def _pair(text: str, option: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise UsageError(f"`{text}` is no pair", f"write `{option} NAME=VALUE`")
    return name, value
