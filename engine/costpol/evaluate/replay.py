"""The replay of a log: recorded requests go through the flow that live traffic takes, driven by the same driver.

Embedder, intent index, cache and ledger are the real ones; only the model's answer comes from the record, with the
tokens that the policy would have changed. The clock is the log's own.

What a call would have taken is what it took, except:

- a template or left-out tools change the input tokens by the difference of the two bodies' estimates;
- an answer longer than the policy allows ends at the limit (and is not kept, as a cut-off answer never is);
- prompt-cache hits stand as recorded while a model of the same family is called (`gpt-4.1` and `gpt-4.1-mini`); any
  other model starts cold, and its input is taken at full price.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec.structs import replace

from costpol.commands import Answered, Call, Command, Edit, Failed, LookupSimilar, Reserve, Settle
from costpol.diagnostics import Severity
from costpol.evaluate.budget_use import BudgetUse
from costpol.evaluate.record import Record
from costpol.evaluate.rehearsal import Rehearsal
from costpol.inference.request import Request
from costpol.inference.response import Response
from costpol.inference.tokens import request_tokens
from costpol.inference.usage import Usage
from costpol.pipeline.decision import Outcome, Verified
from costpol.pipeline.draft import Draft
from costpol.pipeline.flow import Pipeline
from costpol.pipeline.signals import Signals
from costpol.pipeline.target import Target
from costpol.providers.openai import decode_request, encode_request
from costpol.runtime.live import Handlers, drive, drive_behind

if TYPE_CHECKING:
    from costpol.commands import Hit

_UPKEEP_EVERY = 500
"""Requests between two sweeps of expired answers and lapsed holds, which the sidecar does by the clock."""
_DATED = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{8})$")


@dataclass(frozen=True, slots=True)
class Planned:
    """What the policy makes of a request's tokens before any budget steps in."""

    input_delta: int = 0
    """Input tokens that a template or left-out tools add."""
    output_limit: int | None = None
    """The longest answer, over all answers asked for; `None` where the recorded one already stood under the limit."""

    def usage(self, recorded: Usage) -> Usage:
        """The recorded usage with both changes."""
        return limited(with_input(recorded, self.input_delta), self.output_limit)


@dataclass(frozen=True, slots=True)
class Replayed:
    """One request after its replay. `planned` is what prompts and limits make of it, `similar` whether the cache was
    asked for alike questions."""

    record: Record
    outcome: Outcome
    planned: Planned
    similar: bool
    verified: Verified | None = None
    """What came of answering a hit afresh behind it."""


