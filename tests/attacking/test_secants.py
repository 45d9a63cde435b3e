"""The two loops against the matrix that they stand for."""

import torch

from robust_train.attacking.secants import Secants


def quadratics(count, dimension):
    """Random positive definite Hessians."""
    root = torch.randn(count, dimension, dimension, dtype=torch.float64)
    return root @ root.mT + torch.eye(dimension, dtype=torch.float64)


def test_it_is_the_recursion_written_out():
    hessian, gamma = quadratics(4, 6), torch.rand(4, dtype=torch.float64)
    secants = Secants.none(torch.zeros(4, 6, dtype=torch.float64), 3, gamma)
    pairs = []
    for _ in range(5):
        s = torch.randn(4, 6, dtype=torch.float64)
        y = (hessian @ s[..., None]).squeeze(2)
        secants = secants.push(torch.ones(4, dtype=torch.bool), s, y)
        pairs.append((s[..., None], y[..., None]))
    s, y = pairs[-1]
    inverse = (s.mT @ y) / (y.mT @ y) * torch.eye(6, dtype=torch.float64)
    for s, y in pairs[-3:]:
        rho = 1 / (s.mT @ y)
        v = torch.eye(6, dtype=torch.float64) - rho * y @ s.mT
        inverse = v.mT @ inverse @ v + rho * s @ s.mT
    g = torch.randn(4, 6, dtype=torch.float64)
    torch.testing.assert_close(secants.times(g), (inverse @ g[..., None]).squeeze(2))
    torch.testing.assert_close(secants.times(pairs[-1][1].squeeze(2)), pairs[-1][0].squeeze(2))


def test_a_sample_remembers_its_own_pairs_only():
    none = Secants.none(torch.zeros(3, 2), 2, torch.full((3,), 0.5))
    s, y = torch.eye(2).repeat(2, 1)[:3], torch.eye(2).repeat(2, 1)[:3] * 4
    secants = none.push(torch.tensor([True, False, True]), s, y)
    torch.testing.assert_close(
        secants.times(torch.ones(3, 2)), torch.tensor([[0.25, 0.25], [0.5, 0.5], [0.25, 0.25]])
    )
    rows = torch.tensor([2, 1])
    assert torch.equal(secants.take(rows).times(torch.ones(2, 2)), secants.times(torch.ones(3, 2))[rows])


def test_a_pair_without_positive_curvature_is_forgotten():
    none = Secants.none(torch.zeros(2, 2), 2, torch.ones(2))
    s = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    secants = none.push(torch.ones(2, dtype=torch.bool), s, -s)
    assert torch.equal(secants.times(torch.ones(2, 2)), torch.ones(2, 2))
