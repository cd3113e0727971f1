"""The two figures of a sentence-transformers model: where an intent ends, and from where answers may be shared.

    python benchmarks/embedder/model_thresholds.py --data DIR --model NAME_OR_FOLDER

Chosen on CLINC150's training part by the same rules as those of the built-in embedder (`thresholds`); `DIR` holds
`clinc150/data_full.json`. Needs sentence-transformers. Without the data it says `skipped`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from corpus import CLINC
from thresholds import cache_threshold, nearest_example, read_labelled, similarity_floor

from costpol.commands import Failed
from costpol.embedding.local_model import TextModel, encode_all
from costpol.embedding.sentence_transformer import load_model

SEED = 20240607


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", required=True, help="a folder, or a name on the hub that is on this machine")
    arguments = parser.parse_args()
    if not (arguments.data / CLINC).exists():
        print(f"skipped: there is no `{arguments.data / CLINC}`")
        return
    labelled = read_labelled(arguments.data)
    model = load_model(arguments.model, download=False)
    vectors, strangers = (rows(model, texts) for texts in (labelled.texts, labelled.strangers))
    print(f"{model.id}: {len(vectors)} messages of {labelled.intents.max() + 1} intents, {len(strangers)} of none")
    similarity_floor(*nearest_example(vectors, labelled.intents, strangers, seed=SEED))
    cache_threshold(vectors, labelled.intents)


def rows(model: TextModel, texts: list[str]) -> np.ndarray:
    answers = [answer for start in range(0, len(texts), 64) for answer in encode_all(model, texts[start : start + 64])]
    return np.stack([answer for answer in answers if not isinstance(answer, Failed)])


if __name__ == "__main__":
    main()
