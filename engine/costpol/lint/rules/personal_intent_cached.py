"""Answers about the caller's own things would be given to somebody else.

## Bad

```yaml
kind: intents
intents:
  faq: {examples: [what is the return policy]}
  order-status: {examples: [where is my parcel, has my order been shipped]}
---
kind: cache
intents:
  order-status: {ttl: 1h, scope: global}
```

## Good

```yaml
kind: intents
intents:
  faq: {examples: [how do I track my order]}
  order-status: {examples: [where is my parcel, has my order been shipped]}
---
kind: cache
intents:
  faq: {ttl: 24h, scope: global}
  order-status: {ttl: 1h, scope: global}
---
kind: personalization
exclusions:
  - phrases: [my parcel, my order]
```

## Why

"Where is my order" is the same question from everybody, and has another answer for everybody. No similarity threshold
tells the two apart: the texts are equal. At least one team has served one customer's data to another this way.

An intent counts as personal where it says `personal: true`, or where an example asks about a record that the caller
holds (`my order`, `our last invoice`) and no exclusion recognises its words. Where exclusions recognise such examples,
and these are half of the intent or more, they have to recognise the others, too. A question for a procedure, such as
"how do I track my order", has the same answer for everybody and does not count. Only English is recognised.
"""

from __future__ import annotations

from collections.abc import Iterator

from costpol.diagnostics import Diagnostic, Related, Severity
from costpol.lint.caching import Caching, cached, declared
from costpol.lint.facts import Facts
from costpol.lint.possession import Recogniser, possession, utterances
from costpol.lint.reach.work import TooManyError, Work
from costpol.policy.bundle import Bundle
from costpol.policy.nodes.intents import Intent

CODE, NAME, SEVERITY = "CP303", "personal-intent-cached", Severity.ERROR
NEEDS: tuple[str, ...] = ()

WORK = 100_000
"""What is left unlooked at beyond is not reported."""


def check(bundle: Bundle, facts: Facts) -> Iterator[Diagnostic]:
    exclusions = bundle.personalization.exclusions if bundle.personalization else ()
    work = Work(WORK)
    try:
        recogniser = Recogniser(exclusions, work)
    except TooManyError:
        return
    covered = {name for exclusion in exclusions for name in exclusion.intents}
    for caching in cached(bundle):
        if not caching.shared:
            continue
        for name, intent in declared(bundle, caching.intents):
            if name in covered:
                continue
            reason = _declared(intent) or _spoken(intent, recogniser, work)
            if reason is not None:
                yield _finding(caching, name, *reason)


def _declared(intent: Intent) -> tuple[str, Related] | None:
    if not intent.personal:
        return None
    return "the intent says `personal: true`", Related(intent.at("personal"), "its answers are about the caller")


def _spoken(intent: Intent, recogniser: Recogniser, work: Work) -> tuple[str, Related] | None:
    texts = utterances(intent)
    owned = [possession(text) for text in texts]
    try:
        open_to_all = [position for position, text in enumerate(texts) if not recogniser.personal(text, work)]
    except TooManyError:
        return None
    told = [position for position in open_to_all if owned[position] is not None]
    mostly = 2 * sum(words is not None for words in owned) >= len(texts) > 0
    if not told and not (mostly and open_to_all):
        return None
    position = (told or open_to_all)[0]
    span = intent.at("examples", position) if position < len(intent.examples) else intent.at("when")
    label = f"`{owned[position]}`" if told else "no exclusion recognises this one"
    return f"its requests say `{texts[position]}`, and no exclusion covers that", Related(span, label)


def _finding(caching: Caching, name: str, why: str, related: Related) -> Diagnostic:
    everywhere = caching.node.scope == "global"
    return Diagnostic(
        CODE, NAME, SEVERITY, caching.node.at("scope"),
        f"answers to `{name}` would be shared by {'all tenants' if everywhere else 'all users of a tenant'}",
        help=f"write `scope: user`, or `{name}: off`",
        why=why,
        label="shared with every tenant" if everywhere else "shared within the tenant",
        related=(related,),
    )  # fmt: skip
