"""Files become a bundle, or findings; nothing else, whatever the files hold."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costpol.errors import BundleError, UsageError
from costpol.policy.bundle import UnreadKindError
from costpol.policy.loader import KINDS, digest, load_bundle, load_folder, read_bundle
from costpol.policy.source import MAX_BYTES

MODELS = b"""kind: models
providers: {local: {type: openai, base_url: 'http://127.0.0.1:1/v1', key: none}}
models: {tiny: {provider: local}, big: {provider: local}}
tiers: {small: tiny, strong: [big, tiny]}
...
"""
ROUTING = b"kind: routing\ndefault: small\n...\n"
FILES = {"p/models.yaml": MODELS, "p/routing.yaml": ROUTING}


def _codes(files: dict[str, bytes]) -> list[str]:
    loaded = load_bundle(files)
    assert (loaded.bundle is None) == bool(loaded.diagnostics)
    return [found.code for found in loaded.diagnostics]


def test_models_and_routing_are_a_bundle() -> None:
    bundle = load_bundle(FILES).require()
    assert bundle.models.tiers == {"small": ("tiny",), "strong": ("big", "tiny")}
    assert bundle.routing.default == "small"
    assert bundle.files["p/routing.yaml"] == ROUTING.decode()
    assert bundle.routing.span.file == "p/routing.yaml"


def test_names_of_files_mean_nothing() -> None:
    assert load_bundle({"a": ROUTING, "b": MODELS}).bundle is not None


def test_a_bundle_needs_models_and_routing() -> None:
    assert _codes({}) == ["CP113", "CP113"]
    assert _codes({"m": MODELS}) == ["CP113"]


def test_a_file_that_does_not_read_is_not_also_missing() -> None:
    assert _codes({"m": MODELS, "r": b"kind: routing\ndefault: [\n"}) == ["CP001"]
    assert _codes({"m": MODELS, "r": b"kind: rooting\ndefault: small\n"}) == ["CP112"]


def test_one_file_per_kind() -> None:
    loaded = load_bundle(FILES | {"p/routing2.yaml": ROUTING})
    assert [(found.code, found.span.file) for found in loaded.diagnostics] == [("CP114", "p/routing2.yaml")]
    assert loaded.diagnostics[0].related[0].span.file == "p/routing.yaml"


def test_there_may_be_several_files_of_tests() -> None:
    case = b"kind: tests\ntests: [{name: a, message: hello, expect: {refused: false}}]\n"
    assert len(load_bundle(FILES | {"t1": case, "t2": case}).require().tests) == 2


@pytest.mark.parametrize("kind", ["", "kind: [routing]\n", "kind: cash\n", "Kind: routing\n"])
def test_a_file_says_its_kind(kind: str) -> None:
    assert _codes(FILES | {"x": f"{kind}a: 1\n".encode()})[0] in ("CP108", "CP112")


def test_a_misspelt_kind_gets_a_suggestion() -> None:
    loaded = load_bundle(FILES | {"x": b"kind: budget\n"})
    assert loaded.diagnostics[0].help == "did you mean `budgets`?"


def test_findings_of_all_files_are_told_in_order() -> None:
    loaded = load_bundle({"b": b"kind: routing\n", "a": b"kind: models\nmodel: {}\nproviders: {}\n"})
    places = [(found.span.file, found.span.line) for found in loaded.diagnostics]
    assert places == sorted(places)
    assert {file for file, _ in places} == {"a", "b"}


def test_require_raises_with_all_findings() -> None:
    with pytest.raises(BundleError) as caught:
        load_bundle({"m": MODELS}).require()
    assert [found.code for found in caught.value.diagnostics] == ["CP113"]


def test_the_end_marker_of_each_file_is_known() -> None:
    loaded = load_bundle(FILES | {"t": b"kind: tests\ntests: [{name: a, message: hello, expect: {refused: false}}]\n"})
    assert loaded.explicit_end == {"p/models.yaml": True, "p/routing.yaml": True, "t": False}
    assert [(found.code, found.span.file, found.span.line) for found in loaded.unmarked_ends()] == [("CP005", "t", 2)]


def test_no_prefix_of_a_file_is_whole_unless_it_is_the_file() -> None:
    text = b"kind: personalization\nexclusions:\n  - {phrases: [my account]}\n...\n"
    for length in range(len(text) - 1):
        loaded = load_bundle(FILES | {"p": text[:length]})
        assert loaded.bundle is None or not loaded.explicit_end["p"] or length == len(text) - 1


def test_the_digest_is_of_names_and_bytes_wherever_the_folder_lies() -> None:
    assert digest(FILES) == digest({f"/elsewhere/{name}": data for name, data in FILES.items()})
    assert digest(FILES) != digest({"p/models.yaml": MODELS, "p/routing.yml": ROUTING})
    assert digest(FILES) != digest({"p/models.yaml": MODELS, "p/routing.yaml": ROUTING + b"#"})
    assert digest({"a": b"bc"}) != digest({"ab": b"c"})
    assert load_bundle(FILES).require().digest == digest(FILES)


# Folders


def _write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / Path(name).name).write_bytes(data)
    return folder


def test_a_folder_is_read_by_path(tmp_path: Path) -> None:
    files = read_bundle(_write(tmp_path, FILES))
    assert files == {f"{tmp_path.as_posix()}/{Path(name).name}": data for name, data in FILES.items()}
    assert load_folder(tmp_path).bundle is not None


def test_only_the_policy_files_of_the_folder_itself_are_read(tmp_path: Path) -> None:
    _write(tmp_path, FILES)
    for name in (".hidden.yaml", "#routing.yaml", "routing.yaml~", "routing.yaml.swp", "notes.txt", "4913"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "cache.yaml").write_bytes(b"x")
    assert {Path(name).name for name in read_bundle(tmp_path)} == {"models.yaml", "routing.yaml"}


def test_files_are_read_through_links(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    _write(real, FILES)
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    (mounted / "..data").symlink_to(real)
    for name in ("models.yaml", "routing.yaml"):
        (mounted / name).symlink_to(Path("..data") / name)
    assert load_folder(mounted).bundle is not None


def test_too_large_a_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    _write(tmp_path, FILES)
    (tmp_path / "big.yaml").write_bytes(b"#" * (MAX_BYTES + 5000))
    files = read_bundle(tmp_path)
    assert len(files[f"{tmp_path.as_posix()}/big.yaml"]) == MAX_BYTES + 1
    assert [found.code for found in load_bundle(files).diagnostics] == ["CP001"]


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        read_bundle(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="holds no policy file"):
        read_bundle(tmp_path)
    file = tmp_path / "models.yaml"
    file.write_bytes(MODELS)
    with pytest.raises(UsageError, match="is not a folder"):
        read_bundle(file)
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nothing")
    with pytest.raises(UsageError, match="no such file"):
        read_bundle(tmp_path)


def test_a_folder_or_a_pipe_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    _write(tmp_path, FILES)
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(UsageError, match="not a regular file"):
        read_bundle(tmp_path)


# Totality

_KEYS = [
    "kind",
    "default",
    "rules",
    "when",
    "name",
    "route",
    "models",
    "tiers",
    "intents",
    "exclusions",
    "budgets",
    "x",
]
_VALUES: st.SearchStrategy[object] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([*_KEYS, "1h", "5%", "off"]),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.sampled_from(_KEYS), children, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200)
@given(st.sampled_from(list(KINDS)), st.dictionaries(st.sampled_from(_KEYS), _VALUES, max_size=5))
def test_any_mapping_is_a_bundle_or_findings_inside_the_file(kind: str, members: dict[str, object]) -> None:
    import yaml

    text = yaml.safe_dump({"kind": kind} | {k: v for k, v in members.items() if k != "kind"}, allow_unicode=True)
    loaded = load_bundle({name: data for name, data in FILES.items() if kind not in name} | {"x": text.encode()})
    assert (loaded.bundle is None) == any(found.severity.value == "error" for found in loaded.diagnostics)
    for found in loaded.diagnostics:
        lines = loaded.files[found.span.file].split("\n")
        assert 1 <= found.span.line <= len(lines)
        assert 1 <= found.span.column <= len(lines[found.span.line - 1]) + 1


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.binary(max_size=60), max_size=3))
def test_any_files_are_a_bundle_or_findings(files: dict[str, bytes]) -> None:
    loaded = load_bundle(files)
    assert loaded.bundle is None
    assert loaded.diagnostics


@pytest.mark.parametrize(
    "files",
    [
        {"x": b"kind: cache\n" + b"".join(b"key%d: 1\n" % i for i in range(40_000))},
        {"x": b"kind: cache\nintents:\n" + b"".join(b"  name%d: off\n" % i for i in range(40_000))},
        {
            "models": MODELS[:-4] + b"embedders: {}\n",
            "routing": b"kind: routing\ndefault: small\nrules:\n"
            + b"".join(b"  - {name: r%d, when: {}, route: m%d}\n" % (i, i) for i in range(10_000)),
        },
        {"x": b"kind: cache\nintents: {" + b"a: [" * 60 + b"]" * 60 + b"}\n"},
        {"x": b"kind: personalization\nexclusions: [" + b"{pattern: '(a{1,900}){1,900}'}," * 300 + b"]\n"},
    ],
    ids=["keys", "names", "rules", "nesting", "patterns"],
)
def test_a_bundle_with_no_end_of_errors_is_refused_quickly(files: dict[str, bytes]) -> None:
    start = time.perf_counter()
    loaded = load_bundle(FILES | files if "x" in files else files)
    assert time.perf_counter() - start < 60
    assert loaded.bundle is None
    assert 0 < len(loaded.diagnostics) <= 200


def test_what_does_not_hang_on_a_broken_file_is_still_told() -> None:
    broken = {"intents": b"kind: intents\nintents: {faq: {exampels: [a]}}\n...\n"}
    loaded = load_bundle(FILES | broken | {"routing": b"", "p/routing.yaml": ROUTING.replace(b"small", b"smal")})
    assert [found.code for found in loaded.diagnostics if found.code != "CP001"] == ["CP101", "CP102"]
    assert loaded.bundle is None
    assert loaded.partial is not None
    assert loaded.partial.models.tiers["small"] == ("tiny",)
    for kind in ("intents", "routing"):
        with pytest.raises(UnreadKindError):
            getattr(loaded.partial, kind)


def test_a_kind_that_may_stand_in_an_unreadable_file_is_not_taken_for_absent() -> None:
    loaded = load_bundle(FILES | {"x": b"kind: [\n"})
    assert loaded.partial is not None
    with pytest.raises(UnreadKindError):
        _ = loaded.partial.budgets
    assert load_bundle(FILES).partial is None


def test_all_files_together_have_a_size() -> None:
    large = {f"t{n}.yaml": b"kind: tests\n" + b"#" * (MAX_BYTES - 20) for n in range(4)}
    found = load_bundle(FILES | large).diagnostics
    assert [each.span.file for each in found if "larger than 2 MiB" in each.message] == ["t1.yaml"]


def test_no_more_is_read_than_a_policy_may_have(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}.yaml").write_bytes(b"#" * MAX_BYTES)
    assert sum(map(len, read_bundle(tmp_path).values())) <= 2 * MAX_BYTES + 5
