"""What defenses do with half of a batch on each of two processes: to be run, not collected."""

import logging
import os
import signal
import socket
import tempfile
import warnings
from copy import deepcopy
from dataclasses import replace

import torch
from pytorch_lightning import Trainer
from torch import distributed
from torch.multiprocessing import start_processes
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from robust_train import AdversarialWeightPerturbation, RobustClassifier, UniversalAdversarialTraining
from robust_train.defenses.carrying import carried
from tests.defenses.examples import EXAMPLES, judged, make_step, suited
from tests.toy_networks import convolutional

LIMIT = 300  # seconds of one defense, after which a process that waits for another ends itself


def part(step, rows):
    return replace(
        step, inputs=step.inputs[rows], targets=step.targets[rows], clean=step.clean[rows],
        labels=step.labels[rows], rng=step.rng.take(rows),
    )  # fmt: skip


def moved(network, step):
    """Where adversarial weight perturbation moves the weights."""
    defense = AdversarialWeightPerturbation(0.1)
    step = defense.batch(network, judged(network, step))
    found = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    defense.after_backward(network, step)
    return found


def climbed(network, step):
    """What universal adversarial training carries on after a step from nothing."""
    defense, network = UniversalAdversarialTraining(eps=0.1), deepcopy(network)
    step = defense.batch(network, step)
    cross_entropy(network(step.inputs.requires_grad_()), step.labels).backward()
    defense.after_backward(network, step)
    return carried(network, step.inputs[:1].detach())


def trained(defense):
    """A network after three steps under ``strategy="ddp"``, and what the defense has calibrated."""
    torch.manual_seed(0)
    network, data = suited(defense), make_step(24)
    before = deepcopy(network.state_dict())
    model = RobustClassifier(network, [defense], lambda parameters: torch.optim.SGD(parameters, lr=0.1))
    images = TensorDataset(data.inputs, data.labels)
    parts = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    silent = dict.fromkeys(parts, False)
    trainer = Trainer(strategy="ddp", accelerator="cpu", devices=2, max_epochs=1, **silent)
    trainer.fit(model.train(), DataLoader(images, batch_size=4))
    assert trainer.global_step == 3
    after = dict(network.named_parameters())
    assert any(not torch.equal(after[name], before[name]) for name in after)
    assert_same(network)
    saved = [model.state_dict()]
    distributed.broadcast_object_list(saved)  # as a checkpoint is, which has one process's statistics
    model.load_state_dict(saved[0])
    model.calibrate([(data.inputs, data.labels)], [(data.inputs, data.labels)])
    return model.network


def assert_same(module):
    """The same weights and thresholds on both processes, bit for bit; statistics of batches are their own."""
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    mine = {k: v for k, v in module.state_dict().items() if not k.endswith(statistics)}
    every = [None, None]
    distributed.all_gather_object(every, mine)
    torch.testing.assert_close(*every, rtol=0, atol=0, equal_nan=True)
    assert all(weight.isfinite().all() for weight in module.parameters())


def check(rank, folder, port):
    signal.alarm(LIMIT)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "GROUP_RANK": "0"}
    os.environ |= {"TORCHELASTIC_RUN_ID": "a run"}
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    network, step = convolutional(dtype=torch.float64), make_step(8, dtype=torch.float64)
    whole, shared = moved(network, step), climbed(network, step)
    distributed.init_process_group("gloo", f"file://{folder}/store", rank=rank, world_size=2)
    mine = part(step, torch.arange(4) + 4 * rank)
    torch.testing.assert_close(moved(network, mine), whole)
    assert torch.equal(climbed(network, mine), shared)
    for examples in EXAMPLES.values():
        signal.alarm(LIMIT)
        try:
            assert_same(trained(examples[0]))
        except BaseException as error:
            error.add_note(f"under {examples[0]}")
            raise
    distributed.destroy_process_group()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        start_processes(check, (folder, port), nprocs=2, start_method="fork")
