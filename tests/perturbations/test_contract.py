"""What every perturbation promises, each new one included: a class without an example fails."""

import inspect
import math
import pickle
from dataclasses import fields, replace
from typing import Literal, get_origin

import numpy as np
import pytest
import torch

import robust_train
from robust_train import (
    Corrupted,
    Foreign,
    GaussianNoise,
    Goal,
    Perturbation,
    SaltAndPepper,
    UniformNoise,
    UniversalRandom,
    perturbations,
)
from robust_train.norms import norm
from robust_train.perturbations.base import Additive
from robust_train.types import predict
from tests.closed_forms import distance, half_spaces, room
from tests.perturbations.examples import BUDGETED, EVERY, EXAMPLES, MINIMAL, Darken, name, ready
from tests.toy_networks import Constant, convolutional, curved, linear

# Noise does not look at the goal, and what learns does so before there is one.
AIMLESS = (Corrupted, Foreign, GaussianNoise, UniformNoise, UniversalRandom)
AIMING = [example for example in EVERY if not (isinstance(example, AIMLESS) or example.learns)]

# The bounds of salt and pepper are its colours.
UNBOUNDED = [replace(example, bounds=None) for example in MINIMAL if not isinstance(example, SaltAndPepper)]

every = pytest.mark.parametrize("perturbation", EVERY, ids=name)
every_minimal = pytest.mark.parametrize("perturbation", MINIMAL, ids=name)


def subclasses(kind):
    return {kind} | {below for child in kind.__subclasses__() for below in subclasses(child)}


def test_every_concrete_perturbation_is_exported_and_has_an_example():
    ours = {k for k in subclasses(Perturbation) if k.__module__.startswith("robust_train.")}
    concrete = {kind for kind in ours if not inspect.isabstract(kind)}
    assert concrete == set(EXAMPLES)
    public = {getattr(perturbations, name) for name in perturbations.__all__}
    assert ours == {found for found in public if inspect.isclass(found)}  # suites are functions


@every
def test_a_choice_that_it_does_not_offer_is_refused(perturbation):
    offering = [f.name for f in fields(perturbation) if f.init and get_origin(f.type) is Literal]
    for field in offering:
        with pytest.raises(ValueError, match=rf"{field} must be .*, not 'wurst'\."):
            replace(perturbation, **{field: "wurst"})


@every
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("count", [0, 1, 5])
def test_shapes_and_precision_are_kept_and_the_inputs_are_not_written_to(perturbation, count, dtype):
    network, inputs = convolutional(dtype=dtype), torch.rand(count, 1, 8, 8, dtype=dtype)
    labels, before = torch.arange(count) % 3, inputs.clone()
    found = ready(perturbation, network, inputs)(network, inputs, labels)
    assert torch.equal(inputs, before)
    assert (found.inputs.shape, found.inputs.dtype) == (inputs.shape, dtype)
    assert (found.size.shape, found.size.dtype) == ((count,), torch.float64)
    assert not found.inputs.requires_grad
    found.inputs.zero_()
    assert torch.equal(inputs, before)


@every
def test_labels_and_images_may_lie_anywhere_in_memory(perturbation):
    network, inputs = convolutional(), torch.rand(6, 8, 8, 1).permute(0, 3, 1, 2)
    labels = torch.arange(6)[:, None].repeat(1, 2)[:, 1]
    search = ready(perturbation, network, inputs)
    one, other = (
        search(network, x, y, goal=Goal(y, targeted=True)).inputs
        for x, y in ((inputs, labels), (inputs.contiguous(), labels.contiguous()))
    )
    torch.testing.assert_close(one, other)
    assert not labels.is_contiguous()


@every
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_ball_and_box_hold_exactly(perturbation, dtype):
    """Half of the pixels stand at the walls."""
    network, inputs = convolutional(dtype=dtype), (2 * torch.rand(16, 1, 8, 8, dtype=dtype) - 0.5).clamp(0, 1)
    found = ready(perturbation, network, inputs)(network, inputs, torch.arange(16) % 10)
    assert found.inputs.isfinite().all()
    if perturbation.bounds:
        assert ((found.inputs >= 0) & (found.inputs <= 1)).all()
    if perturbation in BUDGETED:
        r = found.inputs.double() - inputs.double()
        assert (norm(r, perturbation.norm) <= perturbation.eps).all()
        assert r.any()


@every
@pytest.mark.parametrize("classes", [2, 3, 10, 1000])
def test_any_number_of_classes_and_dimensions_will_do(perturbation, classes):
    network, inputs = linear((3, 5, 2), classes), torch.rand(4, 3, 5, 2, dtype=torch.float64)
    found = ready(perturbation, network, inputs)(network, inputs, network(inputs).argmax(1))
    broken = found.size.isfinite()
    assert torch.equal(
        found.size[broken], perturbation.measure(inputs, found.inputs, found.parameters)[broken]
    )


@every_minimal
def test_what_is_found_reaches_the_goal_and_what_is_not_is_the_clean_input(perturbation):
    network, inputs = convolutional(), torch.rand(64, 1, 8, 8)
    for goal in (None, Goal(torch.arange(64) % 10, targeted=True)):
        found = perturbation(network, inputs, torch.zeros(64, dtype=torch.int64), goal=goal)
        reached = (goal or Goal(predict(network(inputs)))).reached(network(found.inputs))
        assert torch.equal(reached, found.size.isfinite())
        assert torch.equal(found.inputs[~reached], inputs[~reached])
        measured = perturbation.measure(inputs, found.inputs, found.parameters)
        assert torch.equal(found.size[reached], measured[reached])
        if perturbation.bounds:
            assert ((found.inputs >= 0) & (found.inputs <= 1)).all()


