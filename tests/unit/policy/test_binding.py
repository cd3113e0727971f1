"""Trees become nodes by the declarations alone, with the places of every value."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

from costpol.diagnostics import Diagnostic
from costpol.policy.binding import N, bind
from costpol.policy.node import Node
from costpol.policy.nodes.budgets import Budgets, Rung
from costpol.policy.nodes.cache import Cache, IntentCache
from costpol.policy.nodes.intents import Intents
from costpol.policy.nodes.matcher import When
from costpol.policy.nodes.models import Models, OwnPrice
from costpol.policy.nodes.personalization import Personalization
from costpol.policy.nodes.prompts import IntentPrompt
from costpol.policy.nodes.routing import Routing
from costpol.policy.nodes.tests import Case
from costpol.policy.source import read_source

_NO_DURATION = "`ttl`: expected a duration with its unit, such as `90s`, `15m`, `24h` or `7d`, not `90`"
_NO_SHARE = "`threshold` is a share between 0 and 1, not `92`"
_AMBIGUOUS = "`{}` is a boolean to some YAML readers and text to others"


def _bind(node: type[N], text: str) -> tuple[N | None, list[Diagnostic]]:
    source = read_source(text.encode(), "policy.yaml")
    assert source.tree is not None, source.diagnostics
    return bind(source.tree, node)


def _bound(node: type[N], text: str) -> N:
    bound, found = _bind(node, text)
    assert bound is not None, found
    return bound


def _found(node: type[Node], text: str) -> list[tuple[str, str]]:
    bound, found = _bind(node, text)
    assert bound is None
    return [(finding.code, finding.message) for finding in found]


def test_keys_become_fields_and_missing_ones_their_defaults() -> None:
    routing = _bound(Routing, "kind: routing\ndefault: small\nfallback: {attempts: 2}\n")
    assert (routing.default, routing.rules, routing.fallback.attempts) == ("small", (), 2)
    assert routing.fallback.on == ("429", "5xx", "timeout", "unreachable")


def test_what_was_written_is_known_and_has_its_place() -> None:
    text = "kind: routing\ndefault: small\nrules:\n  - {name: a, when: {tenant: [x, y]}, route: b}\n"
    routing = _bound(Routing, text)
    rule = routing.rules[0]
    assert routing.written("default")
    assert not routing.written("fallback")
    assert (routing.at("default").line, routing.at("default").column) == (2, 10)
    assert (rule.at("route").column, rule.at("route").end_column) == (46, 47)
    assert rule.when.at("tenant", 1).column == 34
    assert rule.when.at("user") == rule.when.span


def test_a_node_is_placed_at_the_name_that_introduces_it() -> None:
    cache = _bound(Cache, "kind: cache\nintents:\n  faq: {ttl: 1h}\n")
    faq = cache.intents["faq"]
    assert isinstance(faq, IntentCache)
    assert (faq.span.line, faq.span.column, faq.span.end_column) == (3, 3, 6)
    assert cache.at("intents", "faq").column == 8


def test_a_single_value_has_the_place_of_the_first_of_many() -> None:
    when = _bound(When, "tenant: acme\nmetadata: {plan: free}\n")
    assert when.tenant == ("acme",)
    assert when.at("tenant", 0) == when.at("tenant")
    assert when.metadata == {"plan": ("free",)}
    assert when.at("metadata", "plan", 0).line == 2


def test_a_reserved_word_is_a_key_and_found_by_both_names() -> None:
    when = _bound(When, "not: {stream: true}\n")
    assert when.not_ == When(stream=True)
    assert when.at("not") == when.at("not_")


def test_places_take_no_part_in_equality() -> None:
    assert _bound(When, "tenant: a\n") == _bound(When, "\n\ntenant:   [a]\n")


@pytest.mark.parametrize(("text", "tools"), [("none", "none"), ("any", "any"), ("[search]", ("search",))])
def test_a_union_is_told_apart_by_shape(text: str, tools: object) -> None:
    assert _bound(When, f"tools: {text}\n").tools == tools


def test_a_word_or_a_mapping() -> None:
    cache = _bound(Cache, "kind: cache\nintents: {a: off, b: {ttl: 1h}}\n")
    assert cache.intents == {"a": "off", "b": IntentCache(ttl=3600.0)}


def test_a_price_by_reference_or_of_ones_own() -> None:
    models = _bound(
        Models,
        "kind: models\nproviders: {p: {type: openai, base_url: 'http://localhost:1/v1/'}}\n"
        "models:\n  a: {provider: p, price: openai/gpt-4.1}\n"
        "  b: {provider: p, price: {input: $0.10, output: 0.40 USD}}\n",
    )
    assert models.models["a"].price == "openai/gpt-4.1"
    assert models.models["b"].price == OwnPrice(input=Decimal("0.10"), output=Decimal("0.40"))
    assert models.providers["p"].base_url == "http://localhost:1/v1"


def test_a_key_without_a_declared_type_takes_plain_data() -> None:
    request = "{model: m, temperature: 0.5, messages: [{role: user}], stream: true}"
    case = _bound(Case, f"name: a\nrequest: {request}\nexpect: {{model: m}}\n")
    assert case.request == {
        "model": "m",
        "temperature": Decimal("0.5"),
        "messages": [{"role": "user"}],
        "stream": True,
    }


def test_a_mapping_of_nodes_keeps_its_order() -> None:
    text = "kind: intents\nintents:\n" + "".join(f"  {name}: {{examples: [x]}}\n" for name in ("z", "a", "m"))
    assert list(_bound(Intents, text).intents) == ["z", "a", "m"]


@pytest.mark.parametrize(
    ("node", "text", "code", "message"),
    [
        (When, "tennant: x\n", "CP101", "unknown key `tennant`"),
        (Routing, "kind: routing\n", "CP203", "`default` is missing"),
        (Personalization, "kind: personalization\n", "CP307", "`exclusions` is missing"),
        (Personalization, "kind: personalization\nexclusions:\n", "CP307", "`exclusions` has no value"),
        (When, "stream: [true]\n", "CP106", "`stream` takes `true` or `false`, not a list"),
        (When, "turns: 3\n", "CP106", "`turns` takes a mapping, not `3`"),
        (When, "any: {stream: true}\n", "CP106", "`any` takes a list of mappings, not a mapping"),
        (When, "stream: yes\n", "CP003", _AMBIGUOUS.format("yes")),
        (When, "turns: {min: 1_000}\n", "CP003", "`1_000` is another number to some YAML readers"),
        (When, "turns: {min: 3, max: 2}\n", "CP111", "no number is at least 3 and at most 2"),
        (When, "tokens: {min: .inf}\n", "CP105", "`min` is not a finite number"),
        (When, "output: jsn\n", "CP109", "`output` takes `text`, `json` or `schema`, not `jsn`"),
        (When, "tenant:\n", "CP108", "`tenant` has no value"),
        (When, "any: [null]\n", "CP108", "`any` has no value"),
        (IntentPrompt, "max_output_tokens: 0\n", "CP107", "`max_output_tokens` is at least 1, not 0"),
        (IntentCache, "ttl: 90\n", "CP107", _NO_DURATION),
        (IntentCache, "threshold: 92\n", "CP104", _NO_SHARE),
        (Budgets, "kind: budgets\nbudgets: {}\n", "CP107", "`budgets` cannot be empty"),
        (When, "intent: []\n", "CP107", "`intent` cannot be empty"),
        (When, "not: {any: []}\n", "CP107", "`any` cannot be empty"),
        (When, "message: {words: []}\n", "CP107", "`words` cannot be empty"),
        (Rung, "at: 90%\nwarn: true\nbudgets: []\n", "CP107", "`budgets` cannot be empty"),
        (Budgets, "kind: budgets\nbudgets: {no: {limit: 1 USD, per: day}}\n", "CP003", _AMBIGUOUS.format("no")),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_finding(node: type[Node], text: str, code: str, message: str) -> None:
    assert _found(node, text) == [(code, message)]


def test_a_misspelt_required_key_is_one_finding() -> None:
    assert _found(Personalization, "kind: personalization\nexclusion: []\n") == [("CP101", "unknown key `exclusion`")]


def test_independent_causes_are_all_found() -> None:
    text = "kind: routing\ndefault: a\nrules:\n  - {name: x, when: {tennant: a}}\n  - {name: y, when: {}, route: 1}\n"
    assert [code for code, _ in _found(Routing, text)] == ["CP101", "CP108", "CP106"]


def test_a_node_with_an_unread_key_is_not_judged_as_a_whole() -> None:
    text = "kind: budgets\nbudgets: {a: {limit: 1, per: day}}\n"
    assert [code for code, _ in _found(Budgets, text)] == ["CP107"]


def test_a_thousand_rules_are_bound_quickly() -> None:
    rule = "  - {{name: r{0}, when: {{message: {{max_chars: {0}}}, tenant: t{0}, turns: {{min: 2}}}}, route: small}}\n"
    text = "kind: routing\ndefault: a\nrules:\n" + "".join(rule.format(i) for i in range(1000))
    source = read_source(text.encode(), "policy.yaml")
    assert source.tree is not None
    start = time.perf_counter()
    bound, _ = bind(source.tree, Routing)
    assert time.perf_counter() - start < 15
    assert bound is not None
    assert len(bound.rules) == 1000


def test_what_would_never_hold_is_refused_as_zero() -> None:
    assert _found(Cache, "kind: cache\nintents: {faq: {ttl: 0s}}") == [("CP105", "`ttl` cannot be zero")]
    assert _found(Budgets, "kind: budgets\nbudgets: {a: {calls: 0, per: day}}") == [("CP105", "`calls` cannot be zero")]


def test_patterns_together_have_a_size() -> None:
    large = "".join(f"  - pattern: '\\pL{{1,9}}\\pN{{2,{n}}}'\n" for n in range(20, 60))
    bound, found = _bind(Personalization, f"kind: personalization\nexclusions:\n{large}")
    assert bound is None
    assert [each.code for each in found] == ["CP107"]
    assert "too large together" in found[0].message
    small = "".join(f"  - pattern: 'order-{n}[0-9]+'\n" for n in range(1000))
    assert _bind(Personalization, f"kind: personalization\nexclusions:\n{small}")[0] is not None
