"""Every perturbation inside a Lightning loop finds what it finds outside."""

import torch
from torch.utils.data import DataLoader, TensorDataset

from robust_train import Robustness, evaluate
from tests.perturbations.examples import EVERY, name
from tests.toy_networks import convolutional

SUITE = {f"{number} {name(example)}": example for number, example in enumerate(EVERY)}


def test_all_are_measured_by_one_test_loop(make_project, make_trainer):
    """In the mode in which no gradient can be formed; those that learn, from a share of the samples."""
    images, labels = torch.rand(21, 1, 8, 8), torch.arange(21) % 10
    module, loader = make_project(network=convolutional()), DataLoader(TensorDataset(images, labels), 6)
    robustness = Robustness(SUITE)
    make_trainer([robustness]).test(module, loader)
    assert module.inference
    expected = evaluate(module, loader, SUITE, progress=False)
    assert robustness.results.regimes.keys() == expected.regimes.keys() == SUITE.keys()
    for regime, found in robustness.results.regimes.items():
        assert found.outcome.index.tolist() == expected.regimes[regime].outcome.index.tolist()
        assert torch.equal(
            found.outcome.perturbed_logits, expected.regimes[regime].outcome.perturbed_logits
        ), regime
        assert torch.equal(found.outcome.size, expected.regimes[regime].outcome.size), regime