@pytest.mark.parametrize("perturbation", AIMING, ids=name)
def test_more_images_reach_a_target_that_is_aimed_at(perturbation):
    """The class that is the furthest away: few leave their own towards it."""
    network, inputs = curved((1, 8, 8), 3, torch.float32), torch.rand(64, 1, 8, 8)
    logits = network(inputs)
    labels, target = logits.argmax(1), Goal(logits.argmin(1), targeted=True)
    aimed, left = (perturbation(network, inputs, labels, goal=goal).inputs for goal in (target, Goal(labels)))
    assert target.reached(network(aimed)).sum() > target.reached(network(left)).sum()


@pytest.mark.parametrize("perturbation", [p for p in MINIMAL if isinstance(p, Additive)], ids=name)
def test_no_target_of_a_linear_network_is_nearer_than_its_half_space(perturbation):
    network, inputs = linear((1, 8, 8), 4), torch.rand(32, 1, 8, 8, dtype=torch.float64)
    labels = network(inputs).argmax(1)
    target = Goal((labels + 1) % 4, targeted=True)
    found = perturbation(network, inputs, labels, goal=target).size.numpy()
    truth = []
    for x, y, k in zip(inputs.flatten(1).numpy(), labels.tolist(), target.labels.tolist(), strict=True):
        w, gap = half_spaces(network, x, y)[k - (k > y)]
        truth.append(distance(w, gap, perturbation.norm, room(x, w, perturbation.bounds)))
    assert np.isfinite(found).any()
    assert (found >= np.array(truth) * (1 - 1e-6)).all()


@every_minimal
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_logits_that_are_not_finite_are_never_a_success(perturbation, bad):
    network, inputs = convolutional(), torch.rand(8, 1, 8, 8)

    def sometimes(x):
        return network(x).masked_fill(
            x.flatten(1).sum(1, keepdim=True) > inputs[:4].sum((1, 2, 3)).amax(), bad
        )

    found = perturbation(sometimes, inputs, torch.zeros(8, dtype=torch.int64))
    assert sometimes(found.inputs)[found.size.isfinite()].isfinite().all()
    found = perturbation(lambda x: network(x) * bad, inputs, torch.zeros(8, dtype=torch.int64))
    assert found.size.isinf().all()
    assert torch.equal(found.inputs, inputs)


@every_minimal
def test_where_there_is_no_prediction_there_is_no_label_to_leave(perturbation):
    network, inputs = convolutional(), torch.rand(4, 1, 8, 8)

    def blind_to_the_first(x):
        return network(x).masked_fill((x == inputs[0]).flatten(1).all(1, keepdim=True), math.nan)

    assert perturbation(blind_to_the_first, inputs, torch.zeros(4, dtype=torch.int64)).size[0].isinf()


@every
def test_a_network_of_nans_leaves_finite_inputs(perturbation):
    network, inputs = convolutional(), torch.rand(8, 1, 8, 8)

    def broken(x):
        return network(x) * math.nan

    found = ready(perturbation, broken, inputs)(broken, inputs, torch.zeros(8, dtype=torch.int64))
    assert found.inputs.isfinite().all()


@pytest.mark.parametrize("perturbation", UNBOUNDED, ids=name)
def test_an_image_of_nans_is_a_failure_and_does_not_move_its_mates(perturbation):
    network, inputs = convolutional(dtype=torch.float64), torch.rand(4, 1, 8, 8, dtype=torch.float64)
    broken, mates = inputs.clone(), torch.tensor([0, 2, 3])
    broken[1, 0, 2, 3] = math.nan
    whole, found = (perturbation(network, x, torch.zeros(4, dtype=torch.int64)) for x in (inputs, broken))
    assert found.size[1].isinf()
    assert torch.equal(found.inputs[1].nan_to_num(-1), broken[1].nan_to_num(-1))
    torch.testing.assert_close(found.size[mates], whole.size[mates], rtol=1e-4, atol=0)
    torch.testing.assert_close(found.inputs[mates], whole.inputs[mates], rtol=0, atol=1e-6)


@every_minimal
def test_nothing_changes_the_label_of_a_constant_network(perturbation):
    for network in (Constant([0.0, 1.0, 0.5]), Constant([0.0, 0.0, 0.0])):
        inputs = torch.rand(4, 1, 8, 8)
        found = perturbation(network, inputs, torch.zeros(4, dtype=torch.int64))
        assert found.size.isinf().all()
        assert torch.equal(found.inputs, inputs)


@every
def test_it_is_a_value(perturbation):
    homes = (robust_train.perturbations, robust_train.objectives, robust_train.transforms)
    names = {name: found for home in homes for name, found in vars(home).items()} | {"Darken": Darken}
    assert pickle.loads(pickle.dumps(perturbation)) == perturbation
    assert eval(repr(perturbation), names) == perturbation
    assert replace(perturbation) == perturbation
    assert replace(perturbation, bounds=(-1.0, 2.0)) != perturbation
    with pytest.raises(AttributeError, match="cannot assign"):
        perturbation.bounds = None
    assert all(field.kw_only for field in fields(perturbation))


@every
def test_the_network_is_never_asked_about_no_image(perturbation):
    """Many networks, such as those that resample their inputs, take no empty batch."""

    def refusing(x):
        assert len(x)
        return network(x)

    network, inputs = convolutional(), torch.rand(5, 1, 8, 8)
    labels = predict(network(inputs))
    labels[0] = (labels[0] + 1) % 3  # wrong already
    ready(perturbation, refusing, inputs)(refusing, inputs, labels)
