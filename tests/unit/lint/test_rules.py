"""Where each rule must stay silent, and the findings that its page does not show."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from costpol.diagnostics import Diagnostic, Severity

Codes = Callable[..., list[str]]
Linted = Callable[..., list[Diagnostic]]

PROVIDER = "providers:\n  openai: {type: openai, base_url: https://api.openai.com/v1, key: $OPENAI_API_KEY}\n"
INTENTS = """\
kind: intents
intents:
  faq: {{examples: [what is the return policy]}}
  x: {0}
"""


def routing(*rules: str, default: str = "small", more: str = "") -> str:
    lines = "".join(f"  - {rule}\n" for rule in rules)
    return f"kind: routing\ndefault: {default}\n" + (f"rules:\n{lines}" if rules else "") + more


def cache(entry: str, more: str = "") -> str:
    return f"kind: cache\nintents:\n  x: {entry}\n{more}"


def models(*entries: str, tiers: str) -> str:
    return f"kind: models\n{PROVIDER}models:\n" + "".join(f"  {entry}\n" for entry in entries) + f"tiers: {tiers}\n"


CHEAP = "cheap: {provider: openai, price: {input: 0.10 USD, output: 0.40 USD}}"
MIDDLE = "middle: {provider: openai, price: {input: 0.15 USD, output: 0.60 USD}}"
DEAR = "dear: {provider: openai, price: {input: 2 USD, output: 8 USD}}"
TO_STRONG = "{name: deep-work, when: {message: {words: [analyze]}}, route: strong}"
TOOLLESS = "{name: b, when: {tools: none}, route: small}"
PLAIN = INTENTS.format("{examples: [which colours are there]}")
PERSONAL = INTENTS.format("{examples: [which colours are there], personal: true}")


@pytest.mark.parametrize(
    "files",
    [
        (PLAIN, cache("off")),
        (PLAIN, cache("{ttl: 1h, scope: global}")),
        (PLAIN, cache("off", "otherwise: {ttl: 1h, scope: tenant}\n")),
        (PERSONAL, cache("off")),
        (PERSONAL, cache("{ttl: 1h, scope: user}")),
        (PERSONAL, cache("{ttl: 1h, scope: global}"), "kind: personalization\nexclusions:\n  - {intents: [x]}\n"),
        (PLAIN, cache("{ttl: 1h, scope: user, threshold: 0.95, tools: true}"), "kind: personalization"),
        (PLAIN, cache("{ttl: 1h, scope: tenant, threshold: 0.9}")),
        (PLAIN, cache("{ttl: 1h, scope: tenant, max_wrong_hits: 5%}")),
        (PLAIN, cache("{ttl: 1h, scope: tenant, guards: []}")),
        (INTENTS.format("{examples: [x y], volatility: live}"), cache("{ttl: 15m, scope: tenant}")),
        (INTENTS.format("{examples: [x y], volatility: static}"), cache("{ttl: 90d, scope: tenant}")),
        (INTENTS.format("{examples: [how do I close my account]}"), cache("{ttl: 1h, scope: global}")),
        (
            INTENTS.format("{examples: [what is new, which colours are there, show my invoice]}"),
            cache("{ttl: 1h, scope: global}"), "kind: personalization\nexclusions:\n  - {phrases: my invoice}\n",
        ),
        (
            PLAIN, cache("{ttl: 1h, scope: tenant, threshold: 0.95, tools: true}"),
            "kind: personalization\nexclusions:\n  - {tools: lookup}\n",
        ),
    ],
)  # fmt: skip
def test_sound_caches_have_no_findings(files: tuple[str, ...], codes: Codes) -> None:
    assert codes(*files) == []


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ((PLAIN, cache("off", "otherwise: {ttl: 1h}\n")), ["CP301"]),
        ((PLAIN, cache("off", "otherwise: {scope: tenant}\n")), ["CP403"]),
        ((PERSONAL, cache("{ttl: 1h, scope: tenant}")), ["CP303"]),
        ((PERSONAL, "kind: cache\notherwise: {ttl: 1h, scope: global}\n"), ["CP303"]),
        ((PERSONAL, cache("{ttl: 1h, scope: global}"), "kind: personalization"), ["CP307", "CP303"]),
        ((PLAIN, cache("{ttl: 1h, scope: tenant, threshold: 0.89}")), ["CP401"]),
        ((PLAIN, cache("{ttl: 1h, scope: tenant, max_wrong_hits: 20%}")), ["CP401"]),
        ((PLAIN, cache("off", "otherwise: {ttl: 1h, scope: tenant, max_wrong_hits: 0.051}\n")), ["CP401"]),
        ((PLAIN, cache("{ttl: 1h, scope: tenant, threshold: 0.95, guards: [numbers, order]}")), ["CP402"]),
        ((INTENTS.format("{examples: [x y], volatility: live}"), cache("{ttl: 16m, scope: tenant}")), ["CP404"]),
        (
            (INTENTS.format("{examples: [x y], volatility: daily}"), cache("off", "").replace("x: off", "faq: off")
             + "otherwise: {ttl: 2d, scope: tenant}\n"),
            ["CP404"],
        ),
        ((INTENTS.format("{examples: [where is my order]}"), cache("{ttl: 1h, scope: tenant}")), ["CP303"]),
        ((INTENTS.format("{when: {message: {words: [my order]}}}"), cache("{ttl: 1h, scope: tenant}")), ["CP303"]),
        (
            (
                INTENTS.format("{examples: [show my invoice, why was I charged twice]}"),
                cache("{ttl: 1h, scope: global}"), "kind: personalization\nexclusions:\n  - {phrases: my invoice}\n",
            ),
            ["CP303"],
        ),
    ],
)  # fmt: skip
def test_unsound_caches_have_one_finding_each(files: tuple[str, ...], wanted: list[str], codes: Codes) -> None:
    assert sorted(codes(*files)) == sorted(wanted)


def test_a_hopeless_threshold_is_an_error_and_a_low_one_a_warning(linted: Linted) -> None:
    for threshold, severity in (("0.79", Severity.ERROR), ("0.80", Severity.WARNING)):
        (finding,) = linted(PLAIN, cache(f"{{ttl: 1h, scope: tenant, threshold: {threshold}}}"))
        assert finding.severity is severity


def test_a_leak_says_where_and_to_whom(linted: Linted) -> None:
    (finding,) = linted(PERSONAL, cache("{ttl: 1h, scope: global}"))
    assert finding.message == "answers to `x` would be shared by all tenants"
    assert (finding.span.file, finding.span.line, finding.span.column) == ("cache.yaml", 3, 23)
    assert finding.help == "write `scope: user`, or `x: off`"
    assert finding.related[0].span.file == "intents.yaml"


@pytest.mark.parametrize(
    "files",
    [
        (routing(TO_STRONG, default="requested", more="fallback: {to: small}\n"),),
        (routing("{name: all, when: {}, route: strong}"),),
        (routing(TO_STRONG, TOOLLESS),),
        (routing("{name: a, when: {tokens: {max: 9}}, route: strong}", TOOLLESS),),
        (routing("{name: a, when: {tokens: {min: 3, max: 5}}, route: strong}",
                 "{name: b, when: {tokens: {max: 9}}, route: small}"),),
        (routing(TO_STRONG, more="fallback: {to: small}\n"),),
        (routing(TO_STRONG, more="fallback: {to: strong, attempts: 1}\n"),),
        (models(CHEAP, MIDDLE, DEAR, tiers="{small: [cheap, middle], strong: dear}"),
         routing(TO_STRONG, more="fallback: {to: middle}\n")),
        (models(CHEAP, tiers="{small: cheap}"), routing()),
        (models(DEAR, tiers="{small: dear}"), routing()),
        (models(CHEAP, CHEAP.replace("cheap", "same"), tiers="{small: cheap, strong: same}"),
         routing(default="strong")),
        (models(CHEAP, DEAR.replace("}}", "}, context: 8k}"), tiers="{small: cheap, strong: dear}"),
         routing("{name: a, when: {tokens: {min: 2k}}, route: strong}")),
        (models(CHEAP.replace("}}", "}, context: 8k}"), DEAR, tiers="{small: [cheap, dear], strong: dear}"),
         routing("{name: a, when: {tokens: {max: 90k}, tools: none}, route: small}", TO_STRONG)),
        (models(CHEAP.replace("}}", "}, lacks: [tools]}"), DEAR, tiers="{small: [cheap, dear], strong: dear}"),
         routing("{name: a, when: {tools: any}, route: small}", TO_STRONG)),
        (models(CHEAP.replace("}}", "}, lacks: [json]}"), DEAR, tiers="{small: cheap, strong: dear}"),
         routing("{name: a, when: {output: [text, json]}, route: small}", TO_STRONG)),
        (routing("{name: classify, when: {intent: faq}, route: small}", TO_STRONG),),
        (routing("{name: a, when: {intent: faq}, route: strong, max_output_tokens: 17}"),),
        (models(CHEAP.replace("cheap", "fastest"), DEAR, tiers="{small: fastest, strong: dear}"),),
    ],
)  # fmt: skip
def test_sound_routing_has_no_findings(files: tuple[str, ...], codes: Codes) -> None:
    assert codes(*files) == []


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ((routing("{name: all, when: {}, route: strong}", TOOLLESS),), ["CP201"]),
        ((PLAIN, routing("{name: a, when: {intent: [faq, x]}, route: strong}",
                         "{name: b, when: {intent: other}, route: small}",
                         "{name: c, when: {stream: true}, route: strong}")), ["CP201"]),
        ((INTENTS.format("{when: {stream: true}}") + "  y: {when: {stream: true, tools: none}}\n",), ["CP201"]),
        ((INTENTS.format("{when: {turns: {min: 2}, not: {turns: {min: 1}}}}"),), ["CP202"]),
        ((models(CHEAP, MIDDLE, DEAR, tiers="{small: cheap, mid: middle, strong: dear}"), routing(TO_STRONG)),
         ["CP103"]),
        ((models(CHEAP, DEAR, tiers="{small: cheap, strong: dear}"), routing()), ["CP504"]),
        ((models(CHEAP, DEAR, tiers="{small: cheap, strong: dear}"), routing(default="strong")), ["CP505"]),
        ((models(CHEAP.replace("}}", "}, context: 8k}"), DEAR, tiers="{small: cheap, strong: dear}"),
          routing("{name: a, when: {tokens: {min: 9k}}, route: small}", TO_STRONG)), ["CP507"]),
        ((models(CHEAP.replace("}}", "}, lacks: [images]}"), DEAR, tiers="{small: cheap, strong: dear}"),
          routing("{name: a, when: {attachments: true}, route: small}", TO_STRONG)), ["CP509"]),
        ((models(CHEAP.replace("}}", "}, lacks: [json]}"), DEAR, tiers="{small: cheap, strong: dear}"),
          routing("{name: a, when: {output: [schema, json]}, route: small}", TO_STRONG)), ["CP509"]),
        ((models(CHEAP.replace("}}", "}, lacks: [streaming]}"), DEAR, tiers="{small: cheap, strong: dear}"),
          routing("{name: a, when: {all: [{stream: true}]}, route: small}", TO_STRONG)), ["CP509"]),
        ((routing("{name: a, when: {intent: faq}, route: strong, max_output_tokens: 16}"),), ["CP510"]),
        ((models(CHEAP, "new: {provider: openai, price: openai/none-such}", tiers="{small: cheap, strong: new}"),),
         ["CP501"]),
    ],
)  # fmt: skip
def test_unsound_routing_has_one_finding_each(files: tuple[str, ...], wanted: list[str], codes: Codes) -> None:
    assert codes(*files) == wanted


def test_a_dead_rule_names_the_rules_that_shadow_it(linted: Linted) -> None:
    rules = (
        "{name: a, when: {tokens: {max: 10}}, route: small}", "{name: b, when: {stream: true}, route: small}",
        "{name: c, when: {tokens: {min: 11}}, route: strong}", "{name: d, when: {turns: {min: 2}}, route: small}",
    )  # fmt: skip
    (finding,) = linted(routing(*rules))
    assert finding.message == "rule `d` can never match"
    assert finding.label == "shadowed by `a` (line 4) and `c` (line 6) together"
    assert [related.span.line for related in finding.related] == [4, 6]


SESSIONS = "  sessions: {calls: 60, per: hour, each: session}\n"
COMPANY = "  company: {limit: 500 USD, per: month, time_zone: UTC}\n"
AGENTS = routing("{name: a, when: {agent: x}, route: strong}")


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        (("kind: budgets",), ["CP602"]),
        ((f"kind: budgets\nbudgets:\n{COMPANY}",), []),
        ((f"kind: budgets\nbudgets:\n{SESSIONS}",), ["CP602"]),
        ((f"kind: budgets\nbudgets:\n{SESSIONS}  t: {{limit: 9 USD, per: hour, each: tenant}}\n",), []),
        ((f"kind: budgets\nbudgets:\n{SESSIONS}  t: {{limit: 9 USD, per: week, each: tenant}}\n",), ["CP603"]),
        ((f"kind: budgets\nbudgets:\n{SESSIONS}  t: {{limit: 9 USD, per: week, window: rolling}}\n",), []),
        ((AGENTS, f"kind: budgets\nbudgets:\n{COMPANY}"), ["CP608"]),
        ((AGENTS, f"kind: budgets\nbudgets:\n{COMPANY}{SESSIONS}"), []),
        ((f"kind: budgets\nbudgets:\n{COMPANY}  a: {{calls: 9, per: hour, each: agent}}\n",), ["CP608"]),
        ((routing("{name: a, when: {tools: none}, route: strong}"), f"kind: budgets\nbudgets:\n{COMPANY}"), []),
        ((routing("{name: a, when: {tools: [x]}, route: strong}"), f"kind: budgets\nbudgets:\n{COMPANY}"), ["CP608"]),
        ((routing("{name: a, when: {not: {tools: any}}, route: strong}"), f"kind: budgets\nbudgets:\n{COMPANY}"), []),
        (("kind: prompts\nintents:\n  faq: {tools: [x], max_output_tokens: 9}\notherwise: {max_output_tokens: 9}\n",
          f"kind: budgets\nbudgets:\n{COMPANY}"), ["CP608"]),
    ],
)  # fmt: skip
def test_budgets(files: tuple[str, ...], wanted: list[str], codes: Codes) -> None:
    assert codes(*files) == wanted


FAQ_RULE = "{name: a, when: {intent: faq}, route: strong, max_output_tokens: 90}"


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        (("kind: prompts",), ["CP601"]),
        (("kind: prompts\nintents:\n  faq: {}\notherwise: {max_output_tokens: 9}\n",), ["CP601"]),
        (("kind: prompts\nintents:\n  faq: {}\notherwise: {max_output_tokens: 9}\n", routing(FAQ_RULE)), []),
        (
            (
                "kind: prompts\nintents:\n  faq: {}\notherwise: {max_output_tokens: 9}\n",
                routing("{name: s, when: {stream: true}, route: small}", FAQ_RULE),
            ),
            ["CP601"],
        ),
        (
            (
                "kind: prompts\nintents:\n  faq: {}\notherwise: {max_output_tokens: 9}\n",
                routing(FAQ_RULE.replace("intent: faq", "intent: faq, stream: true")),
            ),
            ["CP601"],
        ),
    ],
)
def test_output(files: tuple[str, ...], wanted: list[str], codes: Codes) -> None:
    assert codes(*files) == wanted


def test_an_answer_without_limit_is_told_with_what_a_budget_sets_aside(linted: Linted) -> None:
    held = f"kind: budgets\nbudgets:\n{COMPANY}assume_output_tokens: 4k\n"
    for budgets, why in ((held, "sets 4,000 tokens aside"), ("kind: budgets", "output is the dearest part")):
        (finding,) = (each for each in linted("kind: prompts", budgets) if each.code == "CP601")
        assert finding.severity is Severity.WARNING
        assert why in (finding.why or "")
        assert "otherwise: {max_output_tokens: 1k}" in (finding.help or "")


def prompts(system: str, variable: str, use: str = "support") -> str:
    return (
        f"kind: prompts\ntemplates:\n  support:\n    version: 1\n    system: '{system}'\n"
        f"    variables: {{v: {variable}}}\nintents:\n  faq: {{template: {use}, max_output_tokens: 9}}\n"
        "otherwise: {max_output_tokens: 9}\n"
    )


LONG = "Answer every question of the customer politely and shortly. " * 8


@pytest.mark.parametrize(
    ("file", "wanted"),
    [
        (prompts("Hello {{ v }}. Be short.", "{source: metadata.v}"), []),
        (prompts(f"Hello {{{{ v }}}}. {LONG}", "{source: metadata.v}"), ["CP701"]),
        (prompts(f"{LONG} {{{{ v }}}}", "{source: metadata.v}"), []),
        (prompts(f"Hello {{{{ v }}}}. {LONG}", "{source: caller.tenant}"), []),
        (prompts(f"Hello {{{{ v }}}}. {LONG}", "{source: clock.date}"), []),
        (prompts(f"Hello {{{{ v }}}}. {LONG}", "{source: clock.time}"), ["CP702"]),
        (prompts("Hello {{ v }}.", "{source: metadata.v, volatile: true}"), ["CP702"]),
        (prompts("Hello.", "{source: metadata.v}"), ["CP103"]),
        (prompts("Hello.", "{source: clock.time}"), ["CP103"]),
    ],
)
def test_templates(file: str, wanted: list[str], codes: Codes) -> None:
    assert codes(file) == wanted


def test_a_template_without_use_is_one_finding(codes: Codes) -> None:
    file = prompts("Hello.", "{source: metadata.v}").replace("template: support, ", "")
    assert codes(file) == ["CP103"]


def case(expect: str) -> str:
    return f"kind: tests\ntests:\n  - {{name: a, message: analyze, expect: {expect}}}\n"


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ((case("{rule: deep-work}"),), []),
        ((case("{model: large-model}"),), []),
        ((case("{model: small-model}"),), ["CP801"]),
        ((case("{rule: default, model: large-model}"),), ["CP801"]),
        ((case("{rule: default}"), routing("{name: a, when: {tokens: {min: 20k}}, route: strong}")), []),
    ],
)
def test_tests(files: tuple[str, ...], wanted: list[str], codes: Codes) -> None:
    assert codes(*files) == wanted


@pytest.mark.parametrize(
    ("comment", "wanted"),
    [
        ("# costpol: ignore[CP505] hard questions only", []),
        ("# costpol: ignore[dearest-default] hard questions only", []),
        ("# costpol: ignore[CP505]", ["CP505", "CP901"]),
        ("# costpol: ignore", ["CP505", "CP901"]),
        ("# costpol: ignore[CP601] no", ["CP505", "CP900"]),
        ("# costpol: ignore[CP505, CP601] hard questions only", ["CP900"]),
    ],
)
def test_what_is_accepted_is_left_out_and_what_is_not_needed_is_named(
    comment: str, wanted: list[str], codes: Codes
) -> None:
    found = codes(routing("{name: a, when: {intent: faq}, route: small}", default=f"strong {comment}"))
    assert sorted(found) == wanted


def test_a_leak_that_nobody_answers_for_is_not_accepted(codes: Codes) -> None:
    for approval, wanted in (("", ["CP303", "CP901"]), ("approved_by=ada ", [])):
        entry = f"{{ttl: 1h, scope: tenant}} # costpol: ignore[CP303] {approval}one household per tenant"
        assert sorted(codes(PERSONAL, cache(entry))) == wanted


def test_a_name_that_no_finding_has_is_told_apart_from_a_finding_that_is_gone(linted: Linted) -> None:
    told = {
        "CP999": ("no finding is called `CP999`", "lists the findings"),
        "cp505": ("no finding is called `cp505`", "did you mean `CP505`?"),
        "dearest-defualt": ("no finding is called `dearest-defualt`", "did you mean `dearest-default`?"),
        "CP602": ("there is no finding `CP602` to ignore on line 2", "move it to the line of the finding"),
    }
    for name, (message, help) in told.items():
        rule = "{name: a, when: {intent: faq}, route: strong}"
        found = linted(routing(rule, default=f"small # costpol: ignore[{name}] not now"))
        (finding,) = (each for each in found if each.span.line == 2)
        assert (finding.code, finding.message) == ("CP900", message)
        assert help in (finding.help or "")


SINGLE = "  r: {limit: 1 USD, per: request}\n"


def ladder(*rungs: str, budgets: str = f"{COMPANY}{SESSIONS}") -> str:
    listed = "".join(f"  - {rung}\n" for rung in rungs)
    return f"kind: budgets\nbudgets:\n{budgets}ladder:\n{listed}"


@pytest.mark.parametrize(
    ("file", "wanted"),
    [
        (ladder("{at: 75%, warn: true}", "{at: 90%, route: small}", "{at: 100%, refuse: no}"), []),
        (ladder("{at: 90%, refuse: no}", "{at: 95%, route: small}"), ["CP612"]),
        (ladder("{at: 95%, route: small}", "{at: 90%, refuse: no}"), ["CP612"]),
        (ladder("{at: 90%, refuse: no, budgets: company}", "{at: 95%, route: small, budgets: sessions}"), []),
        (ladder("{at: 90%, refuse: no, budgets: company}", "{at: 95%, route: small}"), []),
        (ladder("{at: 80%, max_output_tokens: 100}", "{at: 90%, max_output_tokens: 200}"), ["CP612"]),
        (ladder("{at: 80%, max_output_tokens: 200}", "{at: 90%, max_output_tokens: 100}"), []),
        (ladder("{at: 80%, max_output_tokens: 100}", "{at: 90%, max_output_tokens: 200, route: small}"), []),
        (ladder("{at: 90%, warn: true, budgets: r}", budgets=f"{COMPANY}{SESSIONS}{SINGLE}"), ["CP612"]),
        (ladder("{at: 90%, route: strong}"), []),
        (ladder("{at: 95%, refuse: no}", "{at: 100%, warn: true}"), []),
        (ladder("{at: 95%, refuse: no}", "{at: 100%, warn: true, refuse: used up}"), ["CP612"]),
        (ladder("{at: 0.9%, warn: true}"), ["CP104"]),
        (ladder("{at: 0.009, warn: true}"), []),
        (ladder("{at: 0%, warn: true}"), []),
    ],
)  # fmt: skip
def test_ladders(file: str, wanted: list[str], codes: Codes) -> None:
    assert codes(file) == wanted


def test_a_rung_dearer_than_every_route_never_acts(codes: Codes) -> None:
    tiers = models(CHEAP, MIDDLE, DEAR, tiers="{small: cheap, mid: middle, strong: dear}")
    routes = routing("{name: a, when: {tokens: {min: 100}}, route: mid}")
    assert "CP612" in codes(tiers, routes, ladder("{at: 90%, route: strong}"))
    assert "CP612" not in codes(tiers, routes, ladder("{at: 90%, route: mid}"))
    assert "CP612" not in codes(tiers, routes, ladder("{at: 100%, route: strong, refuse: used up}")), "it refuses"
    assert "CP612" not in codes(tiers, routing(default="requested"), ladder("{at: 90%, route: strong}"))


@pytest.mark.parametrize(
    ("threshold", "wanted"), [("0.05", ["CP104"]), ("0.95%", ["CP104"]), ("0.5", ["CP401"]), ("95%", [])]
)
def test_scales(threshold: str, wanted: list[str], codes: Codes) -> None:
    found = codes(INTENTS.format("{examples: [how]}"), cache(f"{{threshold: {threshold}, ttl: 1h, scope: tenant}}"))
    assert [code for code in found if code in ("CP104", "CP401")] == wanted


EXCLUDED = "kind: personalization\nexclusions:\n  - {}\n"


@pytest.mark.parametrize(
    ("exclusion", "test", "wanted"),
    [
        ("phrases: [my order]", "{name: a, message: Where is MY order?, expect: {personal: true}}", []),
        ("phrases: [my order]", "{name: a, message: where is my order, expect: {rule: default}}", ["CP803"]),
        ("phrases: [my order]", "{name: a, message: where is my orderly, expect: {personal: true}}", ["CP803"]),
        ("pattern: '[0-9]{4}'", "{name: a, messages: [hi, no 1234], expect: {scope: user}}", []),
        ("metadata: [id]", "{name: a, message: hi, metadata: {id: x}, expect: {personal: true}}", []),
        ("metadata: [id]", "{name: a, use: f, message: hi, expect: {hit: none}}", []),
        ("tools: [look]", "{name: a, request: {tools: [{function: {name: look}}]}, expect: {cache: bypass}}", []),
        ("intents: [faq]", "{name: a, message: hi, expect: {personal: true, intent: faq}}", []),
        ("intents: [faq]", "{name: a, message: hi, expect: {personal: true, intent: other}}", ["CP803"]),
    ],
)  # fmt: skip
def test_exclusions_are_tested_by_their_signals(exclusion: str, test: str, wanted: list[str], codes: Codes) -> None:
    tests = (
        f"kind: tests\nfixtures: {{f: {{metadata: {{id: x}}}}}}\ntests:\n  - {test}\n"
        "  - {name: b, message: analyze, expect: {rule: deep-work}}\n"
    )
    assert codes(EXCLUDED.format(exclusion), tests) == wanted
