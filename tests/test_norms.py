"""Norms, duals, steepest directions, projections and uniform samples."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import kstest

from robust_train.norms import DUAL, Ball, norm, shorten, steepest, uniform_in_ball
from robust_train.randomness import Streams

ORDER = {"linf": np.inf, "l2": 2, "l1": 1}
every_norm = pytest.mark.parametrize("p", sorted(ORDER))
seeds = st.integers(0, 2**32 - 1)


def normal(seed, *shape):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@every_norm
def test_the_norm_is_that_of_each_sample(p):
    r = normal(0, 5, 2, 3, 4)
    np.testing.assert_allclose(norm(r, p), [np.linalg.norm(row.flatten(), ORDER[p]) for row in r.numpy()])
    assert norm(r[:0], p).shape == (0,)


@every_norm
@given(seed=seeds)
def test_a_form_is_at_most_the_norm_times_the_dual_norm(p, seed):
    r, w = normal(seed, 2, 8, 5)
    assert ((r * w).sum(1) <= norm(r, p) * norm(w, DUAL[p]) * (1 + 1e-12)).all()


@every_norm
@given(seed=seeds, scale=st.sampled_from([1e-200, 1e-30, 1.0, 1e30]))
def test_the_steepest_direction_attains_the_dual_norm(p, seed, scale):
    w = normal(seed, 8, 5)
    d = steepest(scale * w, p)
    torch.testing.assert_close(norm(d, p), torch.ones(8, dtype=torch.float64))
    torch.testing.assert_close((d * w).sum(1), norm(w, DUAL[p]))


@every_norm
def test_no_gradient_gives_no_direction(p):
    assert torch.equal(steepest(torch.zeros(2, 3, 4), p), torch.zeros(2, 3, 4))


def nearest_distance(y, low, high, p, eps):
    """Squared distance from y to the ball in the box, as the largest value of the Lagrange dual."""

    def dual(t):
        r = y if p == "linf" else y / (1 + t) if p == "l2" else np.sign(y) * np.maximum(np.abs(y) - t / 2, 0)
        r = np.clip(r, low, high)
        size = {"linf": 0.0, "l2": (r**2).sum() - eps**2, "l1": np.abs(r).sum() - eps}[p]
        return ((r - y) ** 2).sum() + t * size

    xatol = {"xatol": 1e-9}
    return -minimize_scalar(lambda t: -dual(t), bounds=(0, 1e3), method="bounded", options=xatol).fun


@every_norm
@pytest.mark.parametrize("bounds", [None, (0.0, 1.0)])
def test_the_projection_is_the_nearest_point(p, bounds):
    """It is in the set, and no further than the dual proves: so nothing in the set is nearer."""
    centers, points = normal(1, 12, 3).sigmoid(), normal(2, 12, 3)
    projected = Ball.around(centers, p, 0.4, bounds).project(points)
    assert (norm(projected - centers, p) <= 0.4 + 1e-9).all()
    low, high = bounds or (-10.0, 10.0)
    assert ((low <= projected) & (projected <= high)).all()
    for x, y, found in zip(centers.numpy(), points.numpy(), projected.numpy(), strict=True):
        cube = 0.4 if p == "linf" else 10.0
        least = nearest_distance(y - x, np.maximum(-cube, low - x), np.minimum(cube, high - x), p, 0.4)
        assert ((found - y) ** 2).sum() == pytest.approx(least, abs=1e-6)


@every_norm
@pytest.mark.parametrize("eps", [0.1, 0.25, 1.0])
def test_a_perturbation_of_one_pixel_is_shortened_to_the_radius(p, eps):
    y = torch.zeros(100, 6)
    y[:, 2] = 2 * eps
    centers = 0.1 * torch.rand(100, 6)
    projected = Ball.around(centers, p, eps, None).project(centers + y)
    torch.testing.assert_close(projected - centers, y / 2)


@every_norm
@given(seed=seeds, eps=st.floats(1e-3, 3), dimension=st.integers(1, 40))
def test_a_second_projection_changes_nothing(p, seed, eps, dimension):
    ball = Ball.around(normal(seed, 4, dimension).sigmoid(), p, eps, (0.0, 1.0))
    once = ball.project(normal(seed + 1, 4, dimension))
    torch.testing.assert_close(ball.project(once), once, rtol=0, atol=1e-9)
    assert (norm(once - ball.center, p) <= eps * (1 + 1e-9)).all()


@every_norm
def test_samples_are_uniform_in_the_ball(p):
    like = torch.zeros(4000, 5, dtype=torch.float64)
    sample = uniform_in_ball(Streams.of(0, range(4000)), like, p)
    # The radius of a uniform point has the law r^d; in l2 and linf each sign is as likely as the other.
    assert kstest(norm(sample, p) ** 5, "uniform").pvalue > 0.01
    assert ((sample > 0).double().mean(0) - 0.5).abs().max() < 4 * 0.5 / 4000**0.5
    assert (sample.mean(0).abs() < 0.04).all()


@every_norm
def test_a_random_start_lies_in_ball_and_box(p):
    ball = Ball.around(torch.rand(50, 7), p, 0.5, (0.0, 1.0))
    start = ball.sample(Streams.of(0, range(50)))
    assert ((start >= 0) & (start <= 1)).all()
    assert (norm(start - ball.center, p) <= 0.5 * (1 + 1e-6)).all()
    assert start.shape == (50, 7)


@given(seed=seeds)
def test_shortening_never_rounds_away_from_the_center(seed):
    center, r = normal(seed, 100).float(), 0.1 * normal(seed + 1, 100)
    y = shorten(center, r)
    assert ((y.double() - center.double()).abs() <= r.abs()).all()
    assert ((y - center.double() - r).abs() <= 2e-7 * (1 + center.abs())).all()
