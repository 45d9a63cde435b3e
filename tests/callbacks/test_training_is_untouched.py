"""A training is bit for bit the same with and without the callback."""

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from robust_train import Robustness


class Noisy(Dataset):
    """Random augmentation, as many data sets have it."""

    def __init__(self, dataset):
        self.dataset = dataset

    def __len__(self):
        return len(self.dataset)

    def __getitem__(self, index):
        image, label = self.dataset[index]
        return (image + 0.1 * torch.randn_like(image)).clamp(0, 1), label


def gradients(module):
    return {name: p.grad.clone() for name, p in module.named_parameters() if p.grad is not None}


def network():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.Tanh(),
        nn.Dropout(),
        nn.Flatten(),
        nn.Linear(64, 3),
    )


@pytest.mark.parametrize("settings", [{}, {"accumulate_grad_batches": 3}, {"gradient_clip_val": 0.1}])
def test_weights_buffers_and_optimizer_are_the_same(make_project, make_trainer, dataset, suite, settings):
    trained = []
    for callbacks in ([], [Robustness(suite, on=["validate", "fit"])]):
        torch.manual_seed(0)
        module, data = make_project(network=network()), Noisy(dataset)
        trainer = make_trainer(callbacks, val_check_interval=2, max_epochs=3, **settings)
        trainer.fit(module, DataLoader(data, batch_size=4, shuffle=True), DataLoader(data, batch_size=4))
        trained.append((module.state_dict(), trainer.optimizers[0].state_dict(), torch.get_rng_state()))
        assert module.training
        assert all(parameter.requires_grad for parameter in module.parameters())
    torch.testing.assert_close(*trained, rtol=0, atol=0)


def test_gradients_that_wait_for_their_step_stay(make_project, make_trainer, loader, pgd):
    before, after = [], []

    class Watching(Robustness):
        def _measure(self, trainer, module, *args):
            before.append(gradients(module))
            figures = super()._measure(trainer, module, *args)
            after.append(gradients(module))
            return figures

    trainer = make_trainer(
        [Watching(pgd)], accumulate_grad_batches=4, val_check_interval=3, num_sanity_val_steps=0
    )
    trainer.fit(make_project(), loader, loader)
    assert len(before[0]) == 4
    torch.testing.assert_close(after, before, rtol=0, atol=0)
