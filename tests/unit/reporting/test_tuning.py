"""The report on a cache's settings, in every form."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser
from math import comb
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from costpol.policy.loader import load_bundle
from costpol.policy.nodes.cache import IntentCache
from costpol.reporting.tuning import FORMATS, render
from costpol.reporting.tuning.band import clopper_pearson
from costpol.reporting.tuning.figures import Curve, Point, Setting, Suspect, Tuning
from costpol.reporting.tuning.snippet import write_snippet
from costpol.reporting.tuning.text import strip

EXACT, LAX = Setting("exact"), Setting("threshold", Decimal("0.85"))
LEARNING = Setting("max_wrong_hits", Decimal("0.01"))
HOSTILE = "<script>alert(1)</script>\x1b[31m | `x`"


def point(setting: Setting, hits: int, wrong: int, saved: int = 5 * 10**12, orders: int = 1) -> Point:
    return Point(setting, orders, 1000 * orders, hits, hits, hits, wrong, saved, 10**9, wrong / hits if hits else None)


def tuning(**changed: Any) -> Tuning:
    suspect = Suspect("r7", 0.91, 0.87, False, HOSTILE, "how do I unblock it", "a", None)
    points = (point(EXACT, 0, 0, 0), point(LAX, 200, 40), point(LEARNING, 400, 1))
    curve = Curve("faq", 1000, LAX, points, LEARNING, "intents:\n  faq: {max_wrong_hits: 1%}", (suspect,))
    made = Tuning("0123456789abcdef" * 4, "prices", "static-en", 1000, 1, Decimal("0.01"), (curve,),
                  {"answer_id": 40, "text": 0, "nothing": 2})  # fmt: skip
    return replace(made, **changed)


@given(st.integers(1, 60), st.data())
def test_the_band_holds_the_share_and_its_ends_are_exact(of: int, data: st.DataObject) -> None:
    found = data.draw(st.integers(0, of))
    low, high = clopper_pearson(found, of)
    assert low <= found / of <= high
    if found < of:
        at_most = sum(comb(of, k) * high**k * (1 - high) ** (of - k) for k in range(found + 1))
        assert at_most == pytest.approx(0.05, abs=1e-6)
    if found > 0:
        at_least = sum(comb(of, k) * low**k * (1 - low) ** (of - k) for k in range(found, of + 1))
        assert at_least == pytest.approx(0.05, abs=1e-6)


def test_the_band_of_nothing_wrong_is_the_rule_of_three_at_this_confidence() -> None:
    assert clopper_pearson(0, 299)[1] == pytest.approx(0.00997, abs=1e-5)
    assert clopper_pearson(1, 1)[1] == 1.0


def test_orders_of_one_log_do_not_make_it_longer() -> None:
    assert point(LAX, 300, 30, orders=3).band == point(LAX, 100, 10).band
    assert point(LAX, 300, 30, saved=300, orders=3).wrong_share == 0.1


def test_json_holds_the_curve_the_choice_and_the_suspects() -> None:
    document = json.loads(render(tuning(), "json"), parse_float=Decimal)
    faq = document["intents"]["faq"]
    assert (document["requests"], document["max_wrong"]) == (1000, Decimal("0.01"))
    assert document["band"] == {"method": "Clopper-Pearson", "confidence": Decimal("0.9")}
    assert faq["chosen"] == {"kind": "max_wrong_hits", "value": Decimal("0.01")}
    assert faq["written"] == {"kind": "threshold", "value": Decimal("0.85")}
    assert [each["keeps_limit"] for each in faq["points"]] == [True, False, True]
    assert faq["points"][1]["wrong_hit_rate"] == Decimal("0.2")
    assert faq["points"][1]["net_usd"] == Decimal("4.999")
    assert faq["points"][0]["wrong_hit_rate_band"] is None
    assert faq["suspects"][0]["right"] is False


def test_text_shows_the_settings_the_choice_and_no_control_characters() -> None:
    text = render(tuning())
    assert "> max_wrong_hits: 1%" in text
    assert "* threshold: 0.85" in text
    assert "`max_wrong_hits: 1%` instead of `threshold: 0.85`" in text
    assert "intents:\n        faq: {max_wrong_hits: 1%}" in text
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 110


def test_the_strip_draws_the_share_its_band_and_the_limit() -> None:
    drawn = strip(point(LAX, 200, 40), 0.4, 0.01)
    assert drawn.index("|") < drawn.index("─") < drawn.index("●") < len(drawn.rstrip())
    assert strip(point(EXACT, 0, 0), 0.4, 0.01).strip() == "|"


def test_html_escapes_what_the_log_says_and_loads_nothing() -> None:
    page = render(tuning(), "html")
    assert "<script>" not in page
    assert "\x1b" not in page
    tags: list[tuple[str, dict[str, str | None]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append((tag, dict(attrs)))

    Reader().feed(page)
    assert [name for name, _ in tags if name in ("script", "link", "img", "iframe")] == []
    assert sum(name == "circle" for name, _ in tags) == 2 + 2  # two points, a ring each
    assert all("href" not in attributes and "src" not in attributes for _, attributes in tags)


def test_markdown_escapes_what_the_log_says() -> None:
    text = render(tuning(), "markdown")
    assert "**(recommended)**" in text
    assert "<script>" not in text.replace("\\<script\\>", "")


def test_what_cannot_be_recommended_is_said_in_words() -> None:
    (curve,) = tuning().curves
    blind = replace(curve, chosen=None, points=(replace(point(LAX, 9, 0), judged=0, worst=None),))
    for format in FORMATS:
        assert "no hit can be judged" in render(tuning(curves=(blind,)), format).lower().replace("\\", "")
    nothing = replace(curve, chosen=None, points=(point(EXACT, 0, 0), replace(point(LAX, 0, 0), similar=0)))
    assert "no setting gives a hit by likeness" in render(tuning(curves=(nothing,)))
    kept = replace(curve, written=LEARNING)
    assert "keep `max_wrong_hits: 1%`" in render(tuning(curves=(kept,)))


@pytest.mark.parametrize("setting", [EXACT, LAX, LEARNING])
@pytest.mark.parametrize("intent", ["faq", "otherwise"])
def test_a_snippet_is_a_cache_that_loads_with_the_setting(setting: Setting, intent: str) -> None:
    node = IntentCache(
        threshold=Decimal("0.9"), ttl=5400.0, scope="tenant", guards=("numbers",), tools=True, tags=("prices",),
        verify=Decimal("0.02"),
    )  # fmt: skip
    text = "kind: cache\n" + write_snippet(intent, node, setting) + "\n"
    assert yaml.safe_load(text)["kind"] == "cache"
    files = {
        "models.yaml": b"kind: models\nproviders: {p: {type: openai, base_url: 'http://127.0.0.1/v1', key: none}}\n"
        b"models: {m: {provider: p, price: {input: 1 USD, output: 1 USD}}}\n",
        "routing.yaml": b"kind: routing\ndefault: m\n",
        "personalization.yaml": b"kind: personalization\nexclusions: []\n",
        "intents.yaml": b"kind: intents\nintents: {faq: {examples: [hello]}}\n",
        "cache.yaml": text.encode(),
    }
    cache = load_bundle(files).require().cache
    assert cache is not None
    made = cache.intents["faq"] if intent == "faq" else cache.otherwise
    assert isinstance(made, IntentCache)
    changed: dict[str, Any] = {"threshold": None, "max_wrong_hits": None}
    if setting.value is not None:
        changed[setting.kind] = setting.value
    assert made == replace(node, **changed)
