"""Metrics over outcomes: one value a sample, reduced last, exact on any number of processes."""

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from robust_train.metrics.distinct import distinct
from robust_train.metrics.estimate import Estimate
from robust_train.types import Outcome


class OutcomeMetric(Metric):
    """A figure that is computed from one value for each sample.

    The state is the values and the indices they belong to. A sample that several processes or
    batches report, as padding of a distributed sampler makes them do, counts once; the order is
    that of the data set, so that the sum does not depend on who saw what.
    """

    full_state_update = False
    is_differentiable = False

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("index", default=[], dist_reduce_fx="cat")
        self.add_state("values", default=[], dist_reduce_fx="cat")
        self.index: list[Tensor] | Tensor
        self.values: list[Tensor] | Tensor

    @abstractmethod
    def per_sample(self, outcome: Outcome) -> Tensor:
        """``(N,)`` the value of each sample."""

    @abstractmethod
    def reduce(self, values: Tensor) -> Estimate:
        """The figure and its interval from all values."""

    def update(self, outcome: Outcome) -> None:
        """Add samples; an empty outcome is as good as any."""
        assert isinstance(self.index, list)  # until the processes are synchronised
        assert isinstance(self.values, list)
        self.index.append(outcome.index)
        self.values.append(self.per_sample(outcome))

    def estimate(self) -> Estimate:
        """The figure over all samples so far, with n and a 95 % interval."""
        if isinstance(self.index, list) and not self.index:
            return self.reduce(torch.zeros(0))
        index, values = dim_zero_cat(self.index), dim_zero_cat(self.values)
        return self.reduce(values[distinct(index).to(values.device)])

    def compute(self) -> Tensor:
        """The figure alone, float64."""
        return torch.tensor(self.estimate().value, dtype=torch.float64)
