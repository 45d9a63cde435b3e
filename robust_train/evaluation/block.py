"""Samples that are searched together."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from robust_train.evaluation.judging import Judge
from robust_train.evaluation.refusals import check_labels
from robust_train.networks.rejecting import rejects
from robust_train.norms import norm
from robust_train.types import Outcome


@dataclass(frozen=True, eq=False)
class Block:
    """Images, and what the network says of them as they are.

    Args:
        inputs: ``(N, C, H, W)`` in pixel units.
        labels: ``(N,)``.
        singles: ``(N, draws)`` the class in each single draw of a stochastic network.
        clean: The outcome of no perturbation, of size 0.
    """

    inputs: Tensor
    labels: Tensor
    singles: Tensor
    clean: Outcome

    @classmethod
    def judged(cls, judge: Judge, index: Tensor, inputs: Tensor, labels: Tensor) -> Self:
        """The block of these images.

        Raises:
            ValueError: A label is none of the network's classes.
        """
        logits, singles = judge.verdict(inputs)
        reject = rejects(judge.network)
        check_labels(labels, logits.shape[1] - reject)
        clean = Outcome(
            index=index.cpu(),
            labels=labels.cpu(),
            logits=logits.cpu(),
            perturbed_logits=logits.cpu(),
            size=torch.zeros(len(inputs), dtype=torch.float64),
            scale=norm(inputs.double(), "l2").cpu(),
            reject=reject,
        )
        return cls(inputs, labels, singles, clean)
