"""What a search has found so far."""

import torch
from torch import Tensor


class Best:
    """The best input of each sample so far; ties and NaN scores leave what is there.

    Args:
        inputs: ``(N, ...)`` what to return where nothing is ever found.

    Example:
        >>> best = Best(torch.zeros(2, 1))
        >>> best.update(torch.tensor([1]), torch.ones(1, 1), torch.tensor([0.5]))
        >>> best.inputs.squeeze(1), best.score
        (tensor([0., 1.]), tensor([  -inf, 0.5000]))
    """

    def __init__(self, inputs: Tensor) -> None:
        self.inputs = inputs.clone()
        self.score = inputs.new_full((len(inputs),), -torch.inf)

    def update(self, rows: Tensor, inputs: Tensor, score: Tensor) -> None:
        """Keep ``inputs`` for those of ``rows`` whose score they raise."""
        better = score > self.score[rows]
        self.inputs[rows[better]] = inputs[better]
        self.score[rows[better]] = score[better].to(self.score)
