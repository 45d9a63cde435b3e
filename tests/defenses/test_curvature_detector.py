"""The curvature of a sphere from both of its sides, and the label that is recovered."""

from dataclasses import replace

import pytest
import torch

from robust_train import PGD, CurvatureDetector
from robust_train.networks.rejecting import rejects
from tests.toy_networks import Ellipsoid, linear

DEFENSE = CurvatureDetector(h=0.01, perturbation=PGD(norm="l2", eps=0.5, steps=10))


def at(radius, count=6, d=5):
    """Points around the origin, at this distance from it."""
    v = torch.randn(count, d, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).abs()
    return radius * v / v.norm(dim=1, keepdim=True)


def ball(radius, d=5):
    return DEFENSE.wrap(Ellipsoid([radius] * d)).eval()


@pytest.mark.parametrize("radius", [0.5, 2.0])
def test_the_two_sides_of_a_sphere_differ_in_sign(radius):
    pair = ball(radius)
    for rho, sign in ((0.9, 1), (1.1, -1)):
        kappa, behind = pair.curvature(at(rho * radius))
        # Where it is crossed, the overshoot of 2 % leads to another sphere, a little off.
        torch.testing.assert_close(kappa, torch.full_like(kappa, sign / radius), rtol=0.02, atol=0)
        assert (behind == (1 if sign > 0 else 0)).all()


def test_a_plane_has_no_curvature_at_any_scale():
    network = linear((5,), 3)
    for h in (0.01, 1.0):
        pair = replace(DEFENSE, h=h).wrap(network)
        assert pair.curvature(at(1.0))[0].abs().max() < 1e-6


def test_the_curvature_of_a_sample_does_not_depend_on_the_others_nor_on_the_scale_of_the_logits():
    pair, x = DEFENSE.wrap(Ellipsoid([1.0, 0.5, 2.0, 1.5, 0.7])), at(0.4)
    torch.testing.assert_close(pair.curvature(x)[0][2:3], pair.curvature(x[2:3])[0])
    scaled = DEFENSE.wrap(torch.nn.Sequential(pair.network, torch.nn.Softmax(1)))
    torch.testing.assert_close(scaled.curvature(x)[0], pair.curvature(x)[0], rtol=0.05, atol=1e-3)


def test_which_side_is_suspicious_is_learnt_and_the_label_across_is_recovered():
    """Clean images lie inside of the ball, or outside: what is taken across is flagged and named."""
    for rho, label in ((0.4, 0), (0.6, 1)):
        pair, x = ball(0.5), at(rho, count=20)
        assert not rejects(pair)
        with torch.no_grad():
            DEFENSE.calibrate(pair, [], [(x, torch.full((20,), label))])
        assert rejects(pair)
        attacked = at(1 - rho, count=20)
        assert (pair(x).argmax(1) == 2).sum() <= 1
        assert (pair(attacked).argmax(1) == 2).all()
        assert (pair.recovered(attacked) == label).all()
        assert (pair.recovered(x) == label).sum() >= 19


def test_a_score_without_slope_leaves_the_slopes_of_the_classes():
    pair = ball(0.5)
    with torch.no_grad():
        DEFENSE.calibrate(pair, [], [(at(0.4), torch.zeros(6, dtype=torch.int64))])
    x = at(0.6).requires_grad_()
    (flag,) = torch.autograd.grad(pair(x)[:, 2].sum(), x)
    (best,) = torch.autograd.grad(pair.network(x).amax(1).sum(), x)
    assert torch.equal(flag, best)


def test_it_belongs_to_the_weights():
    pair, loaded = ball(0.5), ball(0.5)
    DEFENSE.calibrate(pair, [], [(at(0.4), torch.zeros(6, dtype=torch.int64))])
    loaded.load_state_dict(pair.state_dict())
    assert torch.equal(loaded(at(0.6)), pair(at(0.6)))


def test_what_cannot_be_is_refused():
    for fields in ({"h": 0.0}, {"draws": 0}, {"steps": 0}, {"false_positives": 1.0}):
        with pytest.raises(ValueError, match=r"^CurvatureDetector: "):
            CurvatureDetector(**fields)
    with pytest.raises(ValueError, match=r"^A detector is calibrated on clean images, and there are none"):
        DEFENSE.calibrate(ball(0.5), [], [])
