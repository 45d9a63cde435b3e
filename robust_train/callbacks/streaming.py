"""Judging a loop's own batches, where the samples behind its loader cannot be asked for."""

from typing import Any, ClassVar

import torch

from robust_train.evaluation.batches import unpack
from robust_train.evaluation.evaluator import Evaluator
from robust_train.evaluation.processes import rank_and_world


class Streaming:
    """Counts what this process has seen, and judges it.

    Args:
        evaluator: Of the loop.
        keys: Names of inputs and labels, where batches are dictionaries with unusual ones.
        limit: Number of samples of all processes.
    """

    SETTINGS: ClassVar = {
        "subset": "the loader's own batches: padding of a sampler cannot be told from samples"
    }

    def __init__(self, evaluator: Evaluator, keys: tuple[str, str] | None, limit: int | None) -> None:
        self.evaluator, self.keys, self.limit = evaluator, keys, limit
        self.seen = 0

    def add(self, batch: Any) -> None:
        """Judge a batch, as far as there is room for it."""
        inputs, labels = unpack(batch, self.keys)
        rank, world = rank_and_world()
        index = rank + world * torch.arange(self.seen, self.seen + len(inputs))
        self.seen += len(inputs)
        room = len(index) if self.limit is None else int((index < self.limit).sum())
        if room:
            inputs = self.evaluator.network.pixels(inputs[:room]).float()
            self.evaluator.add(index[:room], inputs, labels[:room])
