import csv
from importlib import import_module

import pytest
import torch

from robust_train import FGSM, PGD, Robustness, evaluate

KEYS = {
    "robust/clean/accuracy",
    "robust/pgd/robust_accuracy",
    "robust/pgd/fooling_rate",
    "robust/deepfool/median_size",
    "robust/deepfool/relative_size",
    "robust/deepfool/fooling_rate",
    "robust/noise/median_size",
    "robust/noise/relative_size",
    "robust/noise/fooling_rate",
}


def same_figures(one, other):
    return one.clean_accuracy == other.clean_accuracy and all(
        one.regimes[name].metrics == regime.metrics
        and torch.equal(one.regimes[name].outcome.perturbed_logits, regime.outcome.perturbed_logits)
        for name, regime in other.regimes.items()
    )


def test_every_loop_of_a_foreign_project_is_measured(
    package, make_project, make_trainer, loader, suite, tmp_path
):
    logger = import_module(f"{package}.loggers").CSVLogger(tmp_path)
    module, robustness = make_project(package), Robustness(suite)
    trainer = make_trainer([robustness], package, logger=logger)
    for loop in (
        lambda: trainer.fit(module, loader, loader),
        lambda: trainer.validate(module, loader),
        lambda: trainer.test(module, loader),
    ):
        robustness.results = None
        loop()
        assert set(trainer.callback_metrics) >= KEYS
        assert robustness.results.clean_accuracy.n == 21
        expected = evaluate(module, loader, suite, progress=False)
        assert same_figures(expected, robustness.results)
        value = trainer.callback_metrics["robust/pgd/robust_accuracy"].item()
        assert value == pytest.approx(expected.regimes["pgd"].metrics["robust_accuracy"].value)
    assert module.inference  # the test loop ran in the mode in which no gradient can be formed
    with open(f"{logger.log_dir}/metrics.csv") as file:
        rows = list(csv.DictReader(file))
    assert set(rows[0]) > KEYS
    assert sum(bool(row["robust/pgd/robust_accuracy"]) for row in rows) == 4  # two epochs, validate, test


@pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists and is not empty")
def test_a_checkpoint_is_selected_and_resumed(package, make_project, make_trainer, loader, pgd, tmp_path):
    def trainer(epochs):
        saving = import_module(f"{package}.callbacks").ModelCheckpoint(
            tmp_path, "{epoch}", monitor="robust/pgd/robust_accuracy", mode="max", save_last=True
        )
        callbacks = [saving, Robustness(pgd)]
        return make_trainer(callbacks, package, max_epochs=epochs, enable_checkpointing=True), *callbacks

    first, saving, _ = trainer(3)
    module = make_project(package)
    first.fit(module, loader, loader)
    weights = torch.load(saving.best_model_path, weights_only=True)["state_dict"]
    best = make_project(package)
    best.load_state_dict(weights)
    value = evaluate(best, loader, pgd, progress=False).regimes["pgd"].metrics["robust_accuracy"].value
    assert saving.best_model_score.item() == pytest.approx(value)
    second, _, _ = trainer(4)
    second.fit(make_project(package), loader, loader, ckpt_path=saving.last_model_path)
    assert second.current_epoch == 4


def test_the_global_random_state_is_left_alone(make_project, make_trainer, loader, suite):
    states = []
    for callbacks in ([], [Robustness(suite)]):
        torch.manual_seed(0)
        make_trainer(callbacks).test(make_project(), loader)
        states.append(torch.get_rng_state())
    assert torch.equal(*states)


def test_two_callbacks_log_what_each_has_measured(make_project, make_trainer, loader):
    cheap, dear = Robustness({"cheap": FGSM(eps=0.01)}), Robustness({"dear": PGD(eps=0.5)}, limit=5)
    trainer = make_trainer([cheap, dear])
    trainer.validate(make_project(), loader)
    clean = [one.results.clean_accuracy for one in (cheap, dear)]
    assert [figure.n for figure in clean] == [21, 5]
    assert clean[0].value < clean[1].value  # or the larger one could be taken for the first
    assert float(trainer.callback_metrics["robust/clean/accuracy"]) == pytest.approx(clean[0].value)
    for one, name in ((cheap, "cheap"), (dear, "dear")):
        figure = one.results.regimes[name].metrics["robust_accuracy"].value
        assert float(trainer.callback_metrics[f"robust/{name}/robust_accuracy"]) == pytest.approx(figure)
