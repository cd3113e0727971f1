from __future__ import annotations

import pytest

from costpol.units import format_size, parse_size


@pytest.mark.parametrize(
    ("written", "size"), [("10MiB", 10 * 2**20), ("1.5 KiB", 1536), ("20MB", 20_000_000), ("7B", 7), (" 1GiB ", 2**30)]
)
def test_a_size_has_a_unit(written: str, size: int) -> None:
    assert parse_size(written) == size


@pytest.mark.parametrize("written", ["10", "", "MiB", "-1MiB", "10 mib", "1e3B"])
def test_anything_else_is_no_size(written: str) -> None:
    with pytest.raises(ValueError, match="size with its unit"):
        parse_size(written)


@pytest.mark.parametrize(
    ("size", "shown"), [(10 * 2**20, "10 MiB"), (1536, "1,536 B"), (2**30, "1 GiB"), (2048, "2 KiB")]
)
def test_a_size_is_shown_in_the_largest_unit_that_divides_it(size: int, shown: str) -> None:
    assert format_size(size) == shown
