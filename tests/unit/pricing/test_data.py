from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import genai_prices

from costpol.pricing.data import book_version, newest_price, utc


def test_the_version_identifies_the_installed_data() -> None:
    current = book_version(datetime(2026, 8, 20, tzinfo=UTC))
    assert (current.source, current.version) == ("genai-prices", version("genai-prices"))
    assert genai_prices.__file__ is not None
    assert current.digest == sha256(Path(genai_prices.__file__).with_name("data.py").read_bytes()).hexdigest()


def test_the_data_is_as_new_as_its_newest_price_in_force() -> None:
    newest = newest_price(date(2026, 8, 20))
    assert newest is not None
    assert newest <= date(2026, 8, 20)
    assert newest_price(newest) == newest
    assert newest_price(date(1990, 1, 1)) is None


def test_an_instant_without_a_time_zone_is_utc() -> None:
    assert utc(datetime(2031, 1, 1)) == datetime(2031, 1, 1, tzinfo=UTC)
    assert utc(datetime(2031, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))) == datetime(2031, 1, 1, tzinfo=UTC)


def test_importing_the_room_does_not_load_the_data() -> None:
    code = "import sys, costpol.pricing.book; sys.exit('genai_prices' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})
