"""A short and silent training on the CPU, and the same written out."""

from copy import deepcopy
from warnings import catch_warnings, filterwarnings

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, SequentialSampler, TensorDataset

from robust_train import RobustClassifier
from robust_train.data.replayed import Replayed
from robust_train.randomness import Streams
from tests.defenses.examples import make_step
from tests.toy_networks import convolutional


def fit(model, data, batch, epochs=1, precision="32-true", replays=1, resumed=None):
    images = TensorDataset(data.inputs, data.labels)
    loader = DataLoader(
        images, batch_sampler=Replayed(SequentialSampler(images), batch, drop_last=False, replays=replays)
    )
    parts = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    silent = dict.fromkeys(parts, False)
    trainer = pl.Trainer(max_epochs=epochs, accelerator="cpu", devices=1, precision=precision, **silent)
    with catch_warnings():
        filterwarnings("ignore", ".* climbs on each batch while it comes again")  # what is short is a test
        trainer.fit(model.train(), loader, loader, ckpt_path=resumed, weights_only=True)
    return trainer


def plainly(network, data, perturb, loss, batch=8):
    """Stochastic gradient descent: ``perturb(network, x, y, number)``, ``loss(network, x, perturbed, y)``."""
    optimizer = sgd(network.parameters())
    batches = zip(data.inputs.split(batch), data.labels.split(batch), strict=True)
    for number, (x, y) in enumerate(batches):
        perturbed = perturb(network.eval(), x, y, number)
        optimizer.zero_grad()
        loss(network.train(), x, perturbed, y).backward()
        optimizer.step()


def compare(stack, perturb, loss):
    """Ten steps under a defense, or a list of them, give the weights of the plain loop.

    In double precision: the signs of gradients next to zero are rounding otherwise.
    """
    network, data = convolutional(dtype=torch.float64), make_step(80, dtype=torch.float64)
    network[3].p = 0.0  # without dropout, whose draws the two would not share
    reference = deepcopy(network)
    plainly(reference, data, perturb, loss)
    stack = stack if isinstance(stack, list) else [stack]
    assert fit(RobustClassifier(network, stack, sgd), data, batch=8).global_step == 10
    assert_same_weights(network, reference)


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=0.05, momentum=0.9)


def assert_same_weights(network, reference):
    for (name, ours), theirs in zip(
        network.state_dict().items(), reference.state_dict().values(), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5, msg=name)


def streams(count, number):
    """Those of the samples of the given batch, on one process."""
    return Streams.of(0, range(count)).fold(number).fold(number)
