"""Embedders by name."""

from __future__ import annotations

import pytest

from costpol.embedding.registry import DEFAULT, NAMES, open_embedder
from costpol.errors import ProvisionError


@pytest.mark.parametrize("name", NAMES)
def test_every_name_opens_a_local_embedder_whose_id_starts_with_it(name: str) -> None:
    embedder = open_embedder(name)
    assert embedder.local
    assert embedder.id.startswith(f"{name}/")


def test_a_built_in_embedder_is_loaded_once() -> None:
    assert open_embedder(DEFAULT) is open_embedder(DEFAULT)


def test_an_unknown_name_is_answered_with_the_nearest_and_the_list() -> None:
    with pytest.raises(ProvisionError) as raised:
        open_embedder("static_en")
    assert raised.value.message == "there is no embedder named `static_en`"
    assert raised.value.help == "did you mean `static-en`? built in: `static-en`"


def test_a_name_unlike_any_gets_the_list_alone() -> None:
    with pytest.raises(ProvisionError) as raised:
        open_embedder("zzz")
    assert raised.value.help == "built in: `static-en`"
