"""Averaged weights: those that are judged, selected and saved are the same."""

from importlib import import_module

import pytest
import torch

from robust_train import Robustness, evaluate


@pytest.mark.parametrize("robustness_first", [True, False])
@pytest.mark.parametrize("kind", ["WeightAveraging", "EMAWeightAveraging"])
def test_the_averaged_weights_are_judged_and_saved(
    package, make_project, make_trainer, loader, pgd, tmp_path, kind, robustness_first
):
    callbacks = import_module(f"{package}.callbacks")
    saving = callbacks.ModelCheckpoint(tmp_path, save_top_k=-1)
    robustness, averaging = Robustness(pgd, on=["validate", "fit"]), getattr(callbacks, kind)()
    judged = [robustness, averaging] if robustness_first else [averaging, robustness]
    trainer = make_trainer([*judged, saving], package, max_epochs=2, enable_checkpointing=True)
    judgements = []
    robustness._log = lambda module, figures: judgements.append(robustness.results)
    module = make_project(package)
    trainer.fit(module, loader, loader)
    for path, found in zip(sorted(tmp_path.glob("*.ckpt")), judgements, strict=True):
        stored = torch.load(path, weights_only=True)
        saved, raw = make_project(package), make_project(package)
        saved.load_state_dict(stored["state_dict"])
        raw.load_state_dict(stored["current_model_state"])
        expected, other = (evaluate(each, loader, pgd, progress=False) for each in (saved, raw))
        logits = found.regimes["pgd"].outcome.logits
        assert torch.equal(logits, expected.regimes["pgd"].outcome.logits)
        assert found.regimes["pgd"].metrics == expected.regimes["pgd"].metrics
        assert not torch.equal(logits, other.regimes["pgd"].outcome.logits)
    at_the_end = robustness.results.regimes["pgd"].outcome.logits  # of on_fit_end
    assert torch.equal(
        at_the_end, evaluate(module, loader, pgd, progress=False).regimes["pgd"].outcome.logits
    )
