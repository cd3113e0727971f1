"""The golden decisions in `tests/cases/decisions`: data that any engine can be held against.

A case has a `note`, `policy` (the text of its files by kind, without their `kind:` line; `default` is the bundle that
ships), the `request` (an OpenAI chat completion body), the `caller`, `now`, `deadline`, the `replies` in the order in
which the engine must ask, and the decision to `want`. A reply is `{<command>: <word or members>}`; `asked` beside it
states members of the command.
"""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec import Struct
from msgspec.structs import asdict
from playbook import Playbook
from situation import EMBEDDED, answered, default_policy, kept, policy

import costpol.commands as words
from costpol.inference.caller import Caller
from costpol.inference.usage import Usage
from costpol.pipeline.arrival import Arrival
from costpol.pipeline.decision import Decision
from costpol.pipeline.flow import Pipeline
from costpol.providers.openai import decode_request

CASES = Path(__file__).parents[2] / "cases" / "decisions"
NAMES = sorted(path.stem for path in CASES.glob("*.yaml"))


def said(command: Any, reply: Any) -> Any:
    """The engine's own value for a reply as a case writes it."""
    if isinstance(reply, dict) and "failed" in reply:
        failed = reply["failed"]
        return words.CallFailed(**failed) if isinstance(failed, dict) else words.Failed(failed)
    match command, reply:
        case words.Embed(), _:
            return EMBEDDED
        case words.NearestIntents(), list():
            return tuple(words.Neighbour(**each) for each in reply)
        case words.LookupExact(), dict():
            return kept(command, **reply)
        case words.LookupSimilar(), list():
            return tuple(kept(command, **each) for each in reply)
        case words.Standing(), list():
            return tuple(reply)
        case words.Reserve(), {"exceeded": budget}:
            hold = next(hold for hold in command.holds if hold.budget == budget)
            return words.Exceeded(hold, hold.limit)
        case words.Reserve(), "granted":
            return words.Granted(1)
        case words.Call(), dict():
            usage = Usage(**reply.get("usage", {"input_tokens": 20, "output_tokens": 5}))
            return answered(**{**reply, "usage": usage})
        case words.Call(), "answered":
            return answered()
    assert reply in (None, "none", "done"), f"what does {reply!r} answer to {command!r}"
    return () if isinstance(command, words.NearestIntents | words.LookupSimilar) else None


def check(place: str, value: Any, want: Any) -> None:
    """Only what is written is compared; a mapping goes down into members."""
    if isinstance(want, dict):
        members = value if isinstance(value, dict) else {name: getattr(value, name) for name in names(value)}
        for name, inner in want.items():
            assert name in members, f"{place} has no `{name}`"
            check(f"{place}.{name}", members[name], inner)
    elif isinstance(want, list):
        assert len(value) == len(want), f"{place} is {value}"
        for index, inner in enumerate(want):
            check(f"{place}[{index}]", value[index], inner)
    else:
        assert value == want, f"{place} is {value!r}, not {want!r}"


def names(value: Any) -> tuple[str, ...]:
    return value.__struct_fields__ if isinstance(value, Struct) else tuple(field.name for field in fields(value))


def pipeline_of(case: dict[str, Any]) -> Pipeline:
    return default_policy() if case["policy"] == "default" else policy(**case["policy"])


@pytest.mark.parametrize("name", NAMES)
def test_the_decision_is_the_golden_one(name: str) -> None:
    case = yaml.safe_load((CASES / f"{name}.yaml").read_text(encoding="utf-8"))
    assert set(case) <= {"note", "policy", "request", "caller", "now", "deadline", "replies", "want"}, name
    assert case["note"].strip()
    now = datetime.fromisoformat(case.get("now", "2026-01-15T12:00:00+00:00")).timestamp()
    request = decode_request(json.dumps(case["request"]).encode())
    arrival = Arrival(request, Caller(**case.get("caller", {})), now, case.get("deadline"))
    with Playbook(pipeline_of(case), arrival) as talk:
        for turn in case.get("replies", ()):
            asked = turn.pop("asked", {})
            ((command, reply),) = turn.items()
            pending = talk.expect(getattr(words, command))
            check(command, pending, asked)
            talk.reply(said(pending, reply))
        outcome = talk.outcome
    check("outcome", outcome, {key: value for key, value in case["want"].items() if key != "decision"})
    check("decision", {**asdict(outcome.decision)}, case["want"]["decision"])


def test_there_are_cases_and_every_member_of_a_decision_is_wanted_by_one() -> None:
    wanted: set[str] = set()
    for name in NAMES:
        wanted |= yaml.safe_load((CASES / f"{name}.yaml").read_text(encoding="utf-8"))["want"]["decision"].keys()
    assert set(Decision.__struct_fields__) - {"policy"} <= wanted
