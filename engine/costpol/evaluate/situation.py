"""What a case starts from: the case itself on top of its fixture, member by member, ready to be decided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from costpol.evaluate.explain import message_body, request_body
from costpol.evaluate.record import FIRST_INSTANT
from costpol.inference.caller import Caller
from costpol.pipeline.arrival import Arrival
from costpol.policy.bundle import Bundle
from costpol.policy.nodes.tests import Case, Fixture, Kept, Tests, Who
from costpol.providers.openai import decode_request

_NO_FIXTURE = Fixture()


@dataclass(frozen=True, slots=True)
class Before:
    """A request that came earlier, what its nearest example showed and how alike it is, where that is recorded."""

    arrival: Arrival
    intent: str | None
    similarity: float | None


@dataclass(frozen=True, slots=True)
class Situation:
    """One case, ready to be decided. `intent` is what its nearest example showed, where that is recorded."""

    name: str
    arrival: Arrival
    spent: Mapping[str, Decimal]
    intent: str | None
    before: tuple[Before, ...]


def situations(case: Case, tests: Tests, bundle: Bundle) -> Iterator[Situation]:
    """The situation of a case; one for each message where it has several.

    Raises `WireError` for a request that cannot be read.
    """
    fixture = tests.fixtures[case.use] if case.use is not None else _NO_FIXTURE
    now = next((each for each in (case.now, fixture.now, tests.now) if each is not None), FIRST_INSTANT)
    who = _who(case.caller, fixture.caller)
    intent = case.signals.intent or fixture.signals.intent
    deadline = fixture.deadline if case.deadline is None else case.deadline
    metadata = {**fixture.metadata, **case.metadata}
    for message in case.messages or (case.message,):
        request = decode_request(_body(case, fixture, message, metadata, bundle))
        yield Situation(
            name=case.name if len(case.messages) < 2 else f"{case.name} ({message})",
            arrival=Arrival(request, _caller(who), now, deadline),
            spent={**fixture.spent, **case.spent},
            intent=intent,
            before=tuple(_before(kept, who, intent, now, bundle) for kept in (*fixture.kept, *case.kept)),
        )


def _body(case: Case, fixture: Fixture, message: str | None, metadata: Mapping[str, str], bundle: Bundle) -> bytes:
    base = fixture.request
    if base is None:
        return _asked(message, case.request, metadata, bundle)
    if not isinstance(base, Mapping):
        return request_body(bundle, base, {})
    body: dict[str, Any] = {**base, **case.request} if isinstance(case.request, Mapping) else dict(base)
    if message is not None:
        said = base.get("messages")
        body["messages"] = [*(said if isinstance(said, list) else ()), {"role": "user", "content": message}]
    return request_body(bundle, body, metadata)


def _asked(message: str | None, request: Any, metadata: Mapping[str, str], bundle: Bundle) -> bytes:
    return request_body(bundle, request, metadata) if message is None else message_body(bundle, message, metadata)


def _before(kept: Kept, who: Who, intent: str | None, now: float, bundle: Bundle) -> Before:
    body = _asked(kept.message, kept.request, kept.metadata, bundle)
    arrival = Arrival(decode_request(body), _caller(kept.caller or who), now - kept.age)
    return Before(arrival, kept.intent or intent, None if kept.similarity is None else float(kept.similarity))


def _who(case: Who, fixture: Who) -> Who:
    written = {name: getattr(case, name) for name in ("tenant", "user", "agent", "session", "stage")}
    return replace(fixture, **{name: value for name, value in written.items() if value is not None})


def _caller(who: Who) -> Caller:
    return Caller(who.tenant, who.user, who.agent, who.session, who.stage)
