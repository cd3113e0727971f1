"""Everything the decision flow may ask of the world, and every reply it may get.

The flow yields a command and is sent the reply; it performs nothing itself. A handler answers a failure as a value
(`Failed`), it never throws into the flow. Live, replay and explain differ only in who answers.

| command        | reply                                            |
| -------------- | ------------------------------------------------ |
| `Embed`        | `Embedded`, or `Failed`                          |
| `NearestIntents` | tuple of `Neighbour`, nearest first, or `Failed` |
| `LookupExact`  | `Hit`, `None`, or `Failed`                       |
| `LookupSimilar`| tuple of `Hit`, nearest first, or `Failed`       |
| `Judge`        | `Judged`, or `Failed`                            |
| `Learn`        | the name of the answer, or `Failed`              |
| `Admit`        | `Admitted`, or `Failed`                          |
| `Check`        | `Checked`, or `Failed`                           |
| `Join`         | whether an equal question was waited for         |
| `Standing`     | tuple of `int` spent, one per account, or `Failed` |
| `Reserve`      | `Granted`, `Exceeded`, or `Failed`               |
| `Call`         | `Answered`, or `CallFailed`                      |
| `Settle`       | `None`, or `Failed`                              |
| `Store`        | `None`, or `Failed`                              |
"""

from __future__ import annotations

from collections.abc import Collection, Generator
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from costpol.inference.response import Response

if TYPE_CHECKING:
    import numpy as np

    Vector = np.ndarray[tuple[int], np.dtype[np.float32]]


class Failed(Struct, frozen=True, gc=False):
    """What was asked could not be done. `reason` is short, machine-readable and holds no user data."""

    reason: str


# Embedding and intents


class Embed(Struct, frozen=True, gc=False):
    """The vector of a text, by the embedder of the snapshot."""

    text: str


class Embedded(Struct, frozen=True, gc=False):
    """A unit-length vector."""

    vector: Vector


@dataclass(frozen=True, slots=True)
class NearestIntents:
    """The example utterances nearest to a vector."""

    vector: Vector
    limit: int


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One example utterance: whose intent it shows and how near it is (cosine)."""

    intent: str
    example: str
    similarity: float


# Cache


class Scope(Struct, frozen=True, gc=False):
    """Who may read a cache entry: exactly the callers whose identity makes the same scope.

    `key` is `global`, `tenant:<tenant>` or `user:<tenant>:<user>`, with every part percent-encoded, so that no
    tenant's name can spell another's scope.
    """

    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One cached answer, as stored. `body` is the provider's complete JSON answer.

    `partition` digests everything that must be equal besides the question (model class, system prompt, tools, template
    and version, output format, sampling, history, embedder); `question` digests the question itself.
    """

    partition: str
    question: str
    scope: Scope
    intent: str
    text: str
    """The embedded text, kept to explain hits and to refit; empty where the policy says not to keep prompts."""
    body: bytes
    model: str
    created: float
    expires: float
    cost_picodollars: int
    """What the answer cost: what a hit saves."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    template: str = ""
    """`name@version` of the prompt template, for invalidation."""
    answer_id: str | None = None
    """The name of the right answer: where a log states it that, else one of `own_name` by which a cache that learns
    knows it again."""
    tags: tuple[str, ...] = ()
    """The policy's own marks, for invalidation."""

    @property
    def id(self) -> str:
        """The identity of an exact repeat: same partition, same question, same scope."""
        return f"{self.partition}/{self.question}/{self.scope.key}"

    @property
    def stated_answer(self) -> str | None:
        """`answer_id` where a log stated it."""
        return None if self.answer_id is None or self.answer_id.startswith(_OWN) else self.answer_id

    @property
    def reference(self) -> str:
        """How people name the entry."""
        return reference_of(self.id)


_OWN = "costpol:"


def own_name(unique: str) -> str:
    """A name for an answer that no log has named."""
    return _OWN + unique


def reference_of(identity: str) -> str:
    """A digest of an entry's identity (`Entry.id`), spelled as a UUID: it tells nothing of scope or question."""
    # A lone surrogate, which JSON can spell, must not make a lookup fail.
    digits = sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"


class LookupExact(Struct, frozen=True, gc=False):
    """The unexpired entry of exactly this identity."""

    partition: str
    question: str
    scope: Scope
    now: float


class LookupSimilar(Struct, frozen=True, gc=False):
    """The unexpired entries nearest to a vector, inside one partition, scope and intent."""

    vector: Vector
    partition: str
    scope: Scope
    intent: str
    now: float
    limit: int


class Hit(Struct, frozen=True, gc=False):
    """A stored entry and its similarity (cosine; 1.0 for an exact repeat)."""

    entry: Entry
    similarity: float


class Judge(Struct, frozen=True, gc=False):
    """Which of the near entries surely has the answer, so that at most `limit` (a share) of such hits is wrong.

    `hits` come nearest first and are all within the asker's scope. What one of the `guards` refuses is evidence, but is
    not given. `chance`, in [0, 1), picks what is answered afresh to learn from it: a share of about `verify`.
    """

    vector: Vector
    text: str
    hits: tuple[Hit, ...]
    intent: str
    limit: float
    chance: float
    verify: float
    confidence: float = 0.9
    """With which the limit is to be kept."""
    guards: Collection[str] = ()


class Judged(Struct, frozen=True, gc=False):
    """`place` is the hit to give, `None` where a model is to be asked; `why` says it in words. `ticket` names the
    judgement for `Learn`, or, where the hit is one that is picked to `verify`, for `Check`. `probability` (of being
    right) and `cut` are `None` before there is evidence."""

    place: int | None
    why: str
    ticket: int
    probability: float | None = None
    cut: float | None = None
    verify: bool = False
    refused: tuple[int, str] | None = None
    """The nearest hit with the chosen answer, and the guard that refuses it; another with that answer may be given."""


