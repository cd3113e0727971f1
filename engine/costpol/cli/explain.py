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
from costpol.units import format_usd, parse_duration, parse_share, plain, usd

if TYPE_CHECKING:
    from costpol.evaluate.conditions import Considered
    from costpol.evaluate.explain import Explanation

Learned = list[dict[str, object]] | None
"""A row per cache that has learned something; `None` where no data folder was named."""

_HEADINGS = {
    "classify": "intent", "prompt": "prompt", "personalize": "personal", "route": "route", "lookup": "cache",
    "step-down": "budgets", "call": "call", "store": "store",
}  # fmt: skip


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
@click.option(
    "--data", type=click.Path(path_type=Path), help="A sidecar's data folder: show what it learned."
)
@click.option("--spent", multiple=True, metavar="BUDGET=SHARE", help="A budget's use, such as `company=90%`.")
@click.option("--format", "format_", type=click.Choice(("text", "json")), default="text", help="Default: text.")
def command(
    *, policies: Path, message: str | None, request_file: str | None, model: str | None, tenant: str | None,
    user: str | None, agent: str | None, session: str | None, stage: str | None, metadata: tuple[str, ...],
    deadline: str | None, data: Path | None, spent: tuple[str, ...], format_: str,
) -> int:  # fmt: skip
    """Show the way of one request through a policy: what each stage saw and did, and what the call would cost.

    Nothing is called and nothing is remembered: the cache is empty, budgets stand where `--spent` puts them.
    """
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
    explanation, learned = asyncio.run(
        _explain(
            policies=policies,
            message=message,
            request=request,
            caller=caller,
            labels=labels,
            deadline=waits,
            spent=shares,
            data=data,
        )
    )
    click.echo(render_json(explanation, learned) if format_ == "json" else render_text(explanation, learned))
    return 0


def render_json(explanation: Explanation, learned: Learned = None) -> str:
    """The explanation as a JSON document. `learned` is what the caches of a data folder have learned of its intent."""
    document = _document(explanation) | ({} if learned is None else {"learned": learned})
    return json.format(json.Encoder(decimal_format="number").encode(document), indent=2).decode()


def render_text(explanation: Explanation, learned: Learned = None) -> str:
    """The explanation for people: a paragraph per stage."""
    from costpol.pipeline.trace import readable

    lines: list[str] = []
    stage = ""
    for note in explanation.trace:
        if note.stage != stage:
            stage = note.stage
            lines += ["", _HEADINGS.get(stage, stage)]
            if stage == "route":
                lines += [f"  {line}" for line in map(_considered, explanation.rules)]
            if stage == "classify":
                lines += [f"  {line}" for line in map(_considered, explanation.intents)]
        facts = {name: value for name, value in readable(note).items() if name not in ("stage", "what")}
        lines.append(f"  {note.what}{': ' if facts else ''}{', '.join(f'{n} {_value(v)}' for n, v in facts.items())}")
    return "\n".join([*_result(explanation), *lines, *_learned(learned), *_bill(explanation), *_headers(explanation)])


def _learned(learned: Learned) -> list[str]:
    if learned is None:
        return []
    told = [", ".join(f"{name.replace('_', ' ')} {_value(value)}" for name, value in row.items()) for row in learned]
    return ["", "learned", *(f"  {row}" for row in told or ["nothing of this intent yet"])]


def _result(explanation: Explanation) -> list[str]:
    decision = explanation.decision
    if explanation.kind == "call":
        limit = decision.max_output_tokens
        return [f"would call {decision.model}" + ("" if limit is None else f", at most {limit:,} output tokens")]
    if explanation.kind == "refused":
        return [f"would be refused: {explanation.refusal}"]
    return ["would call nothing: no target can be tried"]


def _considered(considered: Considered) -> str:
    if considered.matched:
        return f"+ {considered.name}"
    place = f" ({considered.span.file}:{considered.span.line})" if considered.span.file else ""
    return f"- {considered.name}: `{considered.condition}` does not hold, {considered.saw}{place}"


def _bill(explanation: Explanation) -> list[str]:
    from costpol.pipeline.trace import arithmetic

    if not explanation.bill:
        return []
    total = usd(sum(part.picodollars for part in explanation.bill))
    return [
        "", f"costs at most, by estimated tokens ({explanation.price_source})",
        *(f"  {arithmetic(part)}" for part in explanation.bill),
        f"  together {format_usd(total, 6)}",
    ]  # fmt: skip


def _headers(explanation: Explanation) -> list[str]:
    return ["", "headers", *(f"  {name}: {value}" for name, value in explanation.headers)]


def _document(explanation: Explanation) -> dict[str, Any]:
    from costpol.pipeline.trace import readable

    def considered(each: Considered) -> dict[str, Any]:
        return {
            "name": each.name, "matched": each.matched, "condition": each.condition, "saw": each.saw,
            "file": each.span.file, "line": each.span.line,
        }  # fmt: skip

    cost = sum(part.picodollars for part in explanation.bill)
    return {
        "outcome": explanation.kind,
        "decision": structs.asdict(explanation.decision),
        "trace": [readable(note) for note in explanation.trace],
        "intents": [considered(each) for each in explanation.intents],
        "rules": [considered(each) for each in explanation.rules],
        "refusal": explanation.refusal,
        "estimate": {
            "input_tokens": explanation.input_tokens,
            "output_tokens": explanation.output_tokens,
            "cost_usd": Decimal(plain(usd(cost))) if explanation.bill else None,
            "price": explanation.price_source,
        },
        "headers": dict(explanation.headers),
    }


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value)


async def _explain(
    *, policies: Path, message: str | None, request: Any, caller: Any, labels: dict[str, str], deadline: float | None,
    spent: dict[str, Decimal], data: Path | None,
) -> tuple[Explanation, Learned]:  # fmt: skip
    from costpol.errors import WireError
    from costpol.evaluate.explain import Explainer, message_body, request_body
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
            decoded = decode_request(body)
        except WireError as error:
            raise UsageError(f"the request cannot be read: {error.message}") from None
        explanation = await explainer.explain(Arrival(decoded, caller, time.time(), deadline), spent)
        snapshot = rehearsal.snapshot
        return explanation, None if data is None else learned_of(snapshot, explanation.decision.intent, data)


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
