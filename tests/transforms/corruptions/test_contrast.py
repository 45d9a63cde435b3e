"""Pixels are drawn towards the mean of their channel."""

import pytest
import torch

from robust_train.transforms.corruptions.contrast import contrast


@pytest.mark.parametrize(
    ("side", "shares"), [(8, [1, 0.75, 0.5, 0.4, 0.3, 0.15]), (65, [1, 0.4, 0.3, 0.2, 0.1, 0.05])]
)
def test_means_stay_and_deviations_shrink_by_the_published_share(side, shares):
    x = torch.rand(6, 3, 8, side, dtype=torch.float64)
    y = contrast(x, torch.arange(6.0).double(), None)
    mean = x.mean((2, 3), keepdim=True)
    torch.testing.assert_close(y.mean((2, 3), keepdim=True), mean)
    torch.testing.assert_close(y - mean, torch.tensor(shares).double().view(6, 1, 1, 1) * (x - mean))
