"""A bundle as it is typed: what cannot be read now is answered from what was last in order."""

from __future__ import annotations

from costpol.editor.names import Meaning
from costpol.editor.project import Project, is_bundle, read_project
from costpol.policy.nodes.models import Models
from costpol.policy.nodes.routing import Routing


def test_names_of_a_file_that_is_half_typed_are_still_known(project: Project, texts: dict[str, str]) -> None:
    now = read_project({**texts, "models.yaml": texts["models.yaml"] + "  new: [tiny,\n"}, project)
    assert not now.files["models.yaml"].current
    assert set(now.known(Meaning("model"))) == {"tiny", "big"}
    models = now.node(Models)
    assert models is not None
    assert set(models.tiers) == {"small", "strong"}


def test_a_file_that_parses_but_does_not_bind_has_its_new_names(project: Project, texts: dict[str, str]) -> None:
    text = texts["routing.yaml"].replace("name: money", "name: cash").replace("route: strong", "route:")
    now = read_project({**texts, "routing.yaml": text}, project)
    assert set(now.known(Meaning("rule"))) == {"cash", "the-rest", "default"}
    routing = now.node(Routing)
    assert routing is not None
    assert routing.rules[0].name == "money"


def test_a_file_of_another_kind_forgets_what_it_was(project: Project, texts: dict[str, str]) -> None:
    now = read_project({**texts, "cache.yaml": "kind: batch\nintents: {faq: {\n"}, project)
    assert now.files["cache.yaml"].kind == "batch"
    assert now.files["cache.yaml"].names == ()


def test_files_that_did_not_change_are_not_read_again(project: Project, texts: dict[str, str]) -> None:
    now = read_project({**texts, "cache.yaml": "kind: cache\n"}, project)
    assert now.files["models.yaml"] is project.files["models.yaml"]
    assert now.files["cache.yaml"] is not project.files["cache.yaml"]


def test_the_built_in_names_are_known(project: Project, texts: dict[str, str]) -> None:
    assert "requested" in project.known(Meaning("tier or model"))
    assert "static-en" in project.known(Meaning("embedder"))
    assert set(project.known(Meaning("intent"))) == {"faq", "billing", "rest"}
    del texts["intents.yaml"]
    assert set(read_project(texts).known(Meaning("intent"))) == {"other"}


def test_a_folder_is_a_bundle_by_a_kind_of_ours() -> None:
    assert is_bundle({"a.yaml": "kind: routing # here\nfoo: [", "b.yaml": ""})
    assert not is_bundle({"deployment.yaml": "apiVersion: v1\nkind: Deployment\n", "ci.yaml": "on: push\n"})
    assert not is_bundle({})


def test_text_that_is_no_unicode_is_no_accident() -> None:
    assert read_project({"a.yaml": "kind: cache\n# \ud800"}).files["a.yaml"].kind == "cache"
