"""The list of models."""

from __future__ import annotations

import json

from openai.types import Model

from costpol.providers.openai import models_body


def test_the_official_types_accept_the_list_in_its_order() -> None:
    listing = json.loads(models_body(["small", "größe"], 1_700_000_000))
    assert listing["object"] == "list"
    models = [Model.model_validate(each, strict=True) for each in listing["data"]]
    assert [(model.id, model.created) for model in models] == [("small", 1_700_000_000), ("größe", 1_700_000_000)]
