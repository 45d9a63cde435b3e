"""Curvature of boundaries: of balls and cylinders in closed form, and a planted direction."""

import pytest
import torch

from robust_train import Goal, UniversalCurvature, UniversalRandom
from robust_train.randomness import Streams
from tests.toy_networks import Ellipsoid, curved, linear

RNG = Streams.of(0, [0])


def fit(perturbation, network, inputs):
    return perturbation.fit(network, [(inputs, torch.zeros(len(inputs), dtype=torch.int64))], RNG)


def operator(network, x, h=1e-3):
    """``(D, D)`` the mean curvature operator, column by column."""
    found = UniversalCurvature(h=h)
    z, slopes, goal = found.boundary(network, x, Goal(network(x).argmax(1)))
    columns = [found.bend(network, z, slopes, goal, e[None])[0] for e in torch.eye(x[0].numel()).double()]
    return torch.stack(columns, 1)


class Valley(torch.nn.Module):
    """Class 0 above a floor that rises with the square of the first pixel, class 1 below."""

    def forward(self, x):
        height = x[:, 1] - x[:, 0].square()
        return torch.stack([height, torch.zeros_like(height)], 1)


def valley(count=50):
    x = 0.3 * torch.randn(count, 12, dtype=torch.float64)
    x[:, 0], x[:, 1] = x[:, 0] / 30, x[:, 1].abs() + 0.1
    return x


@pytest.mark.parametrize("radius", [0.5, 3.0])
def test_a_ball_has_the_inverse_of_its_radius_along_every_tangent(radius):
    x = torch.randn(1, 5, dtype=torch.float64)
    x = x / x.norm() * 0.8 * radius
    found = operator(Ellipsoid([radius] * 5), x)
    n = (x / x.norm()).flatten()
    # DeepFool goes beyond the boundary by a fiftieth of its step of a fifth of the radius.
    expected = (torch.eye(5).double() - n[:, None] * n) / (1.004 * radius)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_a_cylinder_is_curved_around_and_not_along():
    x = torch.tensor([[0.9, 0.0, 0.4], [0.0, -0.9, 0.1]], dtype=torch.float64)
    found = operator(Ellipsoid([1.0, 1.0, 1e6]), x)
    # The tangent of each is the axis of the other, of which the mean takes half.
    torch.testing.assert_close(
        found, torch.diag(torch.tensor([0.5, 0.5, 0.0]).double() / 1.002), rtol=1e-4, atol=1e-4
    )


def test_a_flat_boundary_is_not_curved():
    found = operator(linear((6,), 3), torch.randn(20, 6, dtype=torch.float64))
    assert found.abs().max() < 1e-9


@pytest.mark.parametrize("steps", [4, 12])
def test_a_direction_that_boundaries_share_is_found(steps):
    x = valley()
    goal = Goal(torch.zeros(len(x), dtype=torch.int64))
    basis = UniversalCurvature(steps=steps, dimension=3).basis(Valley(), x, goal, RNG)
    assert basis[0, 0].abs() > 0.99
    torch.testing.assert_close(basis @ basis.mT, torch.eye(len(basis)).double())


@pytest.mark.parametrize("eps", [0.5, 0.8])
def test_along_it_the_vector_leaves_the_region_of_all_that_are_near(eps):
    """A step along the boundary leaves where its square is more than the height."""
    x = valley()
    fitted = fit(UniversalCurvature(eps=eps, bounds=None), Valley(), x)
    rate = fitted.rate(Valley(), x, Goal(torch.zeros(len(x), dtype=torch.int64)), fitted.vector)
    low, high = (((scale * eps) ** 2 > x[:, 1]).double().mean().item() for scale in (0.9, 1.0))
    assert rate >= low > 0.2
    assert high > 0.3


def test_it_fools_more_held_out_images_than_a_random_vector_of_equal_norm():
    network, x = curved((1, 8, 8), 4), torch.rand(300, 1, 8, 8, dtype=torch.float64)
    labels = network(x).argmax(1)[100:]
    fitted, rates = fit(UniversalCurvature(eps=0.7), network, x[:100]), []
    for perturbation in (fitted, UniversalRandom(norm="l2", eps=0.7)):
        y = perturbation(network, x[100:], labels, rng=Streams.of(0, range(100, 300))).inputs
        rates.append((network(y).argmax(1) != labels).double().mean())
    assert rates[0] > 1.5 * rates[1] > 0


def test_where_no_boundary_is_found_the_vector_is_zero():
    found = fit(UniversalCurvature(), lambda x: x[:, :3] * 0, torch.rand(5, 4))
    assert torch.equal(found.vector, torch.zeros(4))


@pytest.mark.parametrize(("name", "value"), [("steps", 0), ("h", 0.0), ("dimension", 0), ("draws", -1)])
def test_what_has_no_meaning_is_refused(name, value):
    with pytest.raises(ValueError, match=f"^UniversalCurvature: {name} must be"):
        UniversalCurvature(**{name: value})
