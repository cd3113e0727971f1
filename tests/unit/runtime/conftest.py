from __future__ import annotations

from pathlib import Path

import pytest

MODELS = b"""kind: models
providers:
  sim: {type: openai, base_url: "http://127.0.0.1:9/v1", key: none, timeout: 5s}
models:
  small: {provider: sim, price: {input: 0.10 USD, output: 0.40 USD}}
  large: {provider: sim, price: {input: 2.00 USD, output: 8.00 USD}}
tiers: {cheap: small, strong: large}
...
"""
ROUTING = b"""kind: routing
default: cheap
rules:
  - {name: deep-work, when: {message: {words: [analyze]}}, route: strong}
...
"""
PROMPTS = b"kind: prompts\notherwise: {max_output_tokens: 1k}\n...\n"


@pytest.fixture
def policy_files() -> dict[str, bytes]:
    """A small policy that has no errors."""
    return {"p/models.yaml": MODELS, "p/prompts.yaml": PROMPTS, "p/routing.yaml": ROUTING}


@pytest.fixture
def policy_folder(tmp_path: Path, policy_files: dict[str, bytes]) -> Path:
    """The same policy on the disk."""
    folder = tmp_path / "policies"
    folder.mkdir()
    for name, data in policy_files.items():
        (folder / Path(name).name).write_bytes(data)
    return folder
