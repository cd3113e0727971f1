from __future__ import annotations

import json
import logging
import sys

import pytest

from costpol.errors import UsageError
from costpol.proxy.identity import Identities
from costpol.proxy.server import _JsonLines, listen


def test_any_free_port_is_found_and_a_taken_one_is_refused() -> None:
    listener = listen("127.0.0.1", 0, Identities())
    port = listener.getsockname()[1]
    with pytest.raises(UsageError, match=f"port {port} cannot be listened on"):
        listen("127.0.0.1", port, Identities())
    listener.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "example.com"])  # noqa: S104
def test_strangers_are_not_let_in_without_keys(host: str) -> None:
    with pytest.raises(UsageError, match="spend on the providers' keys"):
        listen(host, 0, Identities())


def test_where_callers_are_declared_strangers_may_try() -> None:
    listen("0.0.0.0", 0, Identities({})).close()  # noqa: S104


def test_a_log_line_is_one_line_of_json() -> None:
    try:
        raise LookupError("two\nlines")
    except LookupError:
        record = logging.LogRecord("costpol.x", logging.ERROR, "f", 1, "it %s", ("failed",), sys.exc_info())
    line = _JsonLines().format(record)
    assert "\n" not in line
    read = json.loads(line)
    assert (read["level"], read["logger"], read["message"]) == ("error", "costpol.x", "it failed")
    assert "two" in read["trace"]
