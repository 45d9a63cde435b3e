"""Regimes that learn, inside Lightning's loops."""

import pytest
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, IterableDataset, Subset, SubsetRandomSampler, TensorDataset

from robust_train import Robustness, UniversalGradient, evaluate

SUITE = {"universal": UniversalGradient(eps=0.2, steps=3, batch_size=5)}


@pytest.fixture
def training():
    generator = torch.Generator().manual_seed(1)
    return TensorDataset(torch.rand(30, 1, 4, 4, generator=generator), torch.zeros(30, dtype=torch.int64))


class Data(pl.LightningDataModule):
    def __init__(self, training, test):
        super().__init__()
        self.training, self.test = training, test

    def train_dataloader(self):
        return DataLoader(self.training, batch_size=7, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.test, batch_size=4)

    test_dataloader = val_dataloader


def assert_same(found, expected):
    assert found.clean_accuracy == expected.clean_accuracy
    assert found.settings["learnt"] == expected.settings["learnt"]
    outcomes = [r.regimes["universal"].outcome for r in (found, expected)]
    assert torch.equal(outcomes[0].perturbed_logits, outcomes[1].perturbed_logits)


def test_it_learns_inside_every_loop_from_the_training_images(make_project, make_trainer, training, dataset):
    module, robustness = make_project(), Robustness(SUITE)
    data, trainer = Data(training, dataset), make_trainer([robustness], max_epochs=1)
    for loop in (trainer.test, trainer.validate, trainer.fit):
        robustness.results = None
        loop(module, data)
        expected = evaluate(module, dataset, SUITE, training=training, progress=False)
        assert_same(robustness.results, expected)
        assert robustness.results.clean_accuracy.n == 21
        assert "robust/universal/fooling_rate" in trainer.callback_metrics


def test_without_a_data_module_it_learns_from_a_share(make_project, make_trainer, dataset, loader):
    module, robustness = make_project(), Robustness(SUITE)
    make_trainer([robustness]).test(module, loader)
    assert_same(robustness.results, evaluate(module, dataset, SUITE, progress=False))
    assert robustness.results.clean_accuracy.n == 16


def test_two_parts_of_one_data_set_are_learnt_from_and_judged_apart(make_project, make_trainer, training):
    parts = list(range(4, 30)), [3, 2, 1, 0]
    loaders = [DataLoader(training, batch_size=3, sampler=SubsetRandomSampler(rows)) for rows in parts]
    module, robustness = make_project(), Robustness(SUITE)
    make_trainer([robustness], max_epochs=1).fit(module, *loaders)
    judged, learnt = Subset(training, range(4)), Subset(training, parts[0])
    assert robustness.results.clean_accuracy.n == 4
    assert_same(robustness.results, evaluate(module, judged, SUITE, training=learnt, progress=False))


class Stream(IterableDataset):
    def __init__(self, dataset):
        self.dataset = dataset

    def __iter__(self):
        return iter(self.dataset)


def test_a_stream_is_judged_with_what_the_training_images_taught(
    make_project, make_trainer, training, dataset
):
    module, robustness = make_project(), Robustness(SUITE)
    make_trainer([robustness]).test(module, datamodule=Data(training, Stream(dataset)))
    expected = evaluate(module, dataset, SUITE, training=training, block=4, progress=False)
    assert robustness.results.regimes["universal"].metrics == expected.regimes["universal"].metrics
    with pytest.raises(ValueError, match="UniversalGradient has no images to learn from"):
        make_trainer([robustness]).test(module, DataLoader(Stream(dataset), batch_size=4))


def test_learning_leaves_a_training_as_it_was(make_project, make_trainer, training, dataset):
    weights = []
    for callbacks in ([], [Robustness(SUITE)]):
        torch.manual_seed(3)
        module = make_project()
        make_trainer(callbacks).fit(module, Data(training, dataset))
        weights.append(module.state_dict())
    torch.testing.assert_close(*weights, rtol=0, atol=0)
