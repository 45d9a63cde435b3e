"""The standard suite as it is published, and its members run alone."""

import torch

from robust_train import APGD, FAB, Goal, Square, auto_attack
from robust_train.perturbations import Perturbation, WorstOf
from robust_train.recipe.building import build
from robust_train.recipe.checking import check_node
from robust_train.recipe.names import CHECKPOINT
from tests.toy_networks import convolutional


def test_the_members_are_the_published_ones():
    ce, targeted, fab, square = auto_attack("l2", 0.5).members
    assert isinstance(ce, APGD)
    assert (ce.steps, ce.restarts, ce.targets) == (100, 1, 0)
    assert (targeted.targets, type(targeted.objective).__name__) == (9, "DLR")
    assert isinstance(fab, FAB)
    assert (fab.targets, fab.steps) == (9, 100)
    assert isinstance(square, Square)
    assert (square.queries, square.p_init, square.eps) == (5000, 0.8, 0.5)


def test_nothing_stands_that_a_member_breaks():
    network, inputs = convolutional(), torch.rand(12, 1, 8, 8)
    labels = network(inputs).argmax(1)
    suite = auto_attack(eps=0.08)
    broken = Goal(labels).reached(network(suite(network, inputs, labels).inputs))
    for member in suite.members[:2]:
        alone = Goal(labels).reached(network(member(network, inputs, labels).inputs))
        assert (alone <= broken).all()
    assert broken.any()


def test_a_recipe_may_name_it():
    node = check_node({"class_path": "auto_attack", "init_args": {"eps": 0.1}}, Perturbation, "x", CHECKPOINT)
    built = build(node, CHECKPOINT)
    assert isinstance(built, WorstOf)
    assert built.eps == 0.1
