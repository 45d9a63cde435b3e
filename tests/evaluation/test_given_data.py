"""What ``evaluate`` accepts as data, and how it refuses the rest."""

import json

import pytest
import pytorch_lightning
import torch
from lightning import pytorch as lightning_pytorch
from PIL import Image
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    IterableDataset,
    RandomSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
)

from robust_train.data import Digits
from robust_train.evaluation import evaluate
from robust_train.perturbations import PGD


def data_module(package, loader):
    class Module(package.LightningDataModule):
        def setup(self, stage):
            self.stage = stage

        def test_dataloader(self):
            assert self.stage == "test"
            return loader

    return Module()


def assert_same_bits(one, other):
    assert one.clean_accuracy == other.clean_accuracy
    assert one.settings == other.settings
    assert torch.equal(one.examples, other.examples)
    for name, regime in one.regimes.items():
        assert regime.metrics == other.regimes[name].metrics
        assert torch.equal(regime.examples, other.regimes[name].examples)
        for field in set(regime.outcome.__dataclass_fields__) - {"reject"}:
            found, expected = (getattr(r.outcome, field) for r in (other.regimes[name], regime))
            assert torch.equal(found, expected), (name, field)


def test_a_repeat_and_other_holders_of_the_data_give_the_same_bits(network, data, suite):
    reference = evaluate(network, data, suite, block=16, progress=False)
    tensors = TensorDataset(torch.stack([x for x, _ in data]), torch.tensor([y for _, y in data]))
    loader = DataLoader(tensors, batch_size=5, shuffle=True, drop_last=True)
    modules = [data_module(package, loader) for package in (pytorch_lightning, lightning_pytorch)]
    for given in (data, tensors, loader, *modules):
        assert_same_bits(reference, evaluate(network, given, suite, block=16, progress=False))


def test_only_what_a_subset_sampler_draws_from_is_judged(network, data, suite):
    rows = [3, 5, 8, 13, 21, 34, 55]
    sampler = SubsetRandomSampler(torch.tensor(rows[::-1]))
    expected = evaluate(network, Subset(data, rows), suite, progress=False)
    assert expected.clean_accuracy.n == len(rows)
    for loader in (
        DataLoader(data, batch_size=4, sampler=sampler),
        DataLoader(data, batch_sampler=BatchSampler(sampler, 4, drop_last=True)),
    ):
        for given in (loader, data_module(pytorch_lightning, loader)):
            assert_same_bits(expected, evaluate(network, given, suite, progress=False))


def test_what_another_sampler_leaves_out_is_judged_and_told(network, data):
    loader = DataLoader(data, sampler=RandomSampler(data, num_samples=7))
    with pytest.warns(UserWarning, match=r"^RandomSampler draws 7 of 65 samples .* give a Subset or"):
        assert evaluate(network, loader, {}, progress=False).clean_accuracy.n == 65


class Drawing:
    """Batches of some samples, by a sampler of its own."""

    def __iter__(self):
        return iter([[0, 1], [2, 3]])

    def __len__(self):
        return 2


def test_a_batch_sampler_that_does_not_say_what_it_draws_from_is_told(network, data):
    loader = DataLoader(data, batch_sampler=Drawing())
    with pytest.warns(UserWarning, match="^Drawing does not say which samples it draws, so that all 65 are"):
        assert evaluate(network, loader, {}, progress=False).clean_accuracy.n == 65


def test_results_are_plain_values(network, data):
    def darker(network, inputs, labels):
        return 0.5 * inputs

    results = evaluate(network, data, {"darker": darker, "pgd": PGD(steps=1)}, progress=False)
    text = json.dumps([results.settings, [regime.settings for regime in results.regimes.values()]])
    assert "darker" in text
    assert "0x" not in text  # an address would differ in each run


class Named(list):
    classes = ("a", "b", "c")


def test_classes_are_those_of_the_data(network, data):
    named = Named(data)
    part = DataLoader(named, sampler=SubsetRandomSampler([1, 2]))
    for given in (named, DataLoader(named), part, Subset(named, [1, 2])):
        assert evaluate(network, given, {}, progress=False).classes == ("a", "b", "c")
    assert evaluate(network, data, {}, progress=False).classes == ()


@pytest.mark.parametrize("classes", [3, "abc", [], None])
def test_what_is_no_list_of_names_is_none(network, data, classes):
    named = Named(data)
    named.classes = classes
    assert evaluate(network, named, {}, progress=False).classes == ()


def test_classes_that_the_data_lacks_are_told(network, data):
    named = Named(data)
    assert evaluate(network, named, {}, progress=False).warnings == ()
    named.classes = ("a", "b")
    [warning] = evaluate(network, named, {}, progress=False).warnings
    assert warning.startswith("The data has 2 classes and the network 3: figures mean something only")


class Endless(IterableDataset):
    def __iter__(self):
        return iter([])


LOADERS = data_module(pytorch_lightning, [DataLoader([1]), DataLoader([2])])


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([], "There are no samples to judge: the data set is empty"),
        (Digits, r"^The data is the class Digits: give an instance, Digits\(\.\.\.\)\.$"),
        (
            (torch.rand(2, 4), torch.zeros(2)),
            r"^The data is tensors: give TensorDataset\(inputs, labels\)\.$",
        ),
        ({"a": DataLoader([1]), "b": DataLoader([2])}, r"^There are 2 test loaders: give one of them\.$"),
        (
            [(torch.rand(1, 4, 4), 0), (torch.rand(1, 5, 4), 0)],
            r"^The samples make no batch \(.*\): let the data",
        ),
        (Endless(), "^Endless has no length and items: give a data set that has both"),
        (DataLoader(Endless()), "^Endless has no length and items: give a data set that has both, or"),
        ([(Image.new("L", (4, 4)), 0)], r"^The samples make no batch \(.*PIL.*\): .* transform ToTensor\("),
        (LOADERS, "There are 2 test loaders: give one of them."),
        ([(torch.zeros(1, 4, 4), "cat")], "batch that is a list of Tensor, tuple: make it"),
        (
            [(torch.zeros(1, 4, 4, dtype=torch.uint8), 0)],
            "Inputs are torch.uint8: give floating-point pixels",
        ),
    ],
)
def test_unfit_data_are_refused_in_a_sentence(network, given, sentence):
    with pytest.raises(ValueError, match=sentence):
        evaluate(network, given, {"pgd": PGD()}, progress=False)
