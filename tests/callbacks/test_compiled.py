import pytest
import torch

from robust_train import Robustness, evaluate


def compiled_network(module, backend):
    module.network = torch.compile(module.network, backend=backend)
    return module


def compiled_in_place(module, backend):
    module.network.compile(backend=backend)
    return module


def compiled_module(module, backend):
    return torch.compile(module, backend=backend)


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
@pytest.mark.parametrize("compile_", [compiled_network, compiled_in_place, compiled_module])
def test_a_compiled_project_has_the_figures_of_the_plain_one(
    make_project, make_trainer, loader, pgd, compile_, backend
):
    torch.compiler.reset()
    module, robustness = make_project(), Robustness(pgd)
    expected = evaluate(module, loader, pgd, progress=False)
    trainer = make_trainer([robustness], max_epochs=1)
    trainer.test(compile_(module, backend), loader)
    found = robustness.results
    assert found.clean_accuracy == expected.clean_accuracy
    assert found.regimes["pgd"].metrics == expected.regimes["pgd"].metrics
    torch.testing.assert_close(
        found.regimes["pgd"].outcome.perturbed_logits, expected.regimes["pgd"].outcome.perturbed_logits
    )


def test_a_compiled_project_trains_as_without_the_callback(make_project, make_trainer, loader, pgd):
    trained = []
    for callbacks in ([], [Robustness(pgd)]):
        torch.compiler.reset()
        torch.manual_seed(0)
        module = compiled_in_place(make_project(), "eager")
        make_trainer(callbacks).fit(module, loader, loader)
        trained.append(module.state_dict())
    torch.testing.assert_close(*trained, rtol=0, atol=0)