class Replay:
    """One policy at work on a log. Feed it records in their order."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        snapshot = rehearsal.snapshot
        self.pipeline: Pipeline = snapshot.pipeline
        self.prices = snapshot.prices
        self.errors = sum(finding.severity is Severity.ERROR for finding in snapshot.findings)
        self.budgets = BudgetUse(snapshot.bundle, rehearsal.stores.ledger)
        self._stores = rehearsal.stores
        self._handlers = self._observed(snapshot.handlers)
        self._count = 0
        self._similar = False
        self._planned: Planned | None = None

    async def run(self, record: Record) -> Replayed:
        """What the policy decides on the request, and what it costs then."""
        self._count += 1
        if self._count % _UPKEEP_EVERY == 0:
            self._stores.sweep(record.arrival.now)
        self._similar = False
        self._planned = None

        async def call(command: Call) -> Answered:
            return self._answer(command, record)

        flow = self.pipeline.flow(record.arrival)
        outcome = await drive(flow, self._handlers, call, self._stores.unsettled)
        planned = self._planned
        if planned is None or outcome.decision.rungs:
            planned = self._plan(record, outcome)
        verified = None
        if outcome.behind is not None:
            verified = await drive_behind(outcome.behind, self._handlers, call, self._stores.unsettled)
        return Replayed(record, outcome, planned, self._similar, verified)

    def _observed(self, handlers: Handlers) -> Handlers:
        """The same handlers, with an eye on what budgets and lookups do."""
        inline = dict(handlers.inline)
        inline[Reserve] = self.budgets.reserve
        inline[Settle] = self.budgets.settle
        lookup = inline.get(LookupSimilar)
        if lookup is not None:

            def lookup_similar(command: Command) -> tuple[Hit, ...] | Failed:
                self._similar = True
                found: tuple[Hit, ...] | Failed = lookup(command)
                return found

            inline[LookupSimilar] = lookup_similar
        return Handlers(inline, handlers.waiting, handlers.served)

    def _answer(self, command: Call, record: Record) -> Answered:
        """The recorded answer as this model would have given it."""
        planned = self._planned = planned_by(command.edit, record.arrival.request)
        target = self.pipeline.targets[command.model]
        usage = planned.usage(usage_on(record, target))
        answer = record.answer
        finish = "length" if cuts_off(record, planned) else answer.finish_reason
        response = Response(
            answer.content, finish, usage, target.upstream_name, answer.tool_calls, answer.refusal, answer.answers,
            answer.body,
        )  # fmt: skip
        return Answered(response)

    def _plan(self, record: Record, outcome: Outcome) -> Planned:
        """The plan of a request that was not called, or whose budget had changed it: the flow's own stages again, up to
        where caches and budgets begin."""
        pipeline, request = self.pipeline, record.arrival.request
        draft = Draft(pipeline.digest, Signals(record.arrival, pipeline.keywords, pipeline.count))
        draft.intent = draft.signals.intent = outcome.decision.intent
        pipeline.prompt.run(draft)
        pipeline.route.run(draft)
        return planned_by(draft.edit(draft.targets[0], ask_usage=False), request) if draft.targets else Planned()


def planned_by(edit: Edit, request: Request) -> Planned:
    """What an edit does to the tokens of a request."""
    delta = 0
    if edit.system is not None or edit.tools is not None:
        changed = encode_request(request, Edit(system=edit.system, tools=edit.tools))
        if changed is not request.raw:
            delta = request_tokens(decode_request(changed)) - request_tokens(request)
    limit = edit.max_output_tokens
    return Planned(delta, None if limit is None else limit * request.answers)


def usage_on(record: Record, target: Target) -> Usage:
    """The recorded usage as another model would have had it: its prompt cache stays warm within a family only."""
    return record.usage if same_family(record.arrival.request.model, target.upstream_name) else cold(record.usage)


def cold(usage: Usage) -> Usage:
    """The same tokens without any prompt-cache hit or write."""
    if usage.cache_read_tokens is None and usage.cache_write_tokens is None:
        return usage
    return replace(
        usage, cache_read_tokens=None, cache_write_tokens=None, cache_write_1h_tokens=None, cache_audio_read_tokens=None
    )


def with_input(usage: Usage, delta: int) -> Usage:
    """The usage with more or fewer input tokens, never none; what was cached is part of them."""
    if not delta:
        return usage
    count = max((usage.input_tokens or 0) + delta, 1)
    read, write = usage.cache_read_tokens, usage.cache_write_tokens
    read = None if read is None else min(read, count)
    write = None if write is None else min(write, count - (read or 0))
    long = usage.cache_write_1h_tokens
    return replace(
        usage, input_tokens=count, cache_read_tokens=read, cache_write_tokens=write,
        cache_write_1h_tokens=None if long is None else min(long, write or 0), estimated=True,
    )  # fmt: skip


def limited(usage: Usage, limit: int | None) -> Usage:
    """The usage with at most `limit` output tokens."""
    if limit is None or (usage.output_tokens or 0) <= limit:
        return usage
    return replace(usage, output_tokens=limit, reasoning_tokens=None)


def cuts_off(record: Record, planned: Planned) -> bool:
    """Whether the recorded answer is longer than the policy lets it be."""
    return planned.output_limit is not None and (record.usage.output_tokens or 0) > planned.output_limit


@lru_cache(maxsize=4096)
def same_family(one: str, other: str) -> bool:
    """Whether two model names are one model, or one starts with the other: `gpt-4.1` and `gpt-4.1-mini`."""
    left, right = (_DATED.sub("", name.rpartition("/")[2]) for name in (one, other))
    return left == right or left.startswith(f"{right}-") or right.startswith(f"{left}-")
