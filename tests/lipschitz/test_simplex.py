"""The projection onto the simplex, by the conditions that no other point meets."""

import pytest
import torch

from robust_train.lipschitz.simplex import project_onto_simplex


def vectors():
    generator = torch.Generator().manual_seed(0)
    for count in (1, 2, 3, 10, 100):
        for scale in (0.01, 1.0, 100.0):
            yield scale * torch.randn(count, generator=generator, dtype=torch.float64)
    yield torch.zeros(4, dtype=torch.float64)
    yield torch.tensor([1.0, 1.0, 1.0, -1.0], dtype=torch.float64)


@pytest.mark.parametrize("w", list(vectors()))
def test_the_conditions_of_karush_kuhn_and_tucker_hold(w):
    p = project_onto_simplex(w)
    tau = (w - p)[p > 0].mean()  # the multiplier of the sum
    mu = p - w + tau  # those of p >= 0
    zero = torch.zeros((), dtype=torch.float64)
    tolerance = 1e-12 * (1 + w.abs().max())
    assert (p >= 0).all()
    torch.testing.assert_close(p.sum(), zero + 1)
    assert (mu >= -tolerance).all()
    assert (mu * p).abs().max() <= tolerance


@pytest.mark.parametrize("w", list(vectors()))
def test_the_dual_has_the_same_value(w):
    """max over tau of -sum((w - tau)_+^2)/2 - tau + |w|^2/2 is a bound of all points: no gap is left."""
    p = project_onto_simplex(w)
    tau = (w - p)[p > 0].mean()
    primal = (p - w).square().sum() / 2
    dual = (w.square().sum() - (w - tau).clamp_min(0).square().sum()) / 2 - tau
    assert (primal - dual).abs() <= 1e-12 * (1 + w.square().sum())


def test_convex_weights_stay():
    p = torch.tensor([0.25, 0.0, 0.75])
    assert torch.equal(project_onto_simplex(p), p)
