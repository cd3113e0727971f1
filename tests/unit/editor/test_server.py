"""The language server as an editor meets it: the protocol, over the pipes of a process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import costpol


class Client:
    """Speaks JSON-RPC with a server process; keeps the notifications that come in between."""

    folder: Path

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "costpol", "lsp", "--stdio"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={"PYTHONPATH": str(Path(costpol.__file__).parents[1]), "PATH": ""},
        )  # fmt: skip
        self.number = 0

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def notify(self, method: str, **params: Any) -> None:
        self._send({"method": method, "params": params})

    def ask(self, method: str, **params: Any) -> Any:
        self.number += 1
        self._send({"id": self.number, "method": method, "params": params or None})
        while True:
            message = self.receive()
            if message.get("id") == self.number and "method" not in message:
                assert "error" not in message, message
                return message["result"]

    def findings(self, name: str) -> list[dict[str, Any]]:
        """The next findings that are published for a file."""
        while True:
            message = self.receive()
            if message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == self.uri(
                name
            ):
                found: list[dict[str, Any]] = message["params"]["diagnostics"]
                return found

    def open(self, name: str, text: str) -> None:
        document = {"uri": self.uri(name), "languageId": "yaml", "version": 1, "text": text}
        self.notify("textDocument/didOpen", textDocument=document)

    def change(self, name: str, line: int, start: int, end: int, text: str) -> None:
        place = {"start": {"line": line, "character": start}, "end": {"line": line, "character": end}}
        document = {"uri": self.uri(name), "version": 2}
        self.notify("textDocument/didChange", textDocument=document, contentChanges=[{"range": place, "text": text}])

    def at(self, method: str, name: str, line: int, character: int, **more: Any) -> Any:
        position = {"line": line, "character": character}
        return self.ask(f"textDocument/{method}", textDocument={"uri": self.uri(name)}, position=position, **more)

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        length = 0
        while (line := self.process.stdout.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        assert length, self.process.stderr.read().decode() if self.process.stderr else ""
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
        return message


@pytest.fixture(scope="module")
def server() -> Iterator[Client]:
    """One process for all tests; it leaves in good order when it is told to."""
    client = Client()
    try:
        answer = client.ask("initialize", processId=None, rootUri=None, capabilities={})
        assert answer["capabilities"]["positionEncoding"] == "utf-16"
        client.notify("initialized")
        yield client
        client.ask("shutdown")
        client.notify("exit")
        assert client.process.wait(10) == 0
    finally:
        client.process.kill()
        client.process.communicate()


@pytest.fixture
def client(server: Client, tmp_path: Path, texts: dict[str, str]) -> Client:
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    server.folder = tmp_path
    return server


def test_a_file_from_opening_to_closing(client: Client, texts: dict[str, str]) -> None:
    # wide characters in front: the columns of editors are not ours
    text = "# \U0001f600\n" + texts["routing.yaml"].replace("default: small", 'default: "smal" # \U0001f600')
    client.open("routing.yaml", text)
    [finding] = client.findings("routing.yaml")
    assert (finding["code"], finding["source"], finding["severity"]) == ("CP102", "costpol", 1)
    assert "did you mean `small`?" in finding["message"]
    assert finding["range"] == {"start": {"line": 2, "character": 9}, "end": {"line": 2, "character": 15}}

    edits = client.ask(
        "textDocument/codeAction",
        textDocument={"uri": client.uri("routing.yaml")}, range=finding["range"], context={"diagnostics": [finding]},
    )  # fmt: skip
    assert edits[0]["edit"]["changes"][client.uri("routing.yaml")][0]["newText"] == "small"

    client.change("routing.yaml", 2, 10, 14, "small")
    assert "CP102" not in [each["code"] for each in client.findings("routing.yaml")]

    hover = client.at("hover", "routing.yaml", 2, 12)
    assert "$0.10 input" in hover["contents"]["value"]
    assert hover["range"]["start"] == {"line": 2, "character": 10}

    [place] = client.at("definition", "routing.yaml", 2, 12)
    assert place == {
        "uri": client.uri("models.yaml"),
        "range": {"start": {"line": 7, "character": 2}, "end": {"line": 7, "character": 7}},
    }
    used = client.at("references", "routing.yaml", 2, 12, context={"includeDeclaration": False})
    assert {each["uri"].rpartition("/")[2] for each in used} == {"routing.yaml", "budgets.yaml"}

    client.change("routing.yaml", 6, 11, 17, "\U0001f600 {")
    client.change("routing.yaml", 6, 11, 15, "")
    found = client.at("completion", "routing.yaml", 6, 11)
    assert [each["label"] for each in found["items"]] == ["tiny", "big", "small", "strong", "requested"]
    first = client.ask("completionItem/resolve", **found["items"][0])
    assert "Price per million tokens" in first["documentation"]["value"]
    assert first["textEdit"]["range"]["start"] == {"line": 6, "character": 11}

    names = client.ask("textDocument/documentSymbol", textDocument={"uri": client.uri("models.yaml")})
    assert [each["name"] for each in names] == ["providers", "models", "tiers"]

    client.notify("textDocument/didClose", textDocument={"uri": client.uri("routing.yaml")})
    assert client.findings("routing.yaml") == []


def test_an_open_buffer_speaks_for_its_file_in_the_findings_of_others(client: Client, texts: dict[str, str]) -> None:
    client.open("models.yaml", texts["models.yaml"].replace("  small: tiny\n", "  tiny-tier: tiny\n"))
    assert [each["code"] for each in client.findings("routing.yaml")] == ["CP102"]
    client.change("models.yaml", 7, 2, 11, "small")
    assert "CP102" not in [each["code"] for each in client.findings("routing.yaml")]


def test_yaml_that_is_no_policy_is_left_alone(client: Client) -> None:
    other = client.folder / "other"
    other.mkdir()
    client.open("other/ci.yaml", "on: push\njobs: {}\n")
    client.open("other/deployment.yaml", "kind: Deployment\nkind: twice\n")
    assert client.at("completion", "other/ci.yaml", 1, 0)["items"] == []
    assert client.at("hover", "other/ci.yaml", 0, 1) is None
    client.open("cache.yaml", "kind: cache\nkind: cache\n")  # the first findings that arrive are about the policy
    while True:
        message = client.receive()
        if message.get("method") == "textDocument/publishDiagnostics":
            assert not message["params"]["uri"].startswith(other.as_uri())
            break


def test_what_changes_on_disk_is_checked_and_what_is_gone_is_cleared(client: Client, texts: dict[str, str]) -> None:
    client.open("models.yaml", texts["models.yaml"])
    client.findings("models.yaml")
    changed = [{"uri": client.uri("cache.yaml"), "type": 2}]
    (client.folder / "cache.yaml").write_text("kind: cache\nembedder: nobody\n...\n", encoding="utf-8")
    client.notify("workspace/didChangeWatchedFiles", changes=changed)
    while [each["code"] for each in client.findings("cache.yaml")] != ["CP102"]:
        pass
    (client.folder / "cache.yaml").unlink()
    client.notify("workspace/didChangeWatchedFiles", changes=[{"uri": client.uri("cache.yaml"), "type": 3}])
    assert client.findings("cache.yaml") == []


def test_settings_of_the_tool_and_all_safe_fixes_at_once(client: Client, texts: dict[str, str]) -> None:
    (client.folder / "costpol.toml").write_text('ignore = ["CP301"]\n', encoding="utf-8")
    text = texts["cache.yaml"].replace(", ttl: 24h, scope: tenant", "").replace("threshold", "treshold")
    client.open("cache.yaml", text)
    found = client.findings("cache.yaml")
    assert [each["code"] for each in found] == ["CP403", "CP101"]
    everywhere = {"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 0}}
    [action] = client.ask(
        "textDocument/codeAction", textDocument={"uri": client.uri("cache.yaml")}, range=everywhere,
        context={"diagnostics": [], "only": ["source"]},
    )  # fmt: skip
    assert action["kind"] == "source.fixAll"
    [edit] = action["edit"]["changes"][client.uri("cache.yaml")]
    assert edit["newText"] == "threshold"
    start, end = (edit["range"][each] for each in ("start", "end"))
    client.change("cache.yaml", start["line"], start["character"], end["character"], "threshold")
    assert [each["code"] for each in client.findings("cache.yaml")] == ["CP403"]
