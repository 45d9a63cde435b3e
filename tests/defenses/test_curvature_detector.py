"""The curvature of a sphere from both of its sides, and the label that is recovered."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch

from robust_train import PGD, CurvatureDetector, Digits
from robust_train.checkpoint import load
from robust_train.networks.rejecting import rejects
from robust_train.norms import norm, unsqueeze_like
from robust_train.randomness import Streams
from tests.toy_networks import Ellipsoid, linear

DEFENSE = CurvatureDetector(h=0.01, perturbation=PGD(norm="l2", eps=0.5, steps=10))

SHIPPED = Path(__file__).parents[2] / "checkpoints" / "digits-curvature_detector"


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


def test_the_curvature_has_the_slope_of_second_differences_along_the_boundary():
    network = torch.nn.Sequential(linear((5,), 8), torch.nn.Tanh(), torch.nn.Linear(8, 3).double())
    pair, x = replace(DEFENSE, h=0.3).wrap(network), at(0.7).requires_grad_()
    kappa, label = pair.curvature(x)
    (found,) = torch.autograd.grad(kappa.sum(), x)
    z, i, j = pair._crossing(x.detach())

    def lead(z):
        return (network(z).gather(1, i[:, None]) - network(z).gather(1, j[:, None])).squeeze(1)

    z.requires_grad_()
    (g,) = torch.autograd.grad(lead(z).sum(), z)
    n, terms = g / g.norm(dim=1, keepdim=True), []
    for v in Streams.of(DEFENSE.seed, range(DEFENSE.draws)).normal((5,), z):
        u = v - (v * n).sum(1, keepdim=True) * n
        u = 0.3 * u / u.norm(dim=1, keepdim=True)
        terms.append(-(lead(z + u) - 2 * lead(z) + lead(z - u)) / (0.09 * g.norm(dim=1)))
    (expected,) = torch.autograd.grad(sum(terms).sum() / len(terms), z)
    expected = expected - (expected * n).sum(1, keepdim=True) * n
    assert expected.abs().max() > 1e-3
    torch.testing.assert_close(found, expected)
    assert torch.equal(kappa.detach(), pair.curvature(x.detach())[0])
    assert torch.equal(label, j)


def test_the_score_of_a_trained_network_of_rectifiers_rises_along_its_slope():
    """Under attack, that of 37 of 40 digits did."""
    pair, data = load(SHIPPED).double(), Digits()
    data.setup("test")
    x, y = (torch.stack([torch.as_tensor(item[k]) for item in islice(data.test_set, 40)]) for k in (0, 1))
    x = PGD(eps=0.15, steps=3, drop=False)(pair, x.double(), y).inputs.requires_grad_()
    (g,) = torch.autograd.grad(pair.scored(x)[1].sum(), x)
    step = 0.03 * g / unsqueeze_like(norm(g, "l2"), g)
    with torch.no_grad():
        before, after = (pair.scored(x + sign * step)[1] for sign in (-1, 1))
    share = (after > before).double().mean()
    assert share > 0.65, share


def test_it_is_judged_under_autocast():
    pair, x = DEFENSE.wrap(linear((5,), 3).float()), at(0.4).float()
    pair.settle([(x, torch.zeros(len(x)))], 0.5)
    with torch.autocast("cpu", torch.bfloat16):
        assert pair.eval()(x).shape == (len(x), 4)


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
