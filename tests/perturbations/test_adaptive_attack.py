"""The adaptive plan beside the long runs that it stands for."""

import pytest
import torch

from robust_train import APGD, DLR, Goal, WorstOf, adaptive_attack
from robust_train.attacking.gradients import Counted
from tests.toy_networks import convolutional, linear


@pytest.mark.parametrize(("norm", "eps"), [("linf", 0.06), ("l2", 0.3)])
def test_it_leaves_no_more_than_long_runs_for_a_fraction_of_the_passes(norm, eps):
    torch.manual_seed(3)
    network, inputs = convolutional(), torch.rand(200, 1, 8, 8)
    labels = network(inputs).argmax(1)
    members = [APGD(norm=norm, eps=eps), APGD(norm=norm, eps=eps, objective=DLR(), targets=9)]
    left, passes = [], []
    for attack in (adaptive_attack(norm, eps), WorstOf(norm=norm, eps=eps, members=members)):
        counted = Counted(network)
        found = attack(counted, inputs, labels)
        left.append(int((~Goal(labels).reached(network(found.inputs))).sum()))
        passes.append(counted.backwards)
    assert left[0] <= left[1] + 1
    assert 0 < left[1] < 200
    assert passes[0] < passes[1] / 3


def test_a_search_without_gradients_is_part_of_it():
    """A staircase has no gradient, and still its steps can be climbed."""
    network, inputs = linear((1, 6, 6), 2), torch.rand(50, 1, 6, 6, dtype=torch.float64)
    network[-1].bias.data = -(network[1](network[0](inputs)) - network[-1].bias).mean(0).detach()

    def staircase(x):
        return (100 * network(x)).round() / 100

    labels = staircase(inputs).argmax(1)
    found = adaptive_attack(eps=0.3)(staircase, inputs, labels)
    assert Goal(labels).reached(staircase(found.inputs)).float().mean() > 0.2


def test_no_sample_is_tried_that_is_out_of_reach():
    network, inputs = convolutional(), torch.rand(64, 1, 8, 8)
    labels = network(inputs).argmax(1)
    quick, long = APGD(eps=0.02, steps=2), APGD(eps=0.02, steps=30)
    passes = []
    for reach in (None, [float("inf"), 0.9], [float("inf"), 0.0]):
        counted = Counted(network)
        WorstOf(eps=0.02, members=[quick, long], reach=reach)(counted, inputs, labels)
        passes.append(counted.backwards)
    assert passes[0] > passes[1] > passes[2]
    with pytest.raises(ValueError, match=r"^WorstOf: give a reach for each of the 2 members, or none\.$"):
        WorstOf(eps=0.02, members=[quick, long], reach=[1.0])
