"""When the callback measures, and on how many samples."""

import pytest
import torch

from robust_train import Robustness


class Spy(Robustness):
    """Notes the epoch and the number of samples of each measurement."""

    def __init__(self, *args, **settings):
        super().__init__(*args, **settings)
        self.seen = []

    def _conclude(self, evaluator, *args, **settings):
        figures = super()._conclude(evaluator, *args, **settings)
        self.seen.append((self.epoch, self.results.clean_accuracy.n))
        return figures

    def on_train_epoch_start(self, trainer, module):
        self.epoch = trainer.current_epoch

    def on_test_start(self, trainer, module):
        self.epoch = "test"

    def on_sanity_check_start(self, trainer, module):
        self.epoch = "sanity"


@pytest.mark.parametrize(
    ("settings", "fitted", "tested"),
    [
        ({}, [(0, 21), (1, 21), (2, 21), (3, 21)], [("test", 21)]),
        ({"every_n_epochs": 2}, [(1, 21), (3, 21)], [("test", 21)]),
        ({"every_n_epochs": 3, "limit": 5}, [(2, 5)], [("test", 5)]),
        ({"on": ["test"]}, [], [("test", 21)]),
        ({"on": ["fit"]}, [(3, 21)], []),
        ({"on": ["validate", "fit"], "every_n_epochs": 4}, [(3, 21), (3, 21)], []),
    ],
)
def test_it_measures_when_it_is_asked_to(make_project, make_trainer, loader, pgd, settings, fitted, tested):
    spy = Spy(pgd, **settings)
    trainer, module = make_trainer([spy], max_epochs=4, num_sanity_val_steps=2), make_project()
    trainer.fit(module, loader, loader)
    assert spy.seen == fitted
    spy.seen.clear()
    trainer.test(module, loader)
    assert spy.seen == tested


@pytest.mark.parametrize(
    ("settings", "samples"),
    [
        ({"limit_val_batches": 2}, 7),  # of 6 batches
        ({"limit_val_batches": 0.5}, 11),
        ({"limit_val_batches": 1.0}, 21),
        ({"fast_dev_run": True}, 4),
    ],
)
def test_a_limited_loop_limits_the_measurement(make_project, make_trainer, loader, pgd, settings, samples):
    for limit, expected in ((None, samples), (20, 4 if "fast_dev_run" in settings else 20), (2, 2)):
        spy = Spy(pgd, limit=limit)
        make_trainer([spy], max_epochs=1, **settings).fit(make_project(), loader, loader)
        assert spy.seen == [(0, expected)]


def test_the_end_of_a_fit_is_measured_where_no_validation_ran(make_project, make_trainer, loader, pgd):
    spy = Spy(pgd, on=["fit"])
    settings = {"max_epochs": 1, "check_val_every_n_epoch": 2, "num_sanity_val_steps": 0}
    make_trainer([spy], **settings).fit(make_project(), loader, loader)
    assert spy.seen == [(0, 21)]


@pytest.mark.filterwarnings("ignore:You defined a `validation_step`")
def test_without_validation_data_the_end_of_a_fit_says_that_nothing_is_measured(
    make_project, make_trainer, loader, pgd
):
    robustness = Robustness(pgd, on=["fit"])
    with pytest.warns(UserWarning, match=r"Robustness: there is no validation data to measure on"):
        make_trainer([robustness], max_epochs=1).fit(make_project(), loader)
    assert robustness.results is None


def test_at_the_end_of_a_fit_images_come_as_in_validation(make_project, make_trainer, loader, dataset, pgd):
    robustness, module = Robustness(pgd, on=["fit"]), make_project()

    def augmented(batch, dataloader_idx):
        return [0 * batch[0], batch[1]] if module.trainer.training else batch

    module.on_after_batch_transfer = augmented
    trainer = make_trainer([robustness], max_epochs=1)
    trainer.fit(module, loader, loader)
    assert torch.equal(robustness.results.examples, dataset.tensors[0][:8])
