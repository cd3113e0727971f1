from __future__ import annotations

import pytest

from costpol.cli.main import main


@pytest.mark.parametrize(
    ("size", "words"), [("10", "a size with its unit"), ("1B", "between 1KiB and 1GiB"), ("2GiB", "between 1KiB")]
)
def test_a_body_limit_that_makes_no_sense_is_refused(size: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--max-body", size]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    "upstream", ["sim", "=http://h/v1", "sim=h", "sim=http://:80/v1", "sim=http://h:99999/v1", "sim=http://h/v1?x=1"]
)
def test_an_upstream_that_is_no_address_is_refused(upstream: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--upstream", upstream]) == 2
    assert f"`{upstream}` names no provider and address" in capsys.readouterr().err
