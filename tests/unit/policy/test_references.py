"""Every name that stands for something else is checked, with a suggestion."""

# ruff: noqa: E501 (a table of one-line cases)

from __future__ import annotations

import pytest

from costpol.policy.loader import Loaded, load_bundle
from costpol.policy.references import conditions, intent_names, targets

MODELS = """kind: models
providers: {local: {type: openai, base_url: 'http://127.0.0.1:1/v1', key: none}}
models: {tiny: {provider: local}, big: {provider: local}}
tiers: {small: tiny, strong: [big, tiny]}
"""
ROUTING = "kind: routing\ndefault: small\nrules: [{name: first, when: {}, route: strong}]\n"
INTENTS = "kind: intents\nintents: {faq: {examples: [how do I reset it]}}\notherwise: rest\n"
PROMPTS = """kind: prompts
templates: {plain: {version: 1, system: 'hello {{ who }}', variables: {who: {source: metadata.who}}}}
"""
BUDGETS = "kind: budgets\nbudgets: {all: {limit: 1 USD, per: day, time_zone: UTC}}\n"


def _load(**changes: str) -> Loaded:
    texts = {"models": MODELS, "routing": ROUTING, "intents": INTENTS, "prompts": PROMPTS, "budgets": BUDGETS} | changes
    return load_bundle({kind: text.encode() for kind, text in texts.items() if text})


def test_declared_names_are_found() -> None:
    bundle = _load(
        routing="kind: routing\ndefault: requested\nrules:\n"
        "  - {name: a, when: {intent: [faq, rest]}, route: tiny}\nfallback: {to: [strong, tiny]}\n",
        cache="kind: cache\nintents: {faq: {ttl: 1h, scope: user}, rest: off}\n",
        personalization="kind: personalization\nexclusions: [{variables: who, intents: faq}]\n",
        batch="kind: batch\nintents: {faq: {deadline: 6h, provider: local}}\n",
        tests="kind: tests\ntests:\n  - name: t\n    message: hi\n    spent: {all: 50%}\n"
        "    expect: {intent: rest, rule: default, model: big, template: plain}\n",
    ).require()
    assert intent_names(bundle) == {"faq", "rest"}
    assert targets(bundle) == {"tiny", "big", "small", "strong", "requested"}


@pytest.mark.parametrize(
    ("kind", "text", "code", "message"),
    [
        ("models", MODELS.replace("tiny: {provider: local}", "tiny: {provider: locl}"), "CP102", "no provider is called `locl`"),
        ("models", MODELS.replace("[big, tiny]", "[big, tny]"), "CP102", "no model is called `tny`"),
        ("models", MODELS.replace("small: tiny", "small: tiny, big: tiny"), "CP110", "`big` is a tier and a model"),
        ("models", MODELS.replace("small: tiny", "small: tiny, requested: tiny"), "CP110", "`requested` stands for"),
        ("routing", "kind: routing\ndefault: smal\n", "CP102", "no tier or model is called `smal`"),
        ("routing", ROUTING.replace("strong", "strng"), "CP102", "no tier or model is called `strng`"),
        ("routing", ROUTING.replace("{}", "{intent: fq}"), "CP102", "no intent is called `fq`"),
        ("routing", ROUTING.replace("{}", "{not: {any: [{intent: fq}]}}"), "CP102", "no intent is called `fq`"),
        ("routing", ROUTING + "fallback: {to: strng}\n", "CP102", "no tier or model is called `strng`"),
        ("routing", ROUTING + "fallback: {to: requested}\n", "CP102", "no tier or model is called `requested`"),
        ("routing", ROUTING.replace("first", "default"), "CP110", "`default` stands for"),
        ("routing", ROUTING.replace("strong}]", "strong}, {name: first, when: {}, route: small}]"), "CP110", "two rules are called"),
        ("intents", INTENTS.replace("{examples", "{when: {all: [{intent: faq}]}, examples"), "CP115", "`faq` cannot depend"),
        ("cache", "kind: cache\nintents: {fq: off}\n", "CP102", "no intent is called `fq`"),
        ("cache", "kind: cache\nembedder: static-english\n", "CP102", "no embedder is called"),
        ("personalization", "kind: personalization\nexclusions: [{intents: fq}]\n", "CP102", "no intent is called `fq`"),
        ("personalization", "kind: personalization\nexclusions: [{variables: whom}]\n", "CP102", "no template variable is called"),
        ("prompts", PROMPTS.replace("{{ who }}", "{{ whom }}"), "CP706", "template `plain` uses `whom`"),
        ("prompts", PROMPTS.replace("{{ who }}", "{{ who"), "CP107", "template `plain` has braces"),
        ("prompts", PROMPTS + "intents: {faq: {template: plane}}\n", "CP102", "no template is called `plane`"),
        ("prompts", PROMPTS + "intents: {fq: {template: plain}}\n", "CP102", "no intent is called `fq`"),
        ("prompts", PROMPTS + "otherwise: {template: plane}\n", "CP102", "no template is called `plane`"),
        ("budgets", BUDGETS + "ladder: [{at: 90%, budgets: al, warn: true}]\n", "CP102", "no budget is called `al`"),
        ("budgets", BUDGETS + "ladder: [{at: 90%, route: smal}]\n", "CP102", "no tier or model is called `smal`"),
        ("batch", "kind: batch\nintents: {faq: {deadline: 6h, provider: locl}}\n", "CP102", "no provider is called `locl`"),
        ("batch", "kind: batch\nintents: {fq: {deadline: 6h, provider: local}}\n", "CP102", "no intent is called `fq`"),
        ("tests", "kind: tests\ntests: [{name: t, message: a, spent: {al: 5%}, expect: {refused: true}}]\n", "CP102", "no budget is called `al`"),
        ("tests", "kind: tests\ntests: [{name: t, message: a, expect: {rule: frst}}]\n", "CP102", "no rule is called `frst`"),
        ("tests", "kind: tests\ntests: [{name: t, message: a, expect: {model: bg}}]\n", "CP102", "no model is called `bg`"),
        ("tests", "kind: tests\ntests: [{name: t, message: a, expect: {intent: fq}}]\n", "CP102", "no intent is called `fq`"),
        ("tests", "kind: tests\ntests: [{name: t, message: a, expect: {template: plan}}]\n", "CP102", "no template is called `plan`"),
    ],
)  # fmt: skip
def test_a_name_that_nothing_declares_is_one_finding_at_its_place(
    kind: str, text: str, code: str, message: str
) -> None:
    loaded = _load(**{kind: text})
    assert [found.code for found in loaded.diagnostics] == [code]
    found = loaded.diagnostics[0]
    assert found.message.startswith(message)
    line = text.split("\n")[found.span.line - 1]
    named = line[found.span.column - 1 : found.span.end_column - 1]
    assert found.span.file == kind
    assert named.strip("'") in found.message or code in ("CP115", "CP107", "CP706")


def test_without_an_intents_file_every_request_is_other() -> None:
    bundle = _load(intents="", cache="kind: cache\nintents: {other: off}\n").require()
    assert intent_names(bundle) == {"other"}


def test_nested_conditions_are_walked() -> None:
    rule = "{name: a, when: {any: [{all: [{not: {stream: true}}]}, {stream: false}]}, route: small}"
    bundle = _load(routing=f"kind: routing\ndefault: small\nrules: [{rule}]\n").require()
    assert [when.stream for when in conditions(bundle.routing.rules[0].when)] == [None, None, None, True, False]
