"""Batches, outputs and inputs as other projects have them."""

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from robust_train import Robustness


class Items(Dataset):
    """Each sample as ``make(image, label)``."""

    def __init__(self, dataset, make):
        self.dataset, self.make = dataset, make

    def __len__(self):
        return len(self.dataset)

    def __getitem__(self, index):
        return self.make(*self.dataset[index])


@pytest.fixture
def measure(make_project, make_trainer, dataset, pgd):
    """Results of a test loop over such items, whose steps need not understand them."""

    def run(make=lambda x, y: (x, y), wrap=lambda network: network, change=lambda module: None, **settings):
        torch.manual_seed(0)
        module = make_project()
        module.network = wrap(module.network)
        module.step = lambda batch, name: None
        change(module)
        robustness = Robustness(pgd, **settings)
        make_trainer([robustness]).test(module, DataLoader(Items(dataset, make), batch_size=4))
        return robustness.results

    return run


def assert_same(one, other):
    assert one.clean_accuracy == other.clean_accuracy
    assert one.regimes["pgd"].metrics == other.regimes["pgd"].metrics


@pytest.mark.parametrize(
    ("make", "settings"),
    [
        (lambda x, y: (x, y, "a path", {"id": 3}), {}),
        (lambda x, y: {"image": x, "label": y, "id": 3}, {}),
        (lambda x, y: {"views": x, "species": y, "label": 0 * y}, {"keys": ("views", "species")}),
        (lambda x, y: (x.double(), y.int()), {}),
    ],
)
def test_batches_of_other_shapes_are_understood(measure, make, settings):
    assert_same(measure(), measure(make, **settings))


class Wrapped(nn.Module):
    def __init__(self, network, output):
        super().__init__()
        self.network, self.output = network, output

    def forward(self, x):
        return self.output(x, self.network(x))


@pytest.mark.parametrize(
    ("output", "key"),
    [(lambda x, z: (x, z), 1), (lambda x, z: {"features": x, "scores": z}, "scores")],
)
def test_logits_are_taken_out_of_other_outputs(measure, output, key):
    found = measure(wrap=lambda network: Wrapped(network, output), logits=key)
    assert_same(measure(), found)
    with pytest.raises(ValueError, match="name them by logits="):
        measure(wrap=lambda network: Wrapped(network, output))


class Normalising(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return self.network(0.25 * x + 0.5)


def test_eps_is_in_pixels_also_where_inputs_are_normalised(measure):
    """The same function of the pixels, behind a pipeline that normalises in the data or on the device."""

    def on_device(module):
        module.on_after_batch_transfer = lambda batch, place: [(batch[0] - 0.5) / 0.25, batch[1]]

    told = {"mean": [0.5], "std": [0.25], "wrap": Normalising}
    reference = measure()
    for found in (
        measure(lambda x, y: ((x - 0.5) / 0.25, y), **told),
        measure(change=on_device, **told),
    ):
        assert_same(reference, found)
        assert torch.equal(reference.examples, found.examples)
        sizes = found.regimes["pgd"].outcome.size
        torch.testing.assert_close(sizes, reference.regimes["pgd"].outcome.size, rtol=1e-3, atol=1e-6)


def test_forgotten_normalisation_is_told(measure):
    with (
        pytest.raises(ValueError, match=r"outside of the bounds \[0.0, 1.0\]"),
    ):
        measure(lambda x, y: ((x - 0.5) / 0.25, y), wrap=Normalising)


def test_a_cache_that_the_loop_made_is_explained(measure):
    class Caching(nn.Module):
        def __init__(self, network):
            super().__init__()
            self.network, self.mask = network, None

        def forward(self, x):
            self.mask = torch.ones_like(x[0]) if self.mask is None else self.mask
            return self.network(x * self.mask)

    def calling(module):
        module.step = lambda batch, name: module(batch[0])

    with pytest.raises(ValueError, match=r"set Trainer\(inference_mode=False\)"):
        measure(wrap=Caching, change=calling)
