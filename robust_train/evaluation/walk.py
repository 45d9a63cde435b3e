"""The way through a data set, from what regimes learn from to the last block."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from robust_train.evaluation.blocks import Blocks
from robust_train.evaluation.evaluator import Evaluator
from robust_train.evaluation.lessons import Lessons
from robust_train.evaluation.processes import rank_and_world
from robust_train.evaluation.progress import progress


def walk(
    evaluator: Evaluator,
    blocks: Blocks,
    training: Any | None,
    read: Callable[[Any], tuple[Tensor, Tensor]],
    shown: bool,
) -> None:
    """Let the regimes learn that have to, then judge the blocks of this process.

    Args:
        evaluator: Judges them.
        blocks: Of the data set.
        training: Images to learn from; ``None`` for those that the blocks hold out.
        read: Makes ``(N, ...)`` images in pixel units and ``(N,)`` labels of a batch.
        shown: Whether the first process shows a bar.
    """
    rank, world = rank_and_world()
    mine = len(range(rank, len(blocks), world))
    learning = sum(not regime.perturbation.fitted for regime in evaluator.regimes)
    with progress(len(evaluator.regimes), mine, shown and rank == 0, learning) as tick:
        evaluator.learn(Lessons.of(blocks, training, read), tick)
        for index, batch in blocks.of_rank(rank, world):
            evaluator.add(index, *read(batch), tick)
