"""A head that tells attacked images from clean ones, and its place beside the classifier."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch.nn.functional import softplus

from robust_train import PGD, DetectorHead, Ramp, RobustClassifier
from robust_train.defenses.detecting import Detecting
from robust_train.networks.rejecting import rejects
from robust_train.randomness import Streams
from robust_train.types import Goal
from tests.defenses.examples import make_step
from tests.defenses.training import fit, sgd
from tests.toy_networks import convolutional

HEAD = DetectorHead(layer="2", in_shape=(1, 8, 8), width=4, eps=0.1, steps=3)


class Bright(Detecting):
    """Suspicious is what is bright."""

    def scored(self, x):
        return self.network(x), x.flatten(1).mean(1)


def batches(count, seed=0):
    step = make_step(count, seed=seed)
    return list(zip(step.inputs.split(16), step.labels.split(16), strict=True))


def test_what_scores_above_the_threshold_is_flagged_and_nothing_else():
    pair, held_out = Bright(convolutional(), "Bright").eval(), batches(50)
    x = torch.cat([inputs for inputs, _ in held_out])
    assert pair(x).shape == (50, 10)
    pair.settle(held_out, 0.1)
    logits = pair(x)
    assert rejects(pair)
    assert torch.equal(logits[:, :-1], pair.network(x))
    flagged = logits.argmax(1) == 10
    assert torch.equal(flagged, x.flatten(1).mean(1) > pair.threshold)
    assert flagged.sum() == 5  # a tenth, exactly


@pytest.mark.parametrize(("rate", "flagged"), [(0.05, 2), (0.019, 0), (0.999, 49)])
def test_no_more_than_the_rate_is_flagged(rate, flagged):
    pair, held_out = Bright(convolutional(), "Bright").eval(), batches(50)
    pair.settle(held_out, rate)
    assert sum(int((pair(x).argmax(1) == 10).sum()) for x, _ in held_out) == flagged


def test_half_precision_rounds_no_flag_away():
    network = convolutional()
    network[-1].bias.data += 1000.0  # where numbers of half precision are 4 apart
    pair, held_out = Bright(network.bfloat16(), "Bright").eval().bfloat16(), batches(50)
    held_out = [(x.bfloat16(), y) for x, y in held_out]
    pair.settle(held_out, 0.1)
    flagged = torch.cat([pair(x).argmax(1) == 10 for x, _ in held_out])
    assert torch.equal(flagged, torch.cat([pair.scored(x)[1] > pair.threshold for x, _ in held_out]))
    assert 0 < flagged.sum() <= 5


def test_a_threshold_that_is_rounded_flags_no_more_than_the_rate():
    pair = Bright(convolutional(dtype=torch.float64), "Bright").eval()
    for seed in range(20):
        held_out = [(x.double(), y) for x, y in batches(50, seed)]
        pair.settle([(x * (1 + 1e-10 * seed), y) for x, y in held_out], 0.1)
        scores = pair.scores([x * (1 + 1e-10 * seed) for x, _ in held_out])
        assert (scores > pair.threshold).sum() <= 5


def test_a_score_without_a_slope_leaves_the_way_deeper_into_the_class():
    """A flag that is a constant ahead of the top class would have nothing to climb where that is wrong."""

    class Dull(Bright):
        def scored(self, x):
            logits, score = super().scored(x)
            return logits, score.detach()

    pair, x = Dull(convolutional(), "Dull").eval(), torch.rand(3, 1, 8, 8, requires_grad=True)
    pair.threshold.fill_(0.0)  # all are flagged
    logits = pair(x)
    goal = Goal((logits[:, :-1].argmax(1) + 1) % 10, reject=True)  # all are wrong
    assert (logits.argmax(1) == 10).all()
    (slope,) = torch.autograd.grad(-goal.margin(logits).sum(), x, retain_graph=True)
    (top,) = torch.autograd.grad(pair.network(x).amax(1).sum(), x)
    torch.testing.assert_close(slope, top)
    assert (slope.flatten(1).norm(dim=1) > 0).all()


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_a_score_that_is_not_finite_is_refused(value):
    pair, held_out = Bright(convolutional(), "Bright").eval(), batches(20)
    held_out[0][0][3, 0, 0, 0] = value
    with pytest.raises(ValueError, match=r"^The detector's score is not finite for 1 of 20 clean images"):
        pair.settle(held_out, 0.1)


def test_another_training_forgets_the_threshold_and_a_resumed_one_does_not(tmp_path):
    model = RobustClassifier(convolutional(), [HEAD])
    model.calibrate(batches(4), batches(40, seed=1))
    trainer = fit(model, make_step(8), batch=4)
    assert model.network.threshold.isnan()
    model.calibrate(batches(4), batches(40, seed=1))
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    further = fit(model, make_step(8), batch=4, epochs=2, resumed=tmp_path / "a.ckpt")
    assert further.global_step > trainer.global_step
    assert model.network.threshold.isfinite()


def test_until_it_is_calibrated_and_in_training_it_is_the_network():
    pair, x = HEAD.wrap(convolutional()), torch.rand(3, 1, 8, 8)
    assert not rejects(pair.eval())
    assert torch.equal(pair(x), pair.network(x))
    HEAD.calibrate(pair, batches(4), batches(40, seed=1))
    assert pair(x).shape == (3, 11)
    assert pair.train()(x).shape == (3, 10)
    assert not rejects(pair)


def test_the_threshold_belongs_to_the_weights():
    pair, x = HEAD.wrap(convolutional()).eval(), torch.rand(3, 1, 8, 8)
    HEAD.calibrate(pair, batches(4), batches(40, seed=1))
    loaded = HEAD.wrap(convolutional()).eval()
    loaded.load_state_dict(pair.state_dict())
    assert torch.equal(loaded(x), pair(x))


@pytest.mark.parametrize("eps", [0.1, Ramp(0.0, 0.2)])
def test_without_a_dynamic_adversary_it_is_pgd_on_the_classifier(eps):
    defense, step = replace(HEAD, dynamic=False, eps=eps), make_step(6, progress=0.5)
    pair = defense.wrap(convolutional()).eval()
    plain = PGD(eps=0.1, steps=3, step_size=2.5 * 0.1 / 3, random_start=False, drop=False)
    assert torch.equal(defense._attack(pair, step), plain(pair, step.clean, step.labels).inputs)


def test_the_dynamic_adversary_lowers_the_scores():
    step, pair = make_step(64), HEAD.wrap(convolutional()).eval()
    blind = replace(HEAD, dynamic=False)._attack(pair, step)
    knowing = HEAD._attack(pair, step)
    mostly = step.rng.fold(0xDE7).uniform(()) > 0.5  # climbs the loss of the head for the most part
    lower = pair.scored(knowing)[1] < pair.scored(blind)[1]
    assert lower[mostly].float().mean() > 0.95
    assert ((knowing - step.clean).abs() <= 0.1 + 1e-6).all()


def test_the_adversary_of_a_sample_does_not_depend_on_the_others():
    step, pair = make_step(6), HEAD.wrap(convolutional(dtype=torch.float64)).eval()
    step = replace(step, clean=step.clean.double())
    alone = replace(step, clean=step.clean[4:5], labels=step.labels[4:5], rng=Streams.of(0, [4]))
    torch.testing.assert_close(HEAD._attack(pair, alone), HEAD._attack(pair, step)[4:5], rtol=0, atol=1e-9)


def test_the_loss_is_that_of_both_kinds_of_images():
    step, pair = make_step(6), HEAD.wrap(convolutional()).eval()
    clean, attacked = (pair.scored(x)[1] for x in (step.clean, HEAD._attack(pair, step)))
    expected = 1 + 2.0 * (softplus(clean) + softplus(-attacked)) / 2
    torch.testing.assert_close(replace(HEAD, weight=2.0).loss(pair, step, torch.ones(6)), expected)


def test_a_frozen_network_keeps_its_weights_and_its_statistics():
    network = convolutional()
    before = deepcopy(network.state_dict())
    model = RobustClassifier(network, [replace(HEAD, freeze=True)], lambda p: torch.optim.SGD(p, lr=0.1))
    head = deepcopy(model.network.head.state_dict())
    fit(model, make_step(12), batch=4)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(torch.equal(value, head[name]) for name, value in model.network.head.state_dict().items())
    assert not any(weight.requires_grad for weight in network.parameters())
    fit(RobustClassifier(network.requires_grad_(), [], sgd), make_step(12), batch=4)
    assert not torch.equal(network[-1].weight, before["6.weight"])


def test_the_layer_is_found_behind_what_wraps_the_network():
    wrapped = torch.nn.Sequential(torch.nn.Identity(), convolutional())
    assert replace(HEAD, layer="6").wrap(wrapped).layer == "1.6"


def test_a_layer_that_never_runs_is_refused():
    network = convolutional()
    network.idle = torch.nn.Linear(1, 1)
    network.forward = torch.nn.Sequential(*list(network)[:-1]).forward
    with pytest.raises(ValueError, match=r"^DetectorHead: layer 'idle' never runs: give one that does\.$"):
        replace(HEAD, layer="idle").wrap(network)


def test_the_seed_decides_the_head_and_leaves_no_trace():
    state = torch.get_rng_state()
    first = HEAD.wrap(convolutional()).head.state_dict()
    torch.set_rng_state(state)
    network = convolutional()
    before = torch.get_rng_state()
    second = HEAD.wrap(network).head.state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_what_cannot_be_is_refused():
    pair = HEAD.wrap(convolutional())
    with pytest.raises(ValueError, match=r"^DetectorHead: the network has a detector, and one logit for"):
        HEAD.wrap(pair)
    with pytest.raises(ValueError, match=r"^The network has no layer 'head': give one of its layers \(0"):
        replace(HEAD, layer="head").wrap(convolutional())
    with pytest.raises(ValueError, match=r"^A detector is calibrated on clean images, and there are none"):
        HEAD.calibrate(pair, [], [])
    with pytest.raises(ValueError, match=r"^The network has no such detector: give it as the defense's wrap"):
        HEAD.calibrate(convolutional(), [], [])
    for fields in ({"eps": 0.0}, {"steps": 0}, {"weight": -1.0}, {"width": 0}, {"norm": "l0"}):
        with pytest.raises(ValueError, match=r"^DetectorHead: "):
            replace(HEAD, **fields)
    with pytest.raises(ValueError, match=r"^DetectorHead: eps must be positive, not Ramp"):
        replace(HEAD, eps=Ramp(-1, 0))
    with pytest.raises(ValueError, match=r"^DetectorHead: false_positives must be a share between 0 and 1"):
        replace(HEAD, false_positives=5)
