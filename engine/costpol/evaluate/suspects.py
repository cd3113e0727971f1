"""Which hits of a replay may be wrong: the known to be wrong first, then the least sure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from heapq import nlargest

from msgspec import Raw

from costpol.embedding.registry import open_embedder
from costpol.evaluate.answer import is_recorded, read_answer
from costpol.evaluate.record import Record
from costpol.pipeline.decision import Outcome
from costpol.reporting.tuning.figures import Suspect
from costpol.runtime.provision import DEFAULT_EMBEDDER
from costpol.runtime.sameness import Embed, compare

LISTED = 20
_LENGTH = 160
"""Characters of a text that are shown."""


class Suspects:
    """Keeps the most suspicious hits, each pair of questions once. Without `texts` neither questions nor answers are
    kept."""

    def __init__(self, texts: bool) -> None:
        self._texts = texts
        self._pairs: dict[tuple[str, str], _Pair] = {}

    def add(self, record: Record, outcome: Outcome) -> None:
        """Look at one hit by likeness."""
        facts = next((note.facts for note in reversed(outcome.trace) if note.what == "hit"), {})
        probability, right = facts.get("probability"), judge_hit(record, outcome)
        similarity = outcome.similarity or 0.0
        question, kept_question = record.arrival.request.question, str(facts.get("question", ""))
        doubt = (right is False, -(similarity if probability is None else probability))
        key = (_plain(question), _plain(kept_question))
        pair = self._pairs.get(key)
        if pair is not None:
            pair.hits += 1
            if doubt <= pair.doubt:
                return
        texts = self._texts
        suspect = Suspect(
            request=record.id,
            similarity=round(similarity, 4),
            probability=probability,
            right=right,
            question=_shown(question) if texts else None,
            kept_question=_shown(kept_question) if texts else None,
            answer=_shown(recorded_answer(record) or _name(record.arrival.answer_id)) if texts else None,
            kept_answer=_shown(given_answer(outcome) or _name(outcome.hit_answer_id)) if texts else None,
        )
        self._pairs[key] = _Pair(doubt, suspect, 1 if pair is None else pair.hits)

    def worst(self) -> tuple[Suspect, ...]:
        """The most suspicious first; of equals the pair that hit more often."""
        listed = nlargest(LISTED, self._pairs.values(), key=lambda pair: (pair.doubt, pair.hits))
        return tuple(replace(pair.suspect, hits=pair.hits) for pair in listed)


@dataclass(slots=True)
class _Pair:
    doubt: tuple[bool, float]
    suspect: Suspect
    """The most doubtful of its hits."""
    hits: int


def judge_hit(record: Record, outcome: Outcome) -> bool | None:
    """Whether a hit gave the right answer, by its name or else by its text; `None` where nobody knows."""
    if outcome.kind != "hit":
        return None
    wanted, given = record.arrival.answer_id, outcome.hit_answer_id
    if wanted is not None and given is not None:
        return wanted == given
    told, kept = recorded_answer(record), given_answer(outcome)
    return None if told is None or kept is None else compare(kept, told, _embedder())


@lru_cache(maxsize=1)
def _embedder() -> Embed:
    """What compares answers: as in the sidecar the built-in embedder, whatever the policy's own is."""
    return open_embedder(DEFAULT_EMBEDDER).embed


def recorded_answer(record: Record) -> str | None:
    """What the log says was answered."""
    return record.answer.content if is_recorded(record.answer) else None


def given_answer(outcome: Outcome) -> str | None:
    """What a hit gave; `None` where the log did not record it."""
    response = read_answer(Raw(outcome.body or b"null")).response
    return response.content if is_recorded(response) else None


def _name(answer_id: str | None) -> str:
    return "" if answer_id is None else f"answer {answer_id}"


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _shown(text: str) -> str | None:
    line = " ".join(text.split())
    return (line if len(line) <= _LENGTH else line[: _LENGTH - 1] + "\u2026") or None
