"""When the callback measures, and on how many samples."""

import pytest

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
    for limit, expected in ((None, samples), (20, 4 if "fast_dev_run" in settings else 20)):
        spy = Spy(pgd, limit=limit)
        make_trainer([spy], max_epochs=1, **settings).fit(make_project(), loader, loader)
        assert spy.seen == [(0, expected)]
