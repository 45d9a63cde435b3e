"""Alarms on trainings whose figures are scripted."""

import warnings

import pytest
import torch

from robust_train import CatastrophicOverfitting, RobustOverfitting

PGD, FGSM, TRAIN = "robust/pgd/robust_accuracy", "robust/fgsm/robust_accuracy", "train/accuracy"


@pytest.fixture
def run(make_project, make_trainer, loader):
    """Train with these figures, by name and epoch (None: not measured); the warnings of our own."""

    def run(callback, figures, package="pytorch_lightning", **settings):
        module = make_project(package)
        step, judge = module.training_step, module.validation_step

        def training_step(batch, batch_idx):
            if TRAIN in figures:
                value = figures[TRAIN][module.current_epoch]
                module.log(TRAIN, value, on_step=False, on_epoch=True, batch_size=1)
            return step(batch, batch_idx)

        def validation_step(batch, batch_idx):
            judge(batch, batch_idx)
            for name in set(figures) - {TRAIN}:
                value = figures[name][module.current_epoch]
                if value is not None:
                    module.log(name, torch.tensor(value, dtype=torch.float64), batch_size=1)

        module.training_step, module.validation_step = training_step, validation_step
        epochs = settings.pop("epochs", max(len(values) for values in figures.values()) if figures else 1)
        trainer = make_trainer([callback], package, max_epochs=epochs, num_sanity_val_steps=0, **settings)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            trainer.fit(module, loader, loader)
        return [str(one.message) for one in seen if "Overfitting:" in str(one.message)]

    return run


def test_a_collapse_under_several_steps_is_called_catastrophic_once(run, package):
    figures = {FGSM: [0.5, 0.55, 0.6, 0.95, 0.97], PGD: [0.4, 0.48, 0.44, 0.05, 0.02]}
    assert run(CatastrophicOverfitting(), figures, package) == [
        "CatastrophicOverfitting: robust/fgsm/robust_accuracy is 95.0% in epoch 3 (counted from 0) but "
        "robust/pgd/robust_accuracy only 5.0%, catastrophic overfitting: train with NFGSM or more steps, and "
        "use the weights of epoch 1 (counted from 0), with 48.0%, which "
        'ModelCheckpoint(monitor="robust/pgd/robust_accuracy", mode="max") keeps.'
    ]


def test_a_sound_training_alarms_nobody(run):
    figures = {FGSM: [0.5, 0.6, 0.6], PGD: [0.4, 0.36, 0.5], TRAIN: [0.5, 0.6, 0.7]}
    assert run(CatastrophicOverfitting(), figures) == []
    assert run(RobustOverfitting(patience=1), figures) == []


def test_names_and_gap_are_what_is_given(run):
    figures = {"robust/one/robust_accuracy": [0.5], "robust/many/robust_accuracy": [0.35]}
    assert run(CatastrophicOverfitting("one", "many", gap=0.2), figures) == []
    assert len(run(CatastrophicOverfitting("one", "many", gap=0.1), figures)) == 1


def test_a_lasting_fall_while_training_improves_is_called_robust_overfitting(run):
    figures = {
        PGD: [0.3, 0.5, 0.4, 0.48, 0.42, 0.41, 0.4, 0.3],
        TRAIN: [0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9],
    }
    assert run(RobustOverfitting(), figures) == [
        "RobustOverfitting: robust/pgd/robust_accuracy fell from 50.0% in epoch 1 (counted from 0) to 40.0% "
        "in epoch 6 (counted from 0) while train/accuracy rose, robust overfitting: use the weights of epoch "
        '1 (counted from 0), which ModelCheckpoint(monitor="robust/pgd/robust_accuracy", mode="max") keeps, '
        "and train shorter or with averaged weights."
    ]


def test_a_training_that_falls_altogether_is_something_else(run):
    figures = {PGD: [0.5, 0.3, 0.2, 0.1], TRAIN: [0.9, 0.6, 0.5, 0.4]}
    assert run(RobustOverfitting(patience=1), figures) == []


def test_what_an_earlier_epoch_measured_does_not_count_again(run):
    """Two measurements in eight epochs, as with every_n_epochs: three below the best there never are."""
    figures = {PGD: [0.5, None, None, 0.2, None, None, None, None], TRAIN: [0.1 * i for i in range(8)]}
    alarm = RobustOverfitting()
    assert run(alarm, figures) == []
    assert [entry["epoch"] for entry in alarm.history] == [0, 3]
    assert run(RobustOverfitting(patience=1), figures) != []


def test_figures_that_nobody_logs_are_missed_at_the_end(run):
    (found,) = run(CatastrophicOverfitting(), {PGD: [0.5, 0.5]})
    assert found.startswith(f"CatastrophicOverfitting: no epoch logged {FGSM}: what begins with robust/ ")


def test_a_resumed_training_remembers_its_best_epoch(run):
    first, figures = RobustOverfitting(patience=2), {PGD: [0.5, 0.4], TRAIN: [0.5, 0.6]}
    assert run(first, figures) == []
    second = RobustOverfitting(patience=2)
    second.load_state_dict(first.state_dict())
    (found,) = run(second, {PGD: [0.4], TRAIN: [0.7]})
    assert "fell from 50.0% in epoch 0" in found


@pytest.mark.parametrize("gap", [0.0, 1.0, float("nan")])
def test_a_gap_is_a_share(gap):
    with pytest.raises(ValueError, match=r"^CatastrophicOverfitting: gap must be between 0 and 1, not"):
        CatastrophicOverfitting(gap=gap)


@pytest.mark.parametrize("fields", [{"drop": 0.0}, {"patience": 0}])
def test_numbers_without_a_meaning_are_refused(fields):
    with pytest.raises(ValueError, match=r"^RobustOverfitting: drop must be between 0 and 1 and patience"):
        RobustOverfitting(**fields)
