"""Sigma-zero against the fewest components of linear networks."""

import numpy as np
import pytest
import torch

from robust_train import SigmaZero
from tests.closed_forms import minimal_sizes
from tests.toy_networks import convolutional, linear, linear_case


def test_it_never_finds_fewer_components_than_there_must_be_and_mostly_finds_as_few():
    as_few, feasible = 0, 0
    for seed in range(20):
        case = linear_case(seed, walls=seed % 2)
        truth = minimal_sizes(case.network, case.inputs, case.labels, "l0", (0.0, 1.0))
        found = SigmaZero()(case.network, case.inputs, case.labels).size.numpy()
        assert (found >= truth).all()
        as_few += ((found == truth) & np.isfinite(truth)).sum()
        feasible += np.isfinite(truth).sum()
    assert as_few > 0.85 * feasible


def test_without_a_box_one_component_is_enough():
    network, inputs = linear((3, 4), 4), torch.rand(32, 3, 4, dtype=torch.float64)
    labels = network(inputs).argmax(1)
    found = SigmaZero(bounds=None, steps=300)(network, inputs, labels)
    assert (found.size == minimal_sizes(network, inputs, labels, "l0")).double().mean() > 0.9


def test_more_steps_find_fewer_components():
    network, inputs = convolutional(), torch.rand(64, 1, 8, 8)
    labels = network(inputs).argmax(1)
    few, many = (SigmaZero(steps=k)(network, inputs, labels).size for k in (10, 100))
    assert many.isfinite().all()
    assert many.mean() < few.mean()


def test_what_it_counts_is_what_differs():
    network, inputs = convolutional(), torch.rand(64, 1, 8, 8)
    found = SigmaZero()(network, inputs, network(inputs).argmax(1))
    differ = (found.inputs != inputs).flatten(1).sum(1)
    assert torch.equal(found.size, differ.double())
    assert differ.double().median() <= 4  # of 64: it is sparse


@pytest.mark.parametrize(
    ("name", "value"), [("steps", 0), ("step_size", 0), ("sigma", 0), ("threshold", -0.1)]
)
def test_what_has_no_meaning_is_refused(name, value):
    with pytest.raises(ValueError, match=f"^SigmaZero: {name} must be"):
        SigmaZero(**{name: value})


def test_it_is_of_l0():
    with pytest.raises(ValueError, match=r"^SigmaZero: norm must be l0, not 'l2'"):
        SigmaZero(norm="l2")
