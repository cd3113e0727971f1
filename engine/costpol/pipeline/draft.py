"""The decision in the making: one per request, filled in by the stages in their order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from costpol.commands import Edit, Scope
from costpol.inference.tokens import message_tokens
from costpol.pipeline.accounts import OpenAccounts
from costpol.pipeline.caching import leading_prompts
from costpol.pipeline.decision import Decision, Note, Refusal
from costpol.pipeline.signals import Signals
from costpol.pipeline.target import Target

if TYPE_CHECKING:
    from costpol.commands import Vector
    from costpol.pipeline.caching import CachePlan


@dataclass(slots=True)
class Draft:
    """What is decided so far. Each stage writes its own fields and reads those of the stages before it."""

    policy: str
    signals: Signals
    trace: list[Note] = field(default_factory=list)

    # classify
    intent: str | None = None
    vector: Vector | None = None
    unembedded: str | None = None
    """Why the question has no vector; who failed once is not asked again for the same request."""

    # prompt
    template: str | None = None
    system: str | None = None
    variables: frozenset[str] = frozenset()
    volatile: bool = False
    tools: tuple[str, ...] | None = None
    json_output: bool = False
    max_output_tokens: int | None = None

    # personalize
    personal: bool = False

    # route
    rule: str | None = None
    targets: tuple[Target, ...] = ()
    refusal: Refusal | None = None

    # lookup
    cache: str = "bypass; off"
    plan: CachePlan | None = None
    scope: Scope | None = None
    partition: str = ""
    question: str = ""
    alike: bool = False
    """Whether a question that is alike may be answered with this one's answer."""
    ticket: int | None = None
    """The judgement that the fresh answer will teach."""
    overhead: int = 0
    """What deciding itself cost, in picodollars: embeddings by a paid endpoint."""

    # step-down and call
    accounts: OpenAccounts = ()
    """The budgets that apply to the caller, each with its counter."""
    rungs: tuple[str, ...] = ()
    refused: str | None = None
    unanswered: int = 0
    """What calls may cost whose answer never arrived, in picodollars: all that a budget sets aside for them."""
    model: str | None = None
    attempts: tuple[str, ...] = ()
    stored: bool = False
    entry: str | None = None
    """The reference of the kept answer: the one given, or the one stored."""

    fresh: int | None = None
    """Of a hit that is to be answered afresh behind its caller, the ticket for the comparison."""
    behind: bool = False
    """Whether nobody waits for the call: its answer is only compared, and kept."""
    learned: str | None = None
    """The name that the cache has given to the fresh answer."""

    routed: Target | None = None
    """The target that the rule names first, before any budget stepped in."""

    def note(self, stage: str, what: str, **facts: Any) -> None:
        """Add a line to the trace."""
        self.trace.append(Note(stage, what, facts))

    def cap_output(self, limit: int | None) -> None:
        """Limit the answer's length; the tightest limit counts."""
        if limit is not None and (self.max_output_tokens is None or limit < self.max_output_tokens):
            self.max_output_tokens = limit

    @property
    def output_limit(self) -> int | None:
        """The longest answer that policy and request together allow."""
        asked, capped = self.signals.request.max_output_tokens, self.max_output_tokens
        if asked is None or capped is None:
            return asked if capped is None else capped
        return min(asked, capped)

    @property
    def input_tokens(self) -> int:
        """Input tokens of what is sent: the request's own, with its system prompt replaced. Tools that are left out
        still count, so that the figure is rather too high."""
        signals = self.signals
        if self.system is None:
            return signals.tokens
        messages = signals.request.messages
        replaced = messages[: leading_prompts(messages)]
        own = sum(message_tokens(message, signals.count) for message in replaced)
        return signals.tokens - own + signals.count(self.system) + 4

    def edit(self, target: Target, *, ask_usage: bool) -> Edit:
        """What has to change in the request for this target."""
        request = self.signals.request
        limit = self.output_limit
        if limit is not None and target.max_output is not None and limit > target.max_output:
            limit = target.max_output  # the caller's limit may suit a larger model only
        return Edit(
            model=None if target.upstream_name == request.model else target.upstream_name,
            max_output_tokens=None if limit == request.max_output_tokens else limit,
            system=self.system,
            tools=self.tools,
            json_output=self.json_output and "json" not in target.lacks,
            ask_usage=ask_usage and request.stream and not request.wants_usage and not self.behind,
            whole=self.behind and request.stream,
        )

    def decision(self) -> Decision:
        """The decision as far as it is made."""
        return Decision(
            policy=self.policy,
            intent=self.intent,
            personal=self.personal,
            template=self.template,
            rule=self.rule,
            routed=self.routed.model if self.routed else None,
            model=self.model,
            attempts=self.attempts,
            max_output_tokens=self.output_limit,
            cache=self.cache,
            scope=self.scope.kind if self.scope else None,
            rungs=self.rungs,
            refused=self.refused,
            stored=self.stored,
            entry=self.entry,
        )