class Learn(Struct, frozen=True, gc=False):
    """A model was asked after a judgement: compare its answer with the kept ones. `answer_id` names the right answer
    where a log states it; live it is found by comparing `content`."""

    ticket: int
    content: str
    answer_id: str | None


class Admit(Struct, frozen=True, gc=False):
    """Whether a hit over a fixed threshold may be given: verified hits that turned out wrong may have raised it.

    `limit` is the share of them that may be wrong; `chance`, in [0, 1), picks the share `verify` of hits to verify.
    """

    hit: Hit
    intent: str
    threshold: float
    limit: float
    verify: float
    chance: float


class Admitted(Struct, frozen=True, gc=False):
    """The threshold as it stands; more than 1 where no likeness is enough. `ticket` is for the `Check` of a hit that
    is picked."""

    threshold: float
    ticket: int | None = None


class Check(Struct, frozen=True, gc=False):
    """A hit was given and the question answered afresh behind it: compare. `answer_id` names the right answer where a
    log states it."""

    ticket: int
    content: str
    answer_id: str | None


class Checked(Struct, frozen=True, gc=False):
    """Whether the kept answer says the `same` as the fresh one (`None`: that cannot be told), and the name under which
    the fresh one is to be kept."""

    same: bool | None
    answer_id: str | None


@dataclass(frozen=True, slots=True)
class Join:
    """Wait while a question of this identity (`Entry.id`) is being answered, `patience` seconds at most.

    Where nobody answers it yet, this request is the one that others wait for, until its flow ends.
    """

    identity: str
    patience: float


class Store(Struct, frozen=True, gc=False):
    """Keep an answer. Without a vector only an exact repeat will find it."""

    entry: Entry
    vector: Vector | None


# Budgets


class Account(Struct, frozen=True, gc=False):
    """One counter of the ledger: what one subject may use of one unit in one window.

    `name` is stable across policy reloads (budget, unit and subject, percent-encoded): a changed limit keeps what was
    spent. `since` is the start of the window (epoch seconds) and `bucket` the start of the slice that new use is booked
    under: for a calendar window both are the same; a rolling window sums its slices from `since` on. `until` is when it
    is worth trying again, which is what `retry-after` tells.
    """

    name: str
    since: float
    bucket: float
    until: float

    def frees(self, bucket: float) -> float:
        """When what was booked in a slice stops counting: the end of a calendar window, or a whole length later."""
        return bucket + self.until - self.since


class Hold(Struct, frozen=True, gc=False):
    """An amount to set aside in an account, refused where used and held would then exceed `limit`.

    Amounts are whole picodollars, tokens or calls, whichever the account counts.
    """

    account: Account
    amount: int
    limit: int
    budget: str
    """The budget's name in the policy, for the refusal."""


class Standing(Struct, frozen=True, gc=False):
    """How much is used and held in each account now."""

    accounts: tuple[Account, ...]
    now: float


class Reserve(Struct, frozen=True, gc=False):
    """Set all holds aside, or none. A reservation never settled lapses at `expires`."""

    holds: tuple[Hold, ...]
    now: float
    expires: float


class Granted(Struct, frozen=True, gc=False):
    """All holds are set aside."""

    reservation: int


class Exceeded(Struct, frozen=True, gc=False):
    """Nothing was set aside: `hold` would exceed its limit. `used` counts what is used and held, `oldest` is the start
    of the oldest slice that counts."""

    hold: Hold
    used: int
    oldest: float | None = None


class Settle(Struct, frozen=True, gc=False):
    """Replace what was held by what was used, in the order of the holds; all zero refunds."""

    reservation: int
    amounts: tuple[int, ...]
    now: float


# Model calls


class Edit(Struct, frozen=True, gc=False):
    """What the policy changes in a request. Whatever is `None` or empty leaves the bytes of that member alone."""

    model: str | None = None
    """The upstream's name of the model."""
    max_output_tokens: int | None = None
    system: str | None = None
    """The system prompt that replaces the request's own."""
    tools: tuple[str, ...] | None = None
    """The names of the tools to keep."""
    json_output: bool = False
    ask_usage: bool = False
    """Ask a stream for its usage; the extra event does not reach the caller."""
    whole: bool = False
    """Ask for the answer in one piece where the caller wanted a stream."""

    @property
    def empty(self) -> bool:
        return self == _NO_EDIT


_NO_EDIT = Edit()


class Call(Struct, frozen=True, gc=False):
    """Ask a model. `headers` describe the decision so far (`x-costpol-...`), for a stream whose head must leave first.
    `last` says that no other target follows, so that a failure may be passed on as it came."""

    provider: str
    model: str
    edit: Edit
    timeout: float
    headers: tuple[tuple[str, str], ...] = ()
    last: bool = True


class Answered(Struct, frozen=True, gc=False):
    """The model answered, wholly or in part (see `Response.complete`). `sent` says that it has already reached the
    caller as a stream."""

    response: Response
    sent: bool = False


class CallFailed(Struct, frozen=True, gc=False):
    """The model did not answer. `kind`: `status`, `timeout`, `unreachable`, `broken`. Nothing has reached the caller.

    `status` and `body` are the upstream's own, to be passed on where nothing else can be tried.
    """

    kind: str
    status: int | None = None
    body: bytes | None = None
    content_type: str = "application/json"
    retry_after: str | None = None


Command = (
    Embed | NearestIntents | LookupExact | LookupSimilar | Judge | Learn | Admit | Check | Join
    | Standing | Reserve | Call | Settle | Store
)  # fmt: skip

Flow = Generator[Command, Any, Any]
"""The type of a stage or of the whole flow: yields commands, is sent replies."""
