"""Random poses, and the worst of several."""

from dataclasses import replace
from zlib import crc32

import pytest
import torch

from robust_train import (
    PGD,
    AdversarialTraining,
    Brightness,
    Corruption,
    Goal,
    Jitter,
    Ramp,
    Rigid,
    Rotation,
    Translation,
    WorstPose,
)
from tests.defenses.examples import make_step
from tests.toy_networks import convolutional

LIMITS = (20.0, 1.0, 1.0)


def worst_of(k, **fields):
    return AdversarialTraining(WorstPose(limits=LIMITS, grid=(), draws=k, identity=False, **fields))


def word(defense):
    """What keeps the draws of one jitter apart from another's."""
    return crc32(repr(defense).encode())


def poses(step, k):
    """``k`` of each sample, by hand from its stream."""
    return (2 * step.rng.uniform((k, 3)).double() - 1) * torch.tensor(LIMITS)


def test_each_image_is_seen_in_its_own_pose():
    defense, step = Jitter(limits=LIMITS), make_step(6)
    found = defense.batch(None, step)
    again = defense.batch(None, make_step(6, seed=0))
    other = defense.batch(None, replace(step, rng=step.rng.fold(1)))
    assert found.clean is found.inputs
    assert torch.equal(found.inputs, again.inputs)
    assert not torch.equal(found.inputs, other.inputs)
    rows = torch.tensor([4, 1])
    part = replace(step, inputs=step.inputs[rows], clean=step.inputs[rows], rng=step.rng.take(rows))
    part = replace(part, clean=part.inputs)
    torch.testing.assert_close(defense.batch(None, part).inputs, found.inputs[rows])


def test_poses_fill_their_limits_evenly():
    x = torch.zeros(4000, 1, 1, 1)
    step = make_step(4000)
    step = replace(step, inputs=x + 0.5, clean=x + 0.5)
    shift = Jitter(Brightness(), (0.25,)).batch(None, step).inputs.flatten() - 0.5
    assert -0.25 <= shift.min() < -0.248 < 0.248 < shift.max() <= 0.25
    assert shift.mean().abs() < 4 * 0.25 / 3**0.5 / 4000**0.5
    assert abs(shift.square().mean() / (0.25**2 / 3) - 1) < 0.06


def test_an_image_is_what_the_transform_makes_of_its_draw():
    step, defense = make_step(50, dtype=torch.float64), Jitter(Translation(), (2.0, 2.0))
    found = defense.batch(None, step).inputs
    theta = Translation().drawn(step.inputs, (2.0, 2.0), step.rng.fold(word(defense))).squeeze(1)
    torch.testing.assert_close(found, Translation()(step.inputs, theta), atol=1e-7, rtol=0)


def test_what_is_clean_and_what_is_perturbed_move_alike():
    step = make_step(5)
    perturbed = replace(step, inputs=(step.clean + 0.1).clamp(0, 1))
    found = Jitter(Rotation(), (90.0,)).batch(None, perturbed)
    expected = Jitter(Rotation(), (90.0,)).batch(None, step)
    assert torch.equal(found.clean, expected.inputs)
    assert (found.inputs - found.clean).abs().max() <= 0.1 + 1e-6


def test_its_strength_follows_the_training():
    defense = Jitter(Rotation(), (180.0,), strength=Ramp(0.0, 1.0))
    still, half = defense.batch(None, make_step(4, progress=0.0)), make_step(4, progress=0.5)
    torch.testing.assert_close(still.inputs, make_step(4).inputs)
    theta = Rotation().drawn(half.inputs, (90.0,), half.rng.fold(word(defense))).squeeze(1)
    torch.testing.assert_close(defense.batch(None, half).inputs, Rotation()(half.inputs, theta).clamp(0, 1))


def test_two_jitters_draw_independently():
    step = replace(make_step(400), inputs=torch.full((400, 1, 1, 1), 0.5))
    step = replace(step, clean=step.inputs)
    first, second = (Jitter(Brightness(), (limit,)).batch(None, step).inputs for limit in (0.1, 0.2))
    both = torch.stack([first.flatten(), second.flatten()])
    assert torch.corrcoef(both)[0, 1].abs() < 0.2


def test_a_random_transform_draws_from_the_stream():
    step = make_step(4, shape=(3, 8, 8))
    defense = Jitter(Corruption(kind="gaussian_noise"), (5.0,))
    found = defense.batch(None, step).inputs
    assert torch.equal(found, defense.batch(None, step).inputs)
    assert not torch.equal(found, step.inputs)


def test_the_worst_of_one_draw_is_a_jitter():
    step, network = make_step(12), convolutional()
    defense = Jitter(limits=LIMITS)
    seen = replace(step, rng=step.rng.fold(word(defense)))
    assert torch.equal(worst_of(1).batch(network, seen).inputs, defense.batch(None, step).inputs)


def test_the_worst_of_many_is_that_of_a_plain_loop():
    step, network, k = make_step(12), convolutional(), 10
    found = worst_of(k).batch(network, step)
    assert torch.equal(found.clean, step.inputs)
    each = [Rigid()(step.inputs, theta).clamp(0, 1) for theta in poses(step, k).unbind(1)]
    goal = Goal(step.labels)
    margins = torch.stack([goal.margin(network(x)) for x in each])
    worst = torch.stack(each)[margins.argmin(0), torch.arange(12)]
    torch.testing.assert_close(found.inputs, worst)
    assert (margins.argmin(0) > 0).any()


def test_more_draws_are_no_weaker():
    step, network = make_step(12), convolutional()
    goal = Goal(step.labels)
    margins = [goal.margin(network(worst_of(k).batch(network, step).inputs)) for k in (1, 5, 25)]
    assert (margins[1] <= margins[0] + 1e-5).all()
    assert (margins[2] <= margins[1] + 1e-5).all()


def test_a_search_after_it_starts_from_the_jittered_images():
    step, network = make_step(6), convolutional()
    moved = Jitter(limits=LIMITS).batch(network, step)
    found = AdversarialTraining(PGD(eps=0.05, steps=2)).batch(network, moved)
    assert (found.inputs - moved.inputs).abs().max() <= 0.05 + 1e-6


def test_an_empty_batch_stays_empty():
    assert Jitter().batch(None, make_step(0)).inputs.shape == (0, 1, 8, 8)


def test_what_has_no_meaning_is_refused():
    with pytest.raises(ValueError, match=r"^Jitter: limits must be a positive number for each of angle"):
        Jitter(limits=(30.0,))
    with pytest.raises(ValueError, match=r"^Jitter: strength must be at least 0, not -1"):
        Jitter(strength=-1.0)
    with pytest.raises(ValueError, match=r"^Jitter: strength must be at least 0, not Ramp"):
        Jitter(strength=Ramp(1.0, -1.0))
    with pytest.raises(ValueError, match=r"^WorstPose: there is no pose to try: give a grid, draws or the"):
        WorstPose(grid=(), identity=False)
