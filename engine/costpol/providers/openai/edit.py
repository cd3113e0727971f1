"""A request with the policy's changes: the members that change are written anew, all others keep their very bytes.

Order is kept too, because a provider's prompt cache lives on an unchanged beginning.
"""

from __future__ import annotations

import re

from msgspec import Raw, Struct, json

from costpol.commands import Edit
from costpol.inference.request import Request
from costpol.providers.openai.errors import wire_error
from costpol.providers.openai.members import Members, encode, read_members
from costpol.providers.openai.request import Tool

_LIMITS = ("max_tokens", "max_completion_tokens")
_REASONING = re.compile(r"(?:.*/)?(?:ft:)?(?:o[1-9]|gpt-(?:[5-9]|[1-9][0-9]))(?![0-9])")
"""Models that refuse `max_tokens` and want `max_completion_tokens`: the o series, and gpt-5 and later."""
_NULL = Raw(b"null")


class _Role(Struct, gc=False):
    role: str


class _Function(Struct, gc=False):
    name: str = ""


class _AllowedTools(Struct, gc=False):
    tools: list[Tool] = []


class _Choice(Tool, gc=False):
    name: str | None = None
    allowed_tools: _AllowedTools | None = None


_RAWS = json.Decoder(list[Raw])
_TOOLS = json.Decoder(list[Tool])
_FUNCTIONS = json.Decoder(list[_Function])
_CHOICE = json.Decoder(_Choice)
_ROLE = json.Decoder(_Role)
_OPTIONS = json.Decoder(Members)


def encode_request(request: Request, edit: Edit) -> bytes:
    """The body to send. Without an edit, or where the edit changes nothing, it is `request.raw` itself.

    A caller's own lower output limit stands. A tool that the caller forces stays. Where nothing in the messages
    mentions JSON, `json_output` changes nothing: the provider refuses JSON mode for such a prompt.
    """
    if edit.empty:
        return request.raw
    before = request.members or read_members(request.raw)
    members: Members = dict(before)
    if edit.model is not None and edit.model != request.model:
        members["model"] = Raw(encode(edit.model))
    if edit.system is not None:
        _set_system(members, request, edit.system)
    if edit.tools is not None:
        _keep_tools(members, "tools", "tool_choice", frozenset(edit.tools))
        _keep_tools(members, "functions", "function_call", frozenset(edit.tools))
    _limit_output(members, edit.max_output_tokens, edit.model or request.model)
    if edit.json_output and not _given(members, "response_format") and b"json" in bytes(members["messages"]).lower():
        members["response_format"] = Raw(b'{"type":"json_object"}')
    if edit.ask_usage and request.stream and not request.wants_usage:
        _ask_usage(members)
    if edit.whole:
        members.pop("stream", None)
        members.pop("stream_options", None)
    return request.raw if members == before else encode(members)


def _given(members: Members, name: str) -> bool:
    return bytes(members.get(name, _NULL)) != b"null"


def _set_system(members: Members, request: Request, text: str) -> None:
    leading = 0
    while leading < len(request.messages) and request.messages[leading].role == "system":
        leading += 1
    replaced, kept = request.messages[:leading], request.messages[leading:]
    if [message.text for message in replaced] == [text]:
        return
    role = _ROLE.decode(replaced[0].raw).role if replaced else "system"
    system = [Raw(encode({"role": role, "content": text}))] if text else []
    members["messages"] = Raw(encode(system + [Raw(message.raw) for message in kept]))


def _keep_tools(members: Members, offer: str, choice: str, names: frozenset[str]) -> None:
    if not _given(members, offer):
        return
    raws = _RAWS.decode(members[offer])
    if offer == "tools":
        offered = [tool.called for tool in _TOOLS.decode(members[offer])]
    else:
        offered = [function.name for function in _FUNCTIONS.decode(members[offer])]
    wanted = names | _forced(members.get(choice, _NULL))
    kept = [raw for raw, name in zip(raws, offered, strict=True) if name in wanted]
    if len(kept) == len(raws):
        return
    if kept:
        members[offer] = Raw(encode(kept))
        return
    for name in (offer, choice, "parallel_tool_calls"):
        members.pop(name, None)


def _forced(choice: Raw) -> set[str]:
    """The tools that the caller names in the choice: without them the provider would refuse the request."""
    if not bytes(choice).startswith(b"{"):
        return set()
    try:
        chosen = _CHOICE.decode(choice)
    except (ValueError, RecursionError) as error:
        raise wire_error(error, within="tool_choice") from None
    if chosen.name is not None:
        return {chosen.name}
    if chosen.allowed_tools is not None:
        return {tool.called for tool in chosen.allowed_tools.tools}
    return {chosen.called}


def _limit_output(members: Members, limit: int | None, model: str) -> None:
    reasoning = _REASONING.match(model) is not None
    if reasoning and _given(members, "max_tokens"):
        _rename(members, "max_tokens", "max_completion_tokens")
    if limit is None:
        return
    given = [name for name in _LIMITS if _given(members, name)]
    for name in given:
        members[name] = Raw(encode(min(limit, json.decode(members[name], type=int))))
    if not given:
        members["max_completion_tokens" if reasoning else "max_tokens"] = Raw(encode(limit))


def _rename(members: Members, old: str, new: str) -> None:
    value = members.pop(old)
    if not _given(members, new):
        members[new] = value


def _ask_usage(members: Members) -> None:
    options = _OPTIONS.decode(members["stream_options"]) if _given(members, "stream_options") else {}
    members["stream_options"] = Raw(encode(options | {"include_usage": Raw(b"true")}))
