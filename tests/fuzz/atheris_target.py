"""Coverage-guided fuzzing of the loader and the linter, by choice: `make fuzz`.

The first byte chooses a file of the sound bundle, the rest takes its place; the shipped files are the seeds. A crash is
what `check` of the Hypothesis tests refuses: another exception, a place outside of the file, more than a second.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).parent
KINDS = ("batch", "budgets", "cache", "intents", "models", "personalization", "prompts", "routing", "tests")


def main() -> int:
    sys.path.insert(0, str(HERE.parents[1] / "engine"))
    try:
        import atheris
    except ImportError:
        sys.stderr.write("fuzzing needs atheris, which comes for Linux and macOS: pip install atheris\n")
        return 2
    with atheris.instrument_imports(include=["costpol.policy", "costpol.lint"]):
        hostile = _hostile()

    def one_input(data: bytes) -> None:
        if data:
            hostile.check(hostile.SOUND | {f"{KINDS[data[0] % len(KINDS)]}.yaml": data[1:]})

    with TemporaryDirectory() as seeds:
        for path in (HERE.parent / "cases").rglob("*.yaml"):
            text = path.read_bytes()
            kind = next((i for i, kind in enumerate(KINDS) if f"kind: {kind}".encode() in text), 0)
            name = "-".join(path.relative_to(HERE.parent / "cases").parts)
            (Path(seeds) / name).write_bytes(bytes([kind]) + text)
        atheris.Setup([*sys.argv, "-timeout=5", "-max_len=4096", seeds], one_input)
        atheris.Fuzz()
    return 0


def _hostile():  # type: ignore[no-untyped-def]
    """The module of the Hypothesis tests, whose `check` is the oracle."""
    spec = importlib.util.spec_from_file_location("test_hostile", HERE / "test_hostile.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.exit(main())
