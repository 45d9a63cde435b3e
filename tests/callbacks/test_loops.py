"""What Lightning's loops, loggers, bars and checkpoints get to see."""

import pytest
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.loggers import CSVLogger
from torch.utils.data import DataLoader, TensorDataset

from robust_train import RandomDirection, Robustness


def test_the_end_of_a_fit_goes_to_the_loggers_without_a_false_alarm(
    make_project, make_trainer, loader, pgd, tmp_path
):
    logger = CSVLogger(tmp_path)
    module, robustness = make_project(), Robustness(pgd, on=["fit"])
    make_trainer([robustness], logger=logger).fit(module, loader, loader)
    assert robustness.results.warnings == ()  # that the module is back in training mode is no news
    assert all(part.training for part in module.modules())
    assert "robust/pgd/robust_accuracy" in (tmp_path / "lightning_logs/version_0/metrics.csv").read_text()


def test_a_checkpoint_waits_for_the_same_epochs(make_project, make_trainer, loader, pgd, tmp_path):
    saving = ModelCheckpoint(tmp_path, monitor="robust/pgd/robust_accuracy", mode="max", every_n_epochs=2)
    callbacks = [saving, Robustness(pgd, every_n_epochs=2)]
    make_trainer(callbacks, max_epochs=4, enable_checkpointing=True).fit(make_project(), loader, loader)
    assert saving.best_model_score is not None


def test_each_of_several_loaders_is_measured(make_project, make_trainer, loader, pgd):
    few = DataLoader(TensorDataset(torch.rand(5, 1, 4, 4), torch.zeros(5, dtype=torch.int64)), batch_size=2)
    robustness = Robustness(pgd)
    first, second = make_trainer([robustness]).validate(make_project(), [loader, few])
    assert "robust/pgd/robust_accuracy/dataloader_idx_0" in first
    assert "robust/pgd/robust_accuracy/dataloader_idx_1" in second
    assert robustness.results.clean_accuracy.n == 5  # of the last


def test_several_callbacks_measure_in_one_trainer(make_project, make_trainer, loader, pgd):
    every, few = Robustness(pgd), Robustness({"noise": RandomDirection()}, limit=5)
    make_trainer([every, few]).test(make_project(), loader)
    assert [one.results.clean_accuracy.n for one in (every, few)] == [21, 5]


def test_the_bar_goes_with_the_trainer_s_own(make_project, make_trainer, loader, pgd, capsys):
    make_trainer([Robustness(pgd)]).test(make_project(), loader, verbose=False)
    assert "robustness" not in capsys.readouterr().err
    make_trainer([Robustness(pgd)], enable_progress_bar=True).test(make_project(), loader, verbose=False)
    assert "robustness" in capsys.readouterr().err


def test_warnings_are_told_once(make_project, make_trainer):
    outside = TensorDataset(torch.rand(4, 1, 4, 4) + 1, torch.zeros(4, dtype=torch.int64))
    trainer, module = make_trainer([Robustness({"noise": RandomDirection()})]), make_project()
    data = DataLoader(outside, batch_size=4)
    with pytest.warns(UserWarning, match="Robustness: Inputs lie in"):
        trainer.test(module, data)
    trainer.test(module, data)  # a warning would be an error here
