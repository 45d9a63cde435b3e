"""What would only show after an epoch, or never, is refused when the callback is made."""

import pytest
import torch
from torch.utils.data import DataLoader

from robust_train import FGSM, PGD, Robustness, Semirandom


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"regimes": PGD()},
            r'^The suite is a PGD: give a dictionary of regimes by name, such as {"pgd": PGD\(',
        ),
        ({"regimes": {"pgd": PGD}}, r"^Regime pgd is the class PGD: give an instance, PGD\(\.\.\.\)\.$"),
        (
            {"on": "validate"},
            r'^Robustness: on is \'validate\': give a list of "validate", "test" and "fit"\.$',
        ),
        ({"on": ("val",)}, r"^Robustness: on is \('val',\): give a list"),
        ({"every_n_epochs": 0}, r"^Robustness: every_n_epochs must be at least 1, not 0\.$"),
        ({"limit": 0}, r"^Robustness: limit must be at least 1, not 0\.$"),
        ({"limit": -1}, "limit must be at least 1, not -1"),
        ({"block": 0}, "block must be at least 1"),
        ({"draws": 0}, "draws must be at least 1"),
        ({"gallery": -1}, "gallery must be at least 0, not -1"),
        ({"mean": 0.5, "std": 0.0}, r"^Normalisation needs a positive std, not 0\.0\.$"),
        ({"mean": [0.5]}, "^Normalisation needs both mean and std: give the other one too"),
        ({"std": [0.5]}, "Normalisation needs both mean and std"),
    ],
)
def test_what_means_nothing_is_refused_in_a_sentence(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        Robustness(**{"regimes": {}, **settings})


@pytest.mark.parametrize("name", ["every_n_epochs", "limit", "block", "draws"])
def test_what_is_counted_is_whole(name):
    with pytest.raises(TypeError, match=rf"^Robustness: {name} must be a whole number, not 2\.5\.$"):
        Robustness({}, **{name: 2.5})


def test_one_name_for_the_regimes_of_two_callbacks_is_refused(make_project, make_trainer, loader):
    callbacks = [Robustness({"fgsm": FGSM(), "pgd": PGD()}), Robustness({"pgd": PGD(steps=3)})]
    with pytest.raises(ValueError, match=r"^Two Robustness callbacks have a regime pgd, .*: rename it"):
        make_trainer(callbacks).validate(make_project(), loader)
    callbacks[0].on, callbacks[1].on = ("test", "fit"), ("validate",)
    make_trainer(callbacks, limit_val_batches=1).validate(make_project(), loader)


def unnamed(items):
    return {"views": [image for image, _ in items], "species": 0}


def normalised(items):
    return torch.stack([2 * image - 1 for image, _ in items]), torch.tensor([label for _, label in items])


@pytest.mark.parametrize(
    ("settings", "collate", "sentence"),
    [
        ({"draws": 4}, None, "no Noise in it"),
        ({}, unnamed, "^No inputs and labels in a batch that is a dictionary of views, species"),
        ({"mean": [0.1, 0.2], "std": [0.3, 0.4]}, None, "^mean has 2 values for inputs of shape"),
        ({}, normalised, r"^Inputs lie in \[.*outside of the bounds \[0\.0, 1\.0\]"),
        ({"regimes": {"wide": Semirandom(dimension=1000)}}, None, "^Semirandom: dimension must be at most"),
    ],
)
def test_what_cannot_be_judged_is_refused_in_the_sanity_check(
    make_project, make_trainer, dataset, loader, pgd, settings, collate, sentence
):
    module = make_project()
    module.validation_step = lambda batch, batch_idx: None
    trainer = make_trainer([Robustness(**{"regimes": pgd, **settings})], num_sanity_val_steps=1)
    with pytest.raises(ValueError, match=sentence):
        trainer.fit(module, loader, DataLoader(dataset, batch_size=4, collate_fn=collate))
    assert trainer.global_step == 0


@pytest.mark.filterwarnings("ignore:Total length of")
def test_a_validation_set_without_samples_is_told_of_and_ends_no_training(
    make_project, make_trainer, loader, pgd
):
    trainer = make_trainer([Robustness(pgd, on=["fit"])], max_epochs=1)
    with pytest.warns(UserWarning, match="^Robustness: there is no validation data to measure on"):
        trainer.fit(make_project(), loader, DataLoader([], batch_size=4))
    assert trainer.global_step > 0
