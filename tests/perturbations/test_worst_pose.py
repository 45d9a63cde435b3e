"""The worst pose against an exhaustive search, one pose and one sample at a time."""

from dataclasses import replace
from itertools import product

import pytest
import torch

from robust_train import Goal, Rigid, Rotation, Translation, WorstPose
from robust_train.attacking.gradients import Counted
from robust_train.randomness import Streams
from tests.toy_networks import linear

attack = WorstPose(limits=(8.0, 0.3, 0.3), grid=(5, 3, 3))


def case(count=24, dtype=torch.float64):
    generator = torch.Generator().manual_seed(5)
    inputs = torch.rand(count, 1, 8, 8, generator=generator, dtype=dtype)
    torch.manual_seed(5)
    network = linear((1, 8, 8), 10, dtype)
    return network, inputs, network(inputs).argmax(1)


def margins(network, inputs, labels, attack):
    """``(poses, N)`` of the identity and of every pose of the grid."""
    axes = [torch.linspace(-a, a, k).tolist() for a, k in zip(attack.limits, attack.grid, strict=True)]
    poses = [(0.0,) * len(axes), *product(*axes)]
    warped = [attack.transform(inputs, torch.tensor([pose]).expand(len(inputs), -1)) for pose in poses]
    return torch.stack([Goal(labels).margin(network(x.clamp(0, 1))) for x in warped])


def test_a_sample_stands_where_no_pose_of_the_grid_fools():
    network, inputs, labels = case()
    found = attack(network, inputs, labels)
    margin, truth = Goal(labels).margin(network(found.inputs)), margins(network, inputs, labels, attack)
    stands = (truth >= 0).all(0)
    assert 0 < stands.sum() < len(stands)
    assert torch.equal(margin >= 0, stands)
    torch.testing.assert_close(margin[stands], truth.amin(0)[stands])


def test_without_dropping_every_sample_gets_its_worst_pose():
    network, inputs, labels = case()
    found = attack.maximising()(network, inputs, labels)
    truth = margins(network, inputs, labels, attack)
    torch.testing.assert_close(Goal(labels).margin(network(found.inputs)), truth.amin(0))
    fooled = Goal(labels).reached(network(attack(network, inputs, labels).inputs))
    assert torch.equal(fooled, (truth < 0).any(0))


def test_dropping_saves_passes_and_samples_that_are_wrong_cost_one():
    network, inputs, labels = case(128)
    stands = (margins(network, inputs, labels, attack) >= 0).all(0)
    counted = Counted(network)
    attack(counted, inputs, labels)
    assert stands.sum() * attack.poses < counted.forwards < 0.6 * 128 * attack.poses
    counted.forwards = 0
    found = attack(counted, inputs, (labels + 1) % 10)
    assert counted.forwards == 128
    assert torch.equal(found.size, torch.zeros(128, dtype=torch.float64))
    torch.testing.assert_close(found.inputs, inputs)


def test_the_size_is_the_largest_share_of_a_limit():
    network, inputs, labels = case()
    found = attack(network, inputs, labels)
    share = (found.parameters / torch.tensor(attack.limits)).abs().amax(1)
    torch.testing.assert_close(found.size, share)
    assert attack.measure(inputs, inputs + 0.1, found.parameters).isinf().all()


def test_more_draws_leave_no_more_standing():
    network, inputs, labels = case(64)
    few = replace(attack, grid=(), draws=3, limits=(16.0, 0.5, 0.5))
    runs = [replace(few, draws=k)(network, inputs, labels, rng=Streams.of(1, range(64))) for k in (3, 9, 30)]
    stands = [Goal(labels).margin(network(run.inputs)) >= 0 for run in runs]
    assert (stands[2] <= stands[1]).all()
    assert (stands[1] <= stands[0]).all()
    assert stands[2].sum() < stands[0].sum()


def test_the_farthest_poses_come_first():
    network, inputs, labels = case(1)
    tried = []

    class Watching(Translation):
        def __call__(self, inputs, parameters, rng=None):
            tried.extend(parameters.tolist())
            return super().__call__(inputs, parameters)

    watching = WorstPose(transform=Watching(), limits=(1.0, 2.0), grid=(3, 3), drop=False)
    watching(network, inputs, labels)
    shares = [x * x + y * y / 4 for x, y in tried[1:10]]
    assert tried[0] == [0.0, 0.0]
    assert shares == sorted(shares, reverse=True)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: WorstPose(limits=(30.0,)), "a positive number for each of angle in degrees, shift to"),
        (lambda: WorstPose(limits=(30.0, 0.0, 3.0)), "limits must be a positive number"),
        (lambda: WorstPose(grid=(3, 3)), "grid must be a positive number of values"),
        (
            lambda: WorstPose(transform=Rotation(), limits=(9.0,), grid=(), draws=-1),
            "draws must be at least 0",
        ),
    ],
)
def test_wrong_hyper_parameters_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_the_published_grid_is_the_default():
    assert WorstPose().transform == Rigid()
    assert WorstPose().poses == 1 + 31 * 5 * 5
