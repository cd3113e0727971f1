"""No bytes bring the loader or the linter to anything but a bundle or findings, and none keeps them for long.

The limit here only tells apart what grows with the square of its input: `benchmarks/validate.py` measures the time.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from costpol.diagnostics import Diagnostic, has_errors
from costpol.lint.reading import read_policy
from costpol.lint.runner import lint
from costpol.policy.binding import bind
from costpol.policy.declaration import declared
from costpol.policy.loader import KINDS, load_bundle
from costpol.policy.node import Node
from costpol.policy.source import MAX_BYTES, read_source
from costpol.reporting.findings import FORMATS, render
from costpol.runtime.facts import lint_facts

LIMIT = 10.0
"""Seconds of the processor for one bundle, on the slowest machine."""
CASES = Path(__file__).parents[1] / "cases"
SOUND = {path.name: path.read_bytes() for path in sorted((CASES / "sins" / "sound").glob("*.yaml"))}


def _examples(count: int) -> settings:
    return settings(
        max_examples=count, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
    )


@cache
def _facts() -> object:
    facts = lint_facts(1_790_000_000.0)
    load = load_bundle(SOUND)
    assert load.bundle is not None
    lint(load.bundle, facts)  # what is loaded once is loaded before the clock runs
    return facts


def check(files: Mapping[str, bytes]) -> list[Diagnostic]:
    """The findings about files, after everything that must hold of them."""
    facts = _facts()
    start = time.process_time()
    reading = read_policy(files, facts)  # type: ignore[arg-type]
    loaded, found = reading.loaded, reading.findings
    taken = time.process_time() - start
    assert (loaded.bundle is None) == has_errors(loaded.diagnostics)
    lines = {name: text.replace("\r\n", "\n").replace("\r", "\n").split("\n") for name, text in loaded.files.items()}
    for finding in found:
        _inside(finding, lines)
        assert finding.message
        assert "\n" not in finding.message
    for format in FORMATS:
        render(found[:20], loaded.files, format).encode("utf-8", "surrogatepass" if format == "full" else "strict")
    assert taken < LIMIT, f"{taken:.2f} s"
    return found


def _inside(finding: Diagnostic, files: Mapping[str, list[str]]) -> None:
    for span in (finding.span, *(related.span for related in finding.related)):
        if span.file:
            lines = files[span.file]
            assert 1 <= span.line <= span.end_line <= len(lines) + 1, finding
            assert span.column >= 1, finding
            if span.line <= len(lines):
                assert span.column <= len(lines[span.line - 1]) + 1, finding


# Bytes


@_examples(150)
@given(st.binary(max_size=300))
@example(b"\x00")
@example(b"\xff\xfe")
@example(b"\xef\xbb\xbf")
@example(b"kind: routing\x85default: x")
def test_any_bytes(data: bytes) -> None:
    check(SOUND | {"routing.yaml": data})


@_examples(150)
@given(st.text(alphabet=st.sampled_from("abk:-?[]{},&*!|>'\"%@`#\t \n.~<=0123456789"), max_size=120))
def test_any_punctuation(text: str) -> None:
    check(SOUND | {"cache.yaml": text.encode()})


# Good bundles, spoiled

_PIECES = (
    b"| |\n|\t|- |: |{|}|[|]|\"|'|#|&a |*a|!!x |<<|null|~|true|no|1:30|.inf|-1|0x1|...\n|---\n|>\n|\xff|\x00|\r"
    b"|\xe2\x80\xa8|{{|}}|requested|default|any|not|" + b"9" * 80
).split(b"|")


@st.composite
def spoiled(draw: st.DrawFn) -> dict[str, bytes]:
    files = dict(SOUND)
    for _ in range(draw(st.integers(1, 4))):
        name = draw(st.sampled_from(sorted(files)))
        data = files[name]
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 40)))
        how = draw(st.sampled_from(["cut", "tear", "put", "twice", "move"]))
        if how == "tear":
            files[name] = data[:start]
        elif how == "twice":
            files[name] = data[:end] + data[start:end] + data[end:]
        elif how == "move":
            place = draw(st.integers(0, len(data)))
            files[name] = data[:place] + data[start:end] + data[place:]
        else:
            piece = draw(st.sampled_from(_PIECES)) if how == "put" else b""
            files[name] = data[:start] + piece + data[end if how == "cut" else start :]
    return files


@_examples(200)
@given(spoiled())
def test_any_damage_to_a_sound_bundle(files: dict[str, bytes]) -> None:
    check(files)


@pytest.mark.parametrize("name", sorted(SOUND))
def test_every_torn_end_of_a_sound_file(name: str) -> None:
    data = SOUND[name]
    for end in range(0, len(data), 3):
        check(SOUND | {name: data[:end]})


# Structured, by the language's own words


def _words(node: type[Node], found: set[str], seen: set[type[Node]]) -> None:
    seen.add(node)
    for key in declared(node):
        found.add(key.name)
        for other in _nodes(key.annotation):
            if other not in seen:
                _words(other, found, seen)


def _nodes(annotation: object) -> list[type[Node]]:
    if isinstance(annotation, type) and issubclass(annotation, Node):
        return [annotation]
    return [node for part in getattr(annotation, "__args__", ()) for node in _nodes(part)]


def _vocabulary() -> list[str]:
    found: set[str] = set()
    for node in KINDS.values():
        _words(node, found, set())
    return sorted(found)


SCALARS = (
    "small|strong|faq|complaint|other|tiny|requested|off|none|any|tenant|user|0.95|95%|2|24h|90s|5 USD|$5|1k|true|false"
    "|null|''|'*'|'a*'|yes|-3|.nan|1e9|[]|{}|month|request|UTC|calendar|'{{ product }}'|$KEY|caller|http://x/v1|openai"
    "|metadata.a|clock.date|2026-01-31T12:00:00Z|'(a+)+$'|'(?=a)'|429"
).split("|")
KEYS = st.sampled_from([*_vocabulary(), "small", "faq", "help", "company"])
TREES = st.recursive(
    st.sampled_from(SCALARS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.dictionaries(KEYS, inner, max_size=4).map(
            lambda members: f"{{{', '.join(f'{key}: {value}' for key, value in members.items())}}}"
        ),
    ),
    max_leaves=12,
)


@_examples(250)
@given(st.sampled_from(sorted(KINDS)), st.data())
def test_any_tree_of_the_languages_words(kind: str, data: st.DataObject) -> None:
    own = [key.name for key in declared(KINDS[kind]) if key.name != "kind"]
    members = data.draw(st.dictionaries(st.sampled_from(own), TREES, max_size=3))
    text = "".join(f"{key}: {value}\n" for key, value in members.items())
    check(SOUND | {f"{kind}.yaml": f"kind: {kind}\n{text}...\n".encode()})


@_examples(100)
@given(st.sampled_from(sorted(KINDS)), TREES)
def test_any_tree_binds_or_has_findings(kind: str, tree: str) -> None:
    source = read_source(f"kind: {kind}\nx: {tree}\n".encode(), "f")
    if source.tree is None:
        assert has_errors(list(source.diagnostics))
    else:
        node, found = bind(source.tree, KINDS[kind])
        assert (node is None) == has_errors(found)


# Hostile on purpose

_RULE = "  - {{name: r{0}, route: small, when: {1}}}\n"


def _rules(count: int, when: str) -> str:
    return "kind: routing\ndefault: small\nrules:\n" + "".join(
        _RULE.format(n, when.replace("@", str(n))) for n in range(count)
    )


def _grown(opening: str, closing: str, times: int) -> str:
    return "kind: routing\nx: " + opening * times + closing * times + "\n"


HOSTILE = {
    "many brackets": _grown("[", "]", 200_000),
    "many braces": _grown("{a: ", "}", 100_000),
    "many dashes": "kind: routing\nx:\n" + "- " * 200_000,
    "many question marks": "? " * 200_000,
    "open brackets": "[" * MAX_BYTES,
    "alias bomb": "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
    "merge bomb": "a: &a {x: 1}\n"
    + "".join(f"{b}: &{b} {{<<: [{','.join([f'*{a}'] * 9)}]}}\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
    "self reference": "a: &a [*a]\n",
    "many anchors": "".join(f"k{n}: &a{n} 1\n" for n in range(40_000)),
    "many aliases": "a: &a 1\n" + "".join(f"k{n}: *a\n" for n in range(60_000)),
    "many keys": "kind: routing\n" + "".join(f"key-{n}: 1\n" for n in range(40_000)),
    "one key many times": "kind: routing\n" + "default: x\n" * 60_000,
    "near keys": "kind: routing\n" + "".join(f"defaul{n}: 1\n" for n in range(40_000)),
    "a long key": f"{'k' * 900_000}: 1\n",
    "a long line": f"kind: routing\ndefault: {'x ' * 450_000}\n",
    "many short lines of text": "kind: routing\ndefault: " + "x\n  " * 200_000 + "\n",
    "a long number": f"kind: prompts\notherwise: {{max_output_tokens: {'9' * 900_000}}}\n",
    "a large exponent": "kind: cache\notherwise: {threshold: 1e999999999, ttl: 1e99999h}\n",
    "many documents": "---\n" * 200_000,
    "many line breaks": "\n" * 1_000_000,
    "many carriage returns": "\r" * 1_000_000,
    "many comments": "# costpol: ignore[CP401] x\n" * 38_000 + "kind: routing\ndefault: small\n",
    "many tabs": "kind: routing\ndefault: '" + "\t" * 500_000 + "'\n" + "\t" * 400_000,
    "escapes": 'kind: routing\ndefault: "' + "\\x41" * 200_000 + '"\n',
    "too large": "#" * (MAX_BYTES + 1),
    "directives": "%TAG ! tag:x,2000:\n" * 40_000 + "---\na: 1\n",
    "tags": "kind: routing\nx: [" + "!!x y, " * 80_000 + "]\n",
    "wide characters": "kind: routing\ndefault: " + "\U0001f600" * 250_000 + "\n",
    "unknown words": "kind: cache\nintents: {"
    + "".join(f"i{n}: {{scope: tennan{n}}}, " for n in range(15_000))
    + "}\n",
    "undefined names": _rules(12_000, "{intent: complain@}"),
    "undefined routes": _rules(12_000, "{turns: {min: @}}").replace("route: small", "route: smal"),
    "bad time zones": "kind: budgets\nbudgets: {"
    + "".join(f"b{n}: {{limit: 1 USD, per: day, time_zone: Europe/Berl{n}}}, " for n in range(12_000))
    + "}\n",
    "costly patterns": "kind: personalization\nexclusions:\n" + "  - pattern: '((a{0,99}){0,99}){0,99}'\n" * 10_000,
    "many patterns": "kind: personalization\nexclusions:\n"
    + "".join(f"  - pattern: '(x{n}|y){{1,50}}z'\n" for n in range(400)),
    "many exclusions": "kind: personalization\nexclusions:\n  - phrases: ["
    + ", ".join(f"phrase number {n}" for n in range(20_000))
    + "]\n",
    "many placeholders": "kind: prompts\ntemplates:\n  help: {version: 1, system: '" + "{{ a }}" * 100_000 + "'}\n",
    "open placeholders": "kind: prompts\ntemplates:\n  help: {version: 1, system: '" + "{{ " * 200_000 + "'}\n",
    "many rules": _rules(10_000, "{tenant: t@, turns: {min: @}}"),
    "rules that hide each other": _rules(3_000, "{not: {tenant: t@}, message: {min_chars: @}}"),
    "rules of words": _rules(3_000, "{message: {words: [alpha @ beta, gamma, w@]}}"),
    "rules of names": _rules(3_000, "{tenant: 'a*b@*', user: '*@', agent: 'x*y*z*@*'}"),
    "stars": _rules(30, "{tenant: '" + "a*" * 40 + "@'}"),
    "alternatives of alternatives": "kind: routing\ndefault: small\nrules:\n  - {name: r, route: small, when: "
    + "{any: [{tenant: a}, {user: b}], all: [" * 12 + "{turns: {min: 2}}" + "]}" * 12 + "}\n",
    "negated alternatives": "kind: routing\ndefault: small\nrules:\n  - {name: r, route: small, when: {not: {any: ["
    + ", ".join(f"{{tenant: t{n}, user: u{n}, agent: a{n}}}" for n in range(3_000))
    + "]}}}\n",
    "many tests": "kind: tests\ntests:\n"
    + "".join(f"  - {{name: t{n}, message: hello {n}, expect: {{rule: complaints}}}}\n" for n in range(8_000)),
    "many examples": "kind: intents\nintents:\n  faq: {examples: ["
    + ", ".join(f"how do I get my thing {n}" for n in range(20_000))
    + "]}\n  complaint: {examples: [x]}\n",
    "many intents": "kind: intents\nintents:\n"
    + "".join(f"  i{n}: {{when: {{message: {{words: [w{n}, my thing {n}]}}}}}}\n" for n in range(8_000)),
    "long names with stars": _rules(900, "{tenant: '*" + "t" * 900 + "@*'}"),
    "one name with many stars": _rules(1, "{tenant: '" + "ab*" * 300_000 + "'}"),
    "negated phrases": _rules(60, "{not: {message: {words: [" + ", ".join(f"w@ v{n}" for n in range(1000)) + "]}}}"),
    "words beyond ascii": _rules(3_000, "{message: {words: ['\u00fcber @', '\u4f60\u597d@']}}"),
    "patterns of large classes": _rules(3_000, "{message: {pattern: '\\pL{1,9}\\pN{2,@}'}}"),
    "choices of five fields": _rules(
        1_200, "{tenant: [t@, a], user: [u@, b], agent: [a@, c], session: [s@, d], stage: [g@, e]}"
    ),
    "ranges in ranges": _rules(4_000, "{tokens: {min: @, max: 1@}, turns: {min: 1@}}"),
    "a long ladder": "kind: budgets\nbudgets:\n  company: {limit: 5 USD, per: day, time_zone: UTC}\nladder:\n"
    + "".join(f"  - {{at: 0.{n % 100:02}, max_output_tokens: {n + 1}}}\n" for n in range(8_000)),
    "switched off and on": "".join(
        f"# costpol: disable[CP{n}] x\n# costpol: enable[CP{n}]\n" for n in range(15_000)
    ) + "kind: routing\ndefault: small\n",
    "many models": SOUND["models.yaml"].decode().partition("tiers:")[0]
    + "".join(f"  m{n}: {{provider: local, price: openai/gpt-4.1-min{n}}}\n" for n in range(5_000))
    + "tiers: {small: tiny, strong: large}\n",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_hostile_on_purpose(name: str) -> None:
    text = HOSTILE[name]
    kind = next((kind for kind in KINDS if text.startswith(f"kind: {kind}\n")), "routing")
    check(SOUND | {f"{kind}.yaml": text.encode()})


SEVERAL: dict[str, dict[str, str]] = {
    "large files": {f"tests-{n}.yaml": "kind: tests\n" + "#" * 1_000_000 + "\n" for n in range(50)},
    "full files": {f"tests-{n}.yaml": HOSTILE["many tests"] for n in range(50)},
    "unknown kinds": {f"x{n}.yaml": "kind: routin\n" + "key: 1\n" * 300 for n in range(90)},
    "exclusions, questions and tests": {
        "personalization.yaml": "kind: personalization\nexclusions:\n"
        + "".join(f"  - {{phrases: [p{n}], pattern: 'x{n}+'}}\n" for n in range(2_000)),
        "intents.yaml": "kind: intents\nintents:\n  complaint: {examples: [x]}\n  faq: {examples: [y]}\n"
        + "".join(f"  i{n}: {{examples: [where is my order {n}]}}\n" for n in range(2_000)),
        "cache.yaml": "kind: cache\nintents:\n"
        + "".join(f"  i{n}: {{threshold: 0.95, ttl: 24h, scope: tenant}}\n" for n in range(2_000)),
        "tests.yaml": "kind: tests\ntests:\n"
        + "".join(f"  - {{name: t{n}, message: hello p{n}, expect: {{personal: true}}}}\n" for n in range(2_000)),
    },
    "rules and intents that hide each other": {
        "routing.yaml": _rules(700, "{not: {tenant: t@}, message: {min_chars: @}}"),
        "intents.yaml": "kind: intents\nintents:\n  complaint: {examples: [x]}\n  faq: {examples: [y]}\n"
        + "".join(f"  i{n}: {{when: {{not: {{tenant: t{n}}}, turns: {{min: {n}}}}}}}\n" for n in range(700)),
    },
}


@pytest.mark.parametrize("name", SEVERAL)
def test_what_is_hostile_over_several_files(name: str) -> None:
    check(SOUND | {file: text.encode() for file, text in SEVERAL[name].items()})


def test_reading_stops_where_a_policy_is_too_large_or_too_full() -> None:
    for name, message in (("large files", "larger than 2 MiB"), ("full files", "more than 100,000 values")):
        found = check(SOUND | {file: text.encode() for file, text in SEVERAL[name].items()})
        assert [each.code for each in found if message in each.message] == ["CP001"]
