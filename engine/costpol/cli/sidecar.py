"""A running sidecar, asked over HTTP."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from msgspec import DecodeError, json

from costpol.errors import UsageError

KEY_VARIABLE = "COSTPOL_KEY"
_SECONDS = 120.0
_LARGEST = 64 * 2**20

_DECODER = json.Decoder(float_hook=Decimal)


@dataclass(frozen=True, slots=True)
class Sidecar:
    """Where it listens (`http://127.0.0.1:8080`), and the key of an administrator where it asks for one."""

    url: str
    key: str | None = None

    def ask(self, method: str, path: str, content: Mapping[str, Any] | None = None) -> Any:
        """The answer's JSON; `None` where it is about an answer that is not kept.

        Raises `UsageError` where there is no answer, or a refusal.
        """
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"`{self.url}` is no address of a sidecar", "write `--sidecar http://127.0.0.1:8080`")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        headers = {"content-type": "application/json"}
        if self.key:
            headers["authorization"] = f"Bearer {self.key}"
        try:
            connection = kind(parts.hostname, parts.port, timeout=_SECONDS)
            try:
                connection.request(method, path, None if content is None else json.encode(content), headers)
                answer = connection.getresponse()
                body = answer.read(_LARGEST)
            finally:
                connection.close()
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error) or "no answer"
            raise UsageError(
                f"the sidecar `{self.url}` does not answer: {reason.lower()}", "see that it runs, and where it listens"
            ) from None
        try:
            found = _DECODER.decode(body)
        except (DecodeError, UnicodeDecodeError):
            raise UsageError(
                f"`{self.url}` does not answer as a sidecar", "name the address of `costpol serve`"
            ) from None
        if answer.status == 404 and _error(found).get("code") == "no_such_answer":
            return None
        if answer.status != 200:
            raise UsageError(f"the sidecar refuses: {_message(found, answer.status)}", _HELP.get(answer.status))
        return found


_HELP = {
    401: f"set `{KEY_VARIABLE}` to the key of a caller with `admin: true`",
    403: f"ask from the sidecar's own machine, or set `{KEY_VARIABLE}` to the key of a caller with `admin: true`",
}


def _message(found: Any, status: int) -> str:
    return str(_error(found).get("message") or f"status {status}")


def _error(found: Any) -> dict[str, Any]:
    error = found.get("error") if isinstance(found, dict) else None
    return error if isinstance(error, dict) else {}
