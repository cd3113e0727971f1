"""Documents cannot lie: links lead somewhere, YAML loads, commands exist, and the README shows what the demo prints."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from costpol.cli.main import SUBCOMMANDS
from costpol.cli.schema import reference_page
from costpol.policy.loader import KINDS, load_bundle, read_bundle

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)(?:#[^)]*)?\)")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
CALL = re.compile(r"^\$ costpol ([a-z][a-z-]*)", re.MULTILINE)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_link_leads_somewhere(document: Path) -> None:
    targets = LINK.findall(document.read_text())
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_subcommand_that_is_named_exists(document: Path) -> None:
    named = set()
    for kind, block in BLOCK.findall(document.read_text()):
        if kind in ("console", "sh", "bash"):
            named |= set(CALL.findall(block))
    assert named - set(SUBCOMMANDS) == set()


@pytest.mark.parametrize("document", [ROOT / "docs/language.md"], ids=name)
def test_every_policy_shown_loads(document: Path) -> None:
    blocks = BLOCK.findall(document.read_text())
    shown = [block for kind, block in blocks if kind == "yaml" and re.search("^kind: ", block, re.MULTILINE)]
    assert shown
    for block in shown:
        kind = re.search(r"^kind: (\w+)", block, re.MULTILINE)
        assert kind is not None
        assert kind.group(1) in KINDS
        files = {Path(file).name: content for file, content in read_bundle(ROOT / "policies").items()}
        files[f"{kind.group(1)}.yaml"] = block.encode()
        files.pop("tests.yaml", None)
        assert load_bundle(files).diagnostics == []


def test_the_reference_is_current() -> None:
    assert (ROOT / "docs/reference.md").read_text() == reference_page(), "run `make docs`"


def test_every_subcommand_is_documented() -> None:
    written = "\n".join(document.read_text() for document in DOCUMENTS)
    assert [command for command in SUBCOMMANDS if f"costpol {command}" not in written] == []


def test_the_readme_shows_what_the_demo_prints() -> None:
    shown = re.search(r"<!-- demo -->\n```text\n(.*?)```\n<!-- /demo -->", (ROOT / "README.md").read_text(), re.DOTALL)
    assert shown is not None
    ran = subprocess.run(
        [sys.executable, str(ROOT / "examples/demo/demo.py")], capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert steady(ran.stdout) == steady(shown.group(1))


def steady(output: str) -> list[str]:
    """The lines of an output, without what differs from run to run: ports, digests, counts of a race."""
    replaced = re.sub(r"http://127\.0\.0\.1:\d+", "http://127.0.0.1:PORT", output)
    replaced = re.sub(r"\b[0-9a-f]{12}\b", "DIGEST", replaced)
    replaced = re.sub(r"\d+ (complaints answered|requests, none lost)", r"N \1", replaced)
    return [line.rstrip() for line in replaced.strip().splitlines()]
