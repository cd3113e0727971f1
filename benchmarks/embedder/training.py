"""Moves token vectors until the cosines of summed vectors match the transformer's.

Each batch holds small groups of near texts, so that it has pairs of all degrees of likeness. The loss adds the squared
error of all cosines in the batch and the divergence of each text's neighbour distribution (a softmax of its cosines),
which sees the near pairs. There are no labels in it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional


@dataclass(frozen=True)
class Recipe:
    """How to train. `temperature` sharpens the neighbour distributions; `group` near texts stay together.

    Rows have a length of about one. With `drop` some words of a text are left out at random.
    """

    seed: int
    epochs: int = 4
    batch: int = 1024
    group: int = 32
    pivots: int = 600
    learning_rate: float = 1e-3
    temperature: float = 0.1
    neighbours_weight: float = 0.1
    drop: float = 0.0


def train(rows: np.ndarray, texts: list[list[int]], teacher: np.ndarray, recipe: Recipe) -> np.ndarray:
    """The rows after training. `texts` are row numbers per text, `teacher` its unit vector by the transformer."""
    torch.manual_seed(recipe.seed)
    generator = np.random.default_rng(recipe.seed)
    bag = torch.nn.EmbeddingBag.from_pretrained(torch.from_numpy(rows.copy()), freeze=False, mode="sum")
    optimiser = torch.optim.Adam(bag.parameters(), lr=recipe.learning_rate)
    steps = recipe.epochs * (len(texts) // recipe.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=recipe.learning_rate, total_steps=steps, pct_start=0.1
    )
    target = torch.from_numpy(teacher)
    started = time.monotonic()
    for epoch in range(recipe.epochs):
        total = 0.0
        batches = _batches(teacher, recipe, generator)
        for batch in batches:
            student = functional.normalize(_summed(bag, [texts[index] for index in batch], generator, recipe.drop))
            loss = _loss(student @ student.T, target[batch] @ target[batch].T, recipe)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += float(loss.detach())
        seconds = time.monotonic() - started
        print(f"epoch {epoch + 1}/{recipe.epochs} loss {total / len(batches):.5f} after {seconds:.0f} s", flush=True)
    return bag.weight.detach().numpy()


def _summed(
    bag: torch.nn.EmbeddingBag, texts: list[list[int]], generator: np.random.Generator, drop: float
) -> torch.Tensor:
    lengths = np.array([len(text) for text in texts])
    flat = np.fromiter((row for text in texts for row in text), dtype=np.int64, count=int(lengths.sum()))
    offsets = np.concatenate([[0], lengths.cumsum()[:-1]])
    weights = None
    if drop:
        weights = torch.from_numpy((generator.random(len(flat)) >= drop).astype(np.float32) + 1e-3)
    return bag(torch.from_numpy(flat), torch.from_numpy(offsets), weights)


def _loss(student: torch.Tensor, teacher: torch.Tensor, recipe: Recipe) -> torch.Tensor:
    size = len(student)
    apart = ~torch.eye(size, dtype=torch.bool)
    student, teacher = student[apart].view(size, size - 1), teacher[apart].view(size, size - 1)
    squared = functional.mse_loss(student, teacher)
    divergence = functional.kl_div(
        functional.log_softmax(student / recipe.temperature, dim=1),
        functional.softmax(teacher / recipe.temperature, dim=1),
        reduction="batchmean",
    )
    return squared + recipe.neighbours_weight * divergence


def _batches(teacher: np.ndarray, recipe: Recipe, generator: np.random.Generator) -> list[np.ndarray]:
    """Every text once: sorted by its nearest pivot, cut into groups, the groups shuffled into batches."""
    pivots = teacher[generator.choice(len(teacher), min(recipe.pivots, len(teacher)), replace=False)]
    nearest = (teacher @ pivots.T).argmax(axis=1)
    order = np.lexsort((generator.random(len(teacher)), nearest))
    groups = [order[start : start + recipe.group] for start in range(0, len(order), recipe.group)]
    full = groups[: len(order) // recipe.group]
    shuffled = [full[index] for index in generator.permutation(len(full))]
    per_batch = recipe.batch // recipe.group
    whole = len(full) // per_batch
    return [np.concatenate(shuffled[n * per_batch : (n + 1) * per_batch]) for n in range(whole)]
