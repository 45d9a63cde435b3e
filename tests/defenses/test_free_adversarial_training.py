"""Free adversarial training against its paper's algorithm, written out."""

import math
from copy import deepcopy
from dataclasses import replace
from warnings import catch_warnings, simplefilter

import pytest
import pytorch_lightning as pl
import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from robust_train import (
    Augmentation,
    Defense,
    FreeAdversarialTraining,
    Ramp,
    RobustClassifier,
    UniversalAdversarialTraining,
)
from robust_train.defenses.carrying import carried
from tests.defenses.examples import make_step
from tests.defenses.training import assert_same_weights, fit, sgd
from tests.snapshots import snapshot
from tests.toy_networks import convolutional, linear

EPS, M = 0.1, 3


def plainly(network, data, epochs):
    """Algorithm 1 of the paper, with batches of 8 images.

    The paper says nothing of the ends of [0, 1]: that the image is clipped, and that the gradient is the one
    at the clipped image, which goes on where a pixel stands at an end, is taken from the defense.
    """
    optimizer, delta = sgd(network.parameters()), torch.zeros_like(data.inputs[:8])
    for x, y in epochs * list(zip(data.inputs.split(8), data.labels.split(8), strict=True)):
        for _ in range(M):
            inputs = (x + delta[: len(x)]).clamp(0, 1).requires_grad_()
            optimizer.zero_grad()
            cross_entropy(network.train()(inputs), y).backward()
            delta[: len(x)] += EPS * inputs.grad.sign()
            delta.clamp_(-EPS, EPS)
            optimizer.step()


def test_two_epochs_are_those_of_the_paper_s_algorithm():
    """The last of the four batches is shorter than the others, whose rows go on in the second epoch."""
    network, data = convolutional(dtype=torch.float64), make_step(29, dtype=torch.float64)
    network[3].p = 0.0  # without dropout, whose draws the two would not share
    reference = deepcopy(network)
    plainly(reference, data, epochs=2)
    model = RobustClassifier(network, [FreeAdversarialTraining(eps=EPS)], sgd)
    assert fit(model, data, batch=8, epochs=2, replays=M).global_step == 24
    assert_same_weights(network, reference)


@pytest.mark.parametrize("kind", [FreeAdversarialTraining, UniversalAdversarialTraining])
def test_a_training_without_replays_is_warned_of_where_they_are_needed(kind):
    data = make_step(4)
    loader = DataLoader(TensorDataset(data.inputs, data.labels), batch_size=4)
    trainer = pl.Trainer(fast_dev_run=True, accelerator="cpu", enable_model_summary=False)
    with catch_warnings(record=True) as told:
        simplefilter("always")
        trainer.fit(RobustClassifier(convolutional(), [kind()], sgd), loader)
    sentences = [str(one.message) for one in told if "give the data replays" in str(one.message)]
    assert len(sentences) == kind.needs_replays
    assert all(one.startswith("FreeAdversarialTraining climbs on each batch") for one in sentences)


def test_a_training_leaves_the_network_without_what_it_carried():
    model = RobustClassifier(convolutional(), [FreeAdversarialTraining()], sgd)
    before = set(vars(model.network))
    fit(model, make_step(12), batch=4)
    assert set(vars(model.network)) == before


def test_a_second_training_starts_from_zero():
    network, data = convolutional(dtype=torch.float64), make_step(16, dtype=torch.float64)
    network[3].p = 0.0
    model = RobustClassifier(network, [FreeAdversarialTraining(eps=EPS)], sgd)
    fit(model, data, batch=8)
    assert not carried(network, data.inputs[:8]).any()
    reference = deepcopy(network)
    plainly(reference, data, epochs=1)
    fit(model, data, batch=8, replays=M)
    assert_same_weights(network, reference)


