"""What PGD-10 training costs beside a plain loop after Madry et al. (2018), on the same network and batches.

From the root of the repository:

    python -m tests.benchmarks.training --data FOLDER

The loop comes in two ways to the gradient of the input, and has our start and step size. The exit
status is 1 where the loop that forms the gradients of the weights in every inner step does not take
at least 1.3 times as long as ours, or where, in double precision, the three do not end at the same
weights.
"""

from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from copy import deepcopy
from itertools import cycle, islice
from os import environ
from statistics import median
from time import process_time

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from robust_train.classifier import RobustClassifier
from robust_train.data import FashionMNIST
from robust_train.defenses import AdversarialTraining
from robust_train.networks import SmallCNN
from robust_train.perturbations import PGD
from robust_train.randomness import Streams

BATCH, STEPS, EPS, INNER = 128, 4, 0.1, 10
STEP_SIZE = max(2.5 / INNER, 0.25) * EPS  # of PGD by default
PROMISED = 1.3
SAME, FEW = 1e-9, 16  # how far weights may be apart, after batches of so many images

Batches = list[tuple[Tensor, Tensor]]
Trained = tuple[float, nn.Module]
"""Processor seconds, and the network after them."""


def ours(network: nn.Module, batches: Batches) -> Trained:
    """``RobustClassifier`` under Lightning's trainer, clocked from its first batch to its last."""
    x, y = (torch.cat(parts) for parts in zip(*batches, strict=True))
    defense = AdversarialTraining(PGD(eps=EPS, steps=INNER), mode="train")
    clock, quiet = _Clock(), ("enable_progress_bar", "enable_model_summary", "enable_checkpointing")
    trainer = pl.Trainer(
        accelerator="cpu", max_epochs=1, logger=False, callbacks=[clock], **dict.fromkeys(quiet, False)
    )
    trainer.fit(
        RobustClassifier(network.train(), [defense], _sgd),
        DataLoader(TensorDataset(x, y), batch_size=len(batches[0][0])),
    )
    return clock.seconds, network


def backward(delta: Tensor, loss: Tensor) -> Tensor:
    """The gradient of the perturbation by ``backward``, which forms those of all weights as well."""
    loss.backward()
    assert delta.grad is not None
    return delta.grad


def grad(delta: Tensor, loss: Tensor) -> Tensor:
    """The gradient of the perturbation alone."""
    return torch.autograd.grad(loss, delta)[0]


def plain(gradient: Callable[[Tensor, Tensor], Tensor]) -> Callable[[nn.Module, Batches], Trained]:
    """The loop by one way to a gradient or the other."""

    def loop(network: nn.Module, batches: Batches) -> Trained:
        optimizer, start = _sgd(network.train().parameters()), process_time()
        for number, (x, y) in enumerate(batches):
            delta = _start(x, number)
            for _ in range(INNER):
                delta.requires_grad_()
                ascent = gradient(delta, cross_entropy(network(x + delta), y)).sign()
                delta = (delta.detach() + STEP_SIZE * ascent).clamp(-EPS, EPS)
                delta = (x + delta).clamp(0, 1) - x
            optimizer.zero_grad()
            cross_entropy(network(x + delta), y).backward()
            optimizer.step()
        return process_time() - start, network

    return loop


CONTESTANTS = {
    "robust_train": ours,
    "plain loop, backward": plain(backward),
    "plain loop, autograd.grad": plain(grad),
}


def main(argv: list[str] | None = None) -> int:
    """Train in turns, and print what each costs."""
    parser = ArgumentParser(prog="python -m tests.benchmarks.training", description=__doc__)
    parser.add_argument("--data", default=environ.get("ROBUST_TRAIN_DATA", "data"))
    parser.add_argument("--download", action="store_true", help="fetch Fashion-MNIST if it is not there")
    parser.add_argument("--turns", type=int, default=7)
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    data = FashionMNIST(root=options.data, batch_size=BATCH, download=options.download)
    data.prepare_data()
    data.setup("fit")
    batches = list(islice(_images(data), STEPS))
    torch.manual_seed(0)
    network = SmallCNN()
    few = [(x[:FEW].double(), y[:FEW]) for x, y in batches]
    ends = {name: train(deepcopy(network).double(), few)[1] for name, train in CONTESTANTS.items()}
    seconds: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
    for turn in range(options.turns):
        for name in islice(cycle(CONTESTANTS), turn, turn + len(CONTESTANTS)):
            seconds[name].append(CONTESTANTS[name](deepcopy(network), batches)[0])
    return _report(seconds, {name: _apart(end, ends["robust_train"]) for name, end in ends.items()})


def _report(seconds: dict[str, list[float]], apart: dict[str, float]) -> int:
    mine = seconds["robust_train"]
    over = {
        name: median(b / a for a, b in zip(mine, theirs, strict=True)) for name, theirs in seconds.items()
    }
    print("| training | images a second | times as long as ours | weights apart |\n|---|--:|--:|--:|")
    for name, took in seconds.items():
        rate = BATCH * STEPS / median(took)
        print(f"| {name} | {rate:.0f} | {over[name]:.2f} | {apart[name]:.1e} |")
    return 0 if over["plain loop, backward"] >= PROMISED and max(apart.values()) <= SAME else 1


def _images(data: FashionMNIST) -> Iterator[tuple[Tensor, Tensor]]:
    pl.seed_everything(0, verbose=False)
    yield from data.train_dataloader()


def _start(x: Tensor, number: int) -> Tensor:
    """Where ``PGD`` starts in that step of the training."""
    streams = Streams.of(0, range(len(x))).fold(number).fold(number)
    delta = EPS * (2 * streams.uniform(tuple(x.shape[1:]), x) - 1)
    return (x + delta).clamp(0, 1) - x


def _apart(a: nn.Module, b: nn.Module) -> float:
    return max(
        float((v - w).detach().abs().max()) for v, w in zip(a.parameters(), b.parameters(), strict=True)
    )


def _sgd(parameters: Iterator[nn.Parameter]) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr=0.05, momentum=0.9)


class _Clock(pl.Callback):
    """Processor seconds of the training's batches."""

    seconds = 0.0

    def on_train_epoch_start(self, *_: object) -> None:
        self.started = process_time()

    def on_train_epoch_end(self, *_: object) -> None:
        self.seconds += process_time() - self.started


if __name__ == "__main__":
    raise SystemExit(main())
