"""What defenses do with half of a batch on each of two processes: to be run, not collected."""

import signal
import tempfile
from copy import deepcopy
from dataclasses import replace

import torch
from torch import distributed
from torch.multiprocessing import start_processes
from torch.nn.functional import cross_entropy

from robust_train import AdversarialWeightPerturbation, UniversalAdversarialTraining
from robust_train.defenses.carrying import carried
from tests.defenses.examples import judged, make_step
from tests.toy_networks import convolutional

LIMIT = 120  # seconds, after which a process that waits for another ends itself


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


def check(rank, folder):
    signal.alarm(LIMIT)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network, step = convolutional(dtype=torch.float64), make_step(8, dtype=torch.float64)
    whole, shared = moved(network, step), climbed(network, step)
    distributed.init_process_group("gloo", f"file://{folder}/store", rank=rank, world_size=2)
    mine = part(step, torch.arange(4) + 4 * rank)
    torch.testing.assert_close(moved(network, mine), whole)
    assert torch.equal(climbed(network, mine), shared)
    distributed.destroy_process_group()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        start_processes(check, (folder,), nprocs=2, start_method="fork")