def test_all_replays_of_a_batch_are_augmented_alike_and_the_next_epoch_otherwise():
    seen = []

    class Noted(Defense):
        def batch(self, network, step):
            seen.append(step.clean)
            return step

    stack = [Augmentation(padding=2), Noted(), FreeAdversarialTraining(eps=EPS)]
    fit(RobustClassifier(convolutional(), stack, sgd), make_step(16), batch=8, epochs=2, replays=M)
    views = [seen[k : k + M] for k in range(0, len(seen), M)]
    assert len(views) == 4
    assert all(torch.equal(view, one[0]) for one in views for view in one)
    assert not torch.equal(views[0][0], views[2][0])


def climbed(defense, network, step):
    """One step of the defense, without one of the weights; the inputs that it trains on."""
    step = defense.batch(network, step)
    inputs = step.inputs.requires_grad_()
    cross_entropy(network(inputs), step.labels).backward()
    defense.after_backward(network, step)
    return inputs.detach()


def test_on_two_classes_it_climbs_along_the_weights_to_the_budget_and_stays_there():
    network, step = linear((1, 4, 4), 2, torch.float32), make_step(8, shape=(1, 4, 4))
    step = replace(step, inputs=step.inputs.clamp(0.2, 0.8), labels=step.labels % 2)
    w = (network[1].weight[1] - network[1].weight[0]).view(1, 4, 4)
    away = (1 - 2 * step.labels)[:, None, None, None] * w.sign()
    defense = FreeAdversarialTraining(eps=0.1, step_size=0.4)
    for size in (0.0, 0.04, 0.08, 0.1, 0.1):
        torch.testing.assert_close(climbed(defense, network, step) - step.inputs, size * away)


def test_a_row_goes_on_where_its_row_of_the_last_batch_stopped():
    network, defense = linear((1, 8, 8), 10, torch.float32), FreeAdversarialTraining(eps=0.1)
    climbed(defense, network, make_step(6))
    first = carried(network, torch.zeros(6, 1, 8, 8))
    assert first.any()
    other = make_step(4, seed=1)
    assert torch.equal(climbed(defense, network, other), (other.inputs + first[:4]).clamp(0, 1))
    assert torch.equal(carried(network, torch.zeros(6, 1, 8, 8))[4:], first[4:])


def test_images_of_another_size_start_anew():
    network, defense = convolutional(), FreeAdversarialTraining(eps=0.1)
    climbed(defense, network, make_step(6))
    other = make_step(6, shape=(1, 4, 4))
    assert torch.equal(defense.batch(network, other).inputs, other.inputs)


def test_what_it_carries_is_no_part_of_the_state():
    network = convolutional()
    before = snapshot(network)
    climbed(FreeAdversarialTraining(eps=0.1), network, make_step(6))
    after = snapshot(network)
    assert after["buffers"] == before["buffers"]
    assert [name for name, *_ in after["parameters"]] == [name for name, *_ in before["parameters"]]
    deepcopy(network)


def test_the_budget_follows_its_ramp():
    network = linear((1, 8, 8), 10, torch.float32)
    defense = FreeAdversarialTraining(eps=Ramp(0.1, 0.2))
    for progress in (0.0, 0.5, 1.0):
        climbed(defense, network, make_step(6, progress=progress))
        size = carried(network, torch.zeros(6, 1, 8, 8)).abs().amax().item()
        assert size == pytest.approx(0.1 + 0.1 * progress)


def test_a_gradient_that_is_not_finite_moves_nothing():
    network, step = convolutional(), make_step(2)
    step.inputs.requires_grad_()
    step.inputs.grad = torch.full_like(step.inputs, float("nan"))
    FreeAdversarialTraining().after_backward(network, step)
    assert not carried(network, torch.zeros(2, 1, 8, 8)).any()


@pytest.mark.parametrize("fields", [{"eps": 0.0}, {"step_size": 0.0}, {"eps": math.nan}, {"eps": Ramp(0, 0)}])
def test_numbers_without_a_meaning_are_refused(fields):
    with pytest.raises(ValueError, match=f"^FreeAdversarialTraining: {next(iter(fields))} must be"):
        FreeAdversarialTraining(**fields)
