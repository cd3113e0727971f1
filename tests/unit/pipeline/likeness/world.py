"""A small made-up world of questions: answers are places in space, questions scatter around them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from costpol.pipeline.likeness.evidence import Candidate, Evidence, weigh
from costpol.pipeline.likeness.judgement import Judgement, judge, learn, serve
from costpol.pipeline.likeness.state import Likeness

DIMENSION = 12


@dataclass
class World:
    """Sends questions through the rule as a cache would; `noise` is how far questions stray from their answer."""

    limit: float = 0.05
    noise: float = 0.25
    answers: int = 12
    seed: int = 0
    confused: float = 0.0
    """The share of questions whose right answer is another than they look like."""
    floor: float = 2.0
    state: Likeness = field(default_factory=lambda: Likeness("made-up", DIMENSION))
    stored: list[tuple[np.ndarray, str, str]] = field(default_factory=list)
    given: list[bool] = field(default_factory=list)
    """For each hit whether it was right."""
    judgements: list[Judgement] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.places = self.rng.normal(size=(self.answers, DIMENSION))
        self.places /= np.linalg.norm(self.places, axis=1, keepdims=True)

    def question(self) -> tuple[np.ndarray, str, str]:
        number = int(self.rng.integers(self.answers))
        vector = self.places[number] + self.noise * self.rng.normal(size=DIMENSION)
        text = f"word{number} and thing{self.rng.integers(40)}"
        if self.rng.random() < self.confused:
            number = int(self.rng.integers(self.answers))
        return (vector / np.linalg.norm(vector)).astype(np.float32), text, f"answer {number}"

    def candidates(self, vector: np.ndarray) -> list[Candidate]:
        similarities = np.array([other for other, _, _ in self.stored]) @ vector if self.stored else np.zeros(0)
        near = np.argsort(-similarities, kind="stable")[:20]
        return [Candidate(self.stored[i][2], float(similarities[i]), self.stored[i][1]) for i in near]

    def send(self, count: int) -> None:
        for _ in range(count):
            vector, text, right = self.question()
            evidence = weigh(self.state, vector, text, self.candidates(vector))
            judgement = self.judge(evidence)
            self.judgements.append(judgement)
            if judgement.action == "serve":
                self.given.append(judgement.answer == right)
                serve(self.state, evidence, judgement)
            else:
                learn(self.state, evidence, judgement, right if right in evidence.answers else None, right)
                self.stored.append((vector, text, right))
                if self.state.due:
                    self.state.fit()

    def judge(self, evidence: Evidence) -> Judgement:
        return judge(
            self.state, evidence, intent="faq", limit=self.limit, floor=self.floor, chance=float(self.rng.random())
        )

    @property
    def wrong_share(self) -> float:
        return 1 - sum(self.given) / len(self.given) if self.given else 0.0
