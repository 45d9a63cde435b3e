"""A small outcome that documentation and tests share."""

import torch

from robust_train.types import Outcome


def example_outcome() -> Outcome:
    """Four samples of two classes: broken at 0.1, broken at 0.4, not broken, and wrong from the start."""
    logits = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    perturbed = torch.tensor([[0.0, 1.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    return Outcome(
        index=torch.arange(4),
        labels=torch.zeros(4, dtype=torch.int64),
        logits=logits,
        perturbed_logits=perturbed,
        size=torch.tensor([0.1, 0.4, float("inf"), 0.0], dtype=torch.float64),
        scale=torch.full((4,), 2.0, dtype=torch.float64),
    )
