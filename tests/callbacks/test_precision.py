"""Which precision is judged: float32 unless the trainer's own is asked for, and the results say which."""

import pytest
import torch

from robust_train import Robustness, evaluate
from robust_train.evaluation.deployed import Deployed


@pytest.fixture
def judge(make_project, make_trainer, loader, pgd):
    def run(precision, **settings):
        torch.manual_seed(0)
        module, robustness = make_project(), Robustness(pgd, **settings)
        make_trainer([robustness], precision=precision).test(module, loader)
        return module, robustness.results

    return run


def logits(results):
    return results.regimes["pgd"].outcome.logits


def test_mixed_precision_is_judged_in_float32(judge, loader, pgd):
    module, results = judge("bf16-mixed")
    expected = evaluate(module, loader, pgd, progress=False)
    assert torch.equal(logits(results), logits(expected))
    assert results.regimes["pgd"].metrics == expected.regimes["pgd"].metrics
    assert results.settings["precision"] == "float32 weights, no autocast, searched in float32"


def test_mixed_precision_is_judged_as_it_runs_when_asked(judge, dataset):
    module, results = judge("bf16-mixed", autocast=True)
    module.eval()
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        expected = module(dataset.tensors[0])
    assert expected.dtype == torch.bfloat16
    assert torch.equal(logits(results), expected.float())
    assert results.settings["precision"] == "float32 weights, autocast, searched in float32"
    assert results.regimes["pgd"].metrics["fooling_rate"].value > 0


def test_weights_in_bfloat16_are_searched_in_float32(judge, dataset, pgd):
    module, results = judge("bf16-true")
    assert next(module.parameters()).dtype == torch.bfloat16
    pixels = dataset.tensors[0]
    assert torch.equal(results.examples, pixels[:8])  # no pixel was rounded on its way
    with torch.no_grad():
        assert torch.equal(logits(results), Deployed(module.eval())(pixels))
    outcome = results.regimes["pgd"].outcome
    assert outcome.size.max() <= pgd["pgd"].eps
    assert results.regimes["pgd"].metrics["fooling_rate"].value > 0
    assert results.settings["precision"] == "bfloat16 weights, no autocast, searched in float32"


def test_double_precision_runs(judge):
    _, results = judge("64-true")
    assert logits(results).dtype == torch.float64
