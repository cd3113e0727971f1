"""A small bundle as an editor has it open, and marks for the cursor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from costpol.editor.positions import Point
from costpol.editor.project import Project, read_project

FILES: Mapping[str, str] = {
    "models.yaml": """kind: models
providers:
  main: {type: openai, base_url: "https://api.example.com/v1"}
models:
  tiny: {provider: main, price: {input: 0.10 USD, output: 0.40 USD}, context: 8k}
  "big": {provider: main, price: openai/gpt-4.1, max_output: 32k, lacks: [images]}
tiers:
  small: tiny
  strong: [big, tiny]
...
""",
    "intents.yaml": """kind: intents
intents:
  faq:
    description: questions that anybody asks
    examples: [what are your opening hours, do you ship abroad]
  billing: {examples: [why was I charged], personal: true, volatility: live}
otherwise: rest
...
""",
    "routing.yaml": """kind: routing
default: small
rules:
  - name: money
    when: {intent: billing}
    route: strong
  - name: the-rest
    when: {intent: [faq, rest]}
    route: tiny
...
""",
    "cache.yaml": """kind: cache
intents:
  faq: {threshold: 0.95, ttl: 24h, scope: tenant}
...
""",
    "prompts.yaml": """kind: prompts
templates:
  hello:
    version: 2
    system: |-
      You talk to {{ name }}
      about {{ topic }}.
    variables:
      name: {source: caller.user, personal: true}
      topic: {source: metadata.topic}
  other:
    version: 1
    system: "hi {{ name }}"
    variables:
      name: {source: caller.tenant}
intents:
  faq: {template: hello}
...
""",
    "budgets.yaml": """kind: budgets
budgets:
  company: {limit: 1200 USD, per: month, time_zone: UTC}
ladder:
  - {at: 90%, budgets: company, route: small}
...
""",
}


@dataclass(frozen=True)
class Bench:
    """The sample with some files written anew, and the cursor at the mark `¦` in one of them."""

    project: Project
    file: str
    point: Point


@pytest.fixture
def texts() -> dict[str, str]:
    return dict(FILES)


@pytest.fixture
def project(texts: dict[str, str]) -> Project:
    return read_project(texts)


@pytest.fixture
def typed(project: Project) -> Callable[[str, str], Bench]:
    """Type a text with a mark into a file of the sample."""

    def type_(file: str, text: str) -> Bench:
        before, mark, after = text.partition("¦")
        assert mark
        lines = before.split("\n")
        now = read_project({**FILES, file: before + after}, project)
        return Bench(now, file, Point(len(lines) - 1, len(lines[-1])))

    return type_


@pytest.fixture
def cursor(project: Project) -> Callable[[str, str], Bench]:
    """Put the cursor into the sample: at the mark in a part of a file's text."""

    def put(file: str, part: str) -> Bench:
        text = FILES[file]
        before = text[: text.index(part.replace("¦", ""))] + part.partition("¦")[0]
        lines = before.split("\n")
        return Bench(project, file, Point(len(lines) - 1, len(lines[-1])))

    return put
