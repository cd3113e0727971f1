from __future__ import annotations

from typing import Any

from costpol.evaluate.meaning import MeaningChange, meaning_changes
from costpol.policy.loader import load_bundle


def changes(old: dict[str, bytes], new: dict[str, bytes]) -> list[MeaningChange]:
    return meaning_changes(load_bundle(old).require(), load_bundle(new).require())


def routing(rules: str) -> str:
    return f"kind: routing\ndefault: cheap\nrules:\n{rules}...\n"


def test_a_policy_means_what_it_means(policy: Any, cached: Any) -> None:
    assert changes(policy(), policy()) == []
    assert changes(cached, cached) == []


def test_spelling_is_no_meaning(policy: Any) -> None:
    spelled = policy(prompts="kind: prompts # the same\notherwise:\n  max_output_tokens: 1000\n...\n")
    assert changes(policy(), spelled) == []


def test_a_changed_value_is_shown_as_written(policy: Any) -> None:
    (change,) = changes(policy(), policy(prompts="kind: prompts\notherwise: {max_output_tokens: 2k}\n...\n"))
    assert (change.what, change.path) == ("changed", "prompts.otherwise.max_output_tokens")
    assert (change.old, change.new) == ("1k", "2k")
    assert (change.span.file, change.span.line) == ("p/prompts.yaml", 2)


def test_a_default_is_shown_as_it_would_be_written(policy: Any) -> None:
    def patient(timeout: str) -> dict[str, bytes]:
        files: dict[str, bytes] = policy()
        return files | {
            "p/models.yaml": files["p/models.yaml"].replace(b"type: openai", b"type: openai" + timeout.encode())
        }

    (change,) = changes(patient(", timeout: 60s"), patient(", timeout: 120s"))
    assert (change.old, change.new) == ("60s", "120s")
    (change,) = changes(patient(", timeout: 60s"), patient(""))
    assert (change.path, change.old, change.new) == ("models.providers.sim.timeout", "60s", "2m (the default)")


def test_rules_are_known_by_their_names(policy: Any) -> None:
    one, two = "  - {name: one, when: {tools: any}, route: strong}\n", "  - {name: two, when: {}, route: small}\n"
    (added,) = changes(policy(routing=routing(one)), policy(routing=routing(one + two)))
    assert (added.what, added.path, added.old) == ("added", "routing.rules.two", None)
    (removed,) = changes(policy(routing=routing(one + two)), policy(routing=routing(two)))
    assert (removed.what, removed.path, removed.new) == ("removed", "routing.rules.one", None)
    (moved,) = changes(policy(routing=routing(one + two)), policy(routing=routing(two + one)))
    assert (moved.what, moved.old, moved.new) == ("moved", "one > two", "two > one")


def test_a_condition_that_is_dropped_is_named(policy: Any) -> None:
    old = policy(routing=routing("  - {name: one, when: {tools: any, turns: {min: 2}}, route: strong}\n"))
    new = policy(routing=routing("  - {name: one, when: {tools: any}, route: strong}\n"))
    (change,) = changes(old, new)
    assert (change.what, change.path, change.old) == ("removed", "routing.rules.one.when.turns", "{min: 2}")


def test_the_order_of_intents_decides(policy: Any) -> None:
    texts = ["  a: {examples: [x]}\n", "  b: {examples: [y]}\n"]
    old, new = (policy(intents="kind: intents\nintents:\n" + "".join(each) + "...\n") for each in (texts, texts[::-1]))
    (change,) = changes(old, new)
    assert (change.what, change.path, change.new) == ("moved", "intents.intents", "b > a")


def test_a_whole_file_may_come_or_go(policy: Any, cached: Any) -> None:
    came = changes(policy(), cached)
    assert {(change.what, change.path) for change in came} == {("added", "cache"), ("added", "personalization")}
    assert {change.what for change in changes(cached, policy())} == {"removed"}


def test_nodes_without_names_are_compared_as_a_set(policy: Any) -> None:
    def exclusions(*phrases: str) -> dict[str, bytes]:
        body = "".join(f"  - {{phrases: [{phrase}]}}\n" for phrase in phrases)
        return dict(policy(personalization=f"kind: personalization\nexclusions:\n{body}...\n"))

    removed, added = changes(exclusions("my order", "my name"), exclusions("my name", "my bill"))
    assert (removed.what, removed.old) == ("removed", "{phrases: [my order]}")
    assert (added.what, added.new) == ("added", "{phrases: [my bill]}")


def test_policy_tests_decide_nothing(policy: Any) -> None:
    written = "kind: tests\ntests: [{name: a, message: hello, expect: {refused: false}}]\n...\n"
    assert changes(policy(), policy(tests=written)) == []
