"""Dropout variance and kernel density in closed form, and what a regression makes of both."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import logsigmoid

from robust_train import PGD, Distillation, UncertaintyDetector
from robust_train.defenses.kernel_density import log_density
from robust_train.defenses.logistic import logistic
from robust_train.defenses.uncertain import uncertainty
from robust_train.networks.rejecting import rejects
from tests.defenses.examples import make_step
from tests.toy_networks import convolutional, linear

DEFENSE = UncertaintyDetector(points=6, draws=20, perturbation=PGD(eps=0.1, steps=3, drop=False))


def batches(count, seed=0, dtype=torch.float32, size=16):
    step = make_step(count, seed=seed, dtype=dtype)
    return list(zip(step.inputs.split(size), step.labels.split(size), strict=True))


def calibrated(dtype=torch.float32, size=16):
    network = convolutional(dtype=dtype)
    pair = DEFENSE.wrap(network).eval()
    images = batches(64, dtype=dtype)
    learnt = [(x, network(x).argmax(1)) for x, _ in images]  # so that all are predicted right
    with torch.no_grad():
        DEFENSE.calibrate(pair, learnt, labelled(network, batches(48, seed=1, dtype=dtype, size=size)))
    return pair


def labelled(network, images):
    """Images of which some, the brighter ones at the first pixel, have another label than the predicted."""
    return [(x, (network(x).argmax(1) + (x.flatten(1)[:, 0] > 0.6)) % 10) for x, _ in images]


def test_the_density_of_one_point_is_a_gaussian():
    h, point = torch.randn(4, 3, dtype=torch.float64), torch.randn(3, dtype=torch.float64)
    law = torch.distributions.MultivariateNormal(point, 0.49 * torch.eye(3, dtype=torch.float64))
    found = log_density(h, point.expand(4, 1, 3), torch.ones(4, 1).double(), bandwidth=0.7)
    torch.testing.assert_close(found, law.log_prob(h))


def test_the_density_of_several_points_is_their_mean_and_empty_places_do_not_count():
    h, points = torch.randn(4, 3).double(), torch.randn(4, 5, 3).double()
    filled = torch.tensor([[1.0, 1, 1, 0, 0]] * 4).double()
    ones = [log_density(h, points[:, [j]], torch.ones(4, 1).double(), 1.2).exp() for j in range(3)]
    torch.testing.assert_close(log_density(h, points, filled, 1.2).exp(), sum(ones) / 3)
    assert log_density(h, points, 0 * filled, 1.2).isfinite().all()


@pytest.mark.parametrize("keep", [0.5, 0.8])
def test_the_dropout_variance_of_a_linear_head_is_known(keep):
    torch.manual_seed(0)
    w, x = torch.randn(6).double(), torch.rand(6).double()
    masks = (torch.rand(200_000, 6).double() < keep) / keep
    y = ((x * masks) @ w)[:, None, None]  # one sample, one output
    exact = (w.square() * x.square()).sum() * (1 - keep) / keep
    torch.testing.assert_close(uncertainty(y)[0], exact, rtol=0.02, atol=0)


def test_the_signs_are_the_variance_of_masked_probabilities_and_the_density_of_the_predicted_class():
    pair, x = calibrated(torch.float64), torch.rand(5, 1, 8, 8, dtype=torch.float64)
    logits, signs = pair.signs(x)
    torch.testing.assert_close(logits, pair.network(x))
    last = pair.network[-1]
    for one, found, score in zip(x, signs, pair.scored(x)[1], strict=True):
        h = pair.network[:-1](one[None])[0]
        p = torch.stack([(last.weight @ (mask * h) + last.bias).softmax(0) for mask in pair.masks])
        assert p.shape == (20, 10)
        label = (last.weight @ h + last.bias).argmax()
        points = pair.points[label][pair.filled[label] == 1]
        law = torch.distributions.MultivariateNormal(h, DEFENSE.bandwidth**2 * torch.eye(64).double())
        expected = torch.stack([p.var(0, correction=0).sum(), law.log_prob(points).exp().mean().log()])
        torch.testing.assert_close(found, expected)
        a = pair.weights[:2] / pair.scale
        torch.testing.assert_close(score, a @ (expected - pair.location) + pair.weights[2])


def test_the_masks_keep_that_share_and_are_those_of_the_seed():
    defense = UncertaintyDetector(keep=0.8, draws=400)
    masks = defense.wrap(linear((8, 8), 3)).masks
    assert set(masks.unique().tolist()) == {0.0, 1 / 0.8}
    assert (masks > 0).double().mean().item() == pytest.approx(0.8, abs=0.01)
    assert torch.equal(defense.wrap(linear((8, 8), 3)).masks, masks)
    assert not torch.equal(replace(defense, seed=1).wrap(linear((8, 8), 3)).masks, masks)


def test_the_regression_is_where_its_slope_vanishes():
    torch.manual_seed(0)
    x, y = torch.randn(50, 2).double(), torch.randint(2, (50,))
    w = logistic(x, y).requires_grad_()
    scores = (2 * y - 1) * (x @ w[:2] + w[2])
    loss = -logsigmoid(scores).mean() + 1e-3 / 2 * w.square().sum()
    (gradient,) = torch.autograd.grad(loss, w)
    assert gradient.abs().max() < 1e-10
    assert logistic(torch.tensor([[-1.0], [1.0]]), torch.tensor([0, 1])).isfinite().all()  # separable


def test_one_sample_is_judged_as_in_a_batch_and_twice_alike():
    pair, x = calibrated(torch.float64), torch.rand(5, 1, 8, 8, dtype=torch.float64)
    assert rejects(pair)
    assert torch.equal(pair(x), pair(x))
    torch.testing.assert_close(pair(x)[3:4], pair(x[3:4]))


def test_the_score_has_the_slope_that_it_seems_to_have():
    pair, x = calibrated(torch.float64), torch.rand(1, 1, 8, 8, dtype=torch.float64).requires_grad_()
    (gradient,) = torch.autograd.grad(pair.scored(x)[1].sum(), x)
    v = torch.randn_like(x)
    h = 1e-5
    with torch.no_grad():
        ends = [pair.scored(x + sign * h * v)[1] for sign in (1, -1)]
    assert ((ends[0] - ends[1]) / (2 * h)).item() == pytest.approx((gradient * v).sum().item(), rel=1e-3)


def test_what_is_learnt_belongs_to_the_weights():
    pair, x = calibrated(), torch.rand(4, 1, 8, 8)
    loaded = DEFENSE.wrap(convolutional()).eval()
    loaded.load_state_dict(pair.state_dict())
    assert torch.equal(loaded(x), pair(x))
    assert pair(x).shape == (4, 11)
    assert torch.equal(pair(x)[:, :-1], pair.network(x))


def test_units_drop_out_in_training_and_nowhere_else():
    pair, x = calibrated(), torch.rand(4, 1, 8, 8)
    pair.network[3].p = 0.0
    pair.network[1].eval()
    assert not torch.equal(pair.train()(x), pair(x))
    assert pair(x).shape == (4, 10)
    assert torch.equal(pair.eval()(x), pair(x))


def test_the_last_layer_is_that_of_the_network_that_is_deployed():
    student, x = convolutional(), torch.rand(4, 1, 8, 8)
    pair, plain = (DEFENSE.wrap(network).eval() for network in (Distillation().wrap(student), student))
    assert pair._last[0] is student[-1]
    torch.testing.assert_close(pair.signs(x), plain.signs(x))
    unused = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 3), torch.nn.Identity())
    unused[2].spare = torch.nn.Linear(2, 2)
    with pytest.raises(ValueError, match=r"^UncertaintyDetector: the last dense layer .* never runs\.$"):
        DEFENSE.wrap(unused)(x)


def test_what_is_remembered_is_predicted_right():
    network = convolutional()
    pair, images = DEFENSE.wrap(network).eval(), batches(64)
    pair.remember(images)
    right = sum(int((network(x).argmax(1) == y).sum()) for x, y in images)
    assert 0 < pair.filled.sum() <= right
    wrong = [(x, (network(x).argmax(1) + 1) % 10) for x, _ in images]
    pair.remember(wrong)
    assert pair.filled.sum() == 0


def test_the_calibration_does_not_depend_on_how_images_are_batched():
    torch.manual_seed(0)
    whole = calibrated(torch.float64, 48)
    torch.manual_seed(0)
    parts = calibrated(torch.float64, 13)
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(value, parts.state_dict()[name], rtol=1e-5, atol=1e-7)


def test_the_regression_learns_from_what_is_right_and_the_threshold_from_all():
    network, images = convolutional(dtype=torch.float64), batches(64, dtype=torch.float64, size=64)
    ((x, y),) = labelled(network, images)
    order = (network(x).argmax(1) != y).long().argsort(stable=True)
    held_out, right = (x[order], y[order]), int((network(x).argmax(1) == y).sum())
    defense, pairs = replace(DEFENSE, false_positives=0.3), []
    for count in (64, right):
        pairs.append(defense.wrap(network).eval())
        with torch.no_grad():
            defense.calibrate(pairs[-1], images, [tuple(part[:count] for part in held_out)])
    torch.testing.assert_close(pairs[0].weights, pairs[1].weights)
    assert right < 64
    assert pairs[0].threshold != pairs[1].threshold


def test_what_cannot_be_is_refused():
    for fields in ({"keep": 1.0}, {"draws": 1}, {"bandwidth": 0.0}, {"points": 0}, {"false_positives": 0.0}):
        with pytest.raises(ValueError, match=r"^UncertaintyDetector: "):
            UncertaintyDetector(**fields)
    with pytest.raises(ValueError, match=r"^UncertaintyDetector: the network has no dense layer"):
        UncertaintyDetector().wrap(torch.nn.Flatten())
    with pytest.raises(ValueError, match=r"^A detector is calibrated on clean images, and there are none"):
        DEFENSE.calibrate(DEFENSE.wrap(convolutional()), batches(8), [])


def test_where_nothing_is_right_it_learns_from_what_is_wrong_and_says_so():
    network = convolutional()
    pair, wrong = DEFENSE.wrap(network).eval(), [(x, (network(x).argmax(1) + 1) % 10) for x, _ in batches(8)]
    with pytest.warns(UserWarning, match="^UncertaintyDetector: no held-out image is classified right"):
        DEFENSE.calibrate(pair, batches(8), wrong)
    assert rejects(pair)
