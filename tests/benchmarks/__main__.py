"""Our attacks beside the peers' on two Fashion-MNIST networks: a table, and the promises.

In an environment of its own, since torchattacks holds other packages back, from the root of the
repository:

    pip install -e ".[benchmark]" && pip install --no-deps "adv-lib>=0.2.8" "pyautoattack>=0.2"
    python -m tests.benchmarks --data FOLDER

That takes about five hours on one core, ``--quick`` two, and the first call a quarter of an hour
more: it trains the two networks and keeps them under ``runs/benchmarks``. The last two are
installed without what they depend on: nothing here uses it, and visdom does not build any more. The
exit status is 1 where a promise is not kept.
"""

import sys
from argparse import ArgumentParser, Namespace
from os import environ
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from robust_train.data import FashionMNIST

from .contest import Contest, claims, measure
from .contests import CONTESTS
from .contests.pgd import EPS, calibrate, standing
from .implementations import INSTALL, missing
from .networks import NAMES, network
from .table import HEAD, rows, setting


def main(argv: list[str] | None = None) -> int:
    """Measure all cases; print the table and what it shows."""
    options = _options(argv)
    if missing() and not options.calibrate:
        print(f"The benchmark lacks {' and '.join(missing())}: {INSTALL}", file=sys.stderr)
        return 2
    data = FashionMNIST(root=options.data, download=options.download)
    data.prepare_data()
    networks = {name: network(name, getattr(options, name), data) for name in NAMES}
    torch.set_num_threads(1)
    if options.calibrate:
        return _calibrate(networks, *first(data.validation_set, 1000))
    contests = [contest for contest in CONTESTS if options.only.lower() in contest.title.lower()]
    return _measure(contests, networks, *first(data.test_set, options.images), options.turns)


def _measure(
    contests: list[Contest], networks: dict[str, nn.Module], x: Tensor, y: Tensor, turns: int
) -> int:
    kept = []
    print(HEAD, flush=True)
    for name, judged in networks.items():
        for contest in contests:
            measured = measure(contest, name, judged, x, y, turns)
            print(rows(measured), flush=True)
            kept += claims(measured)
            print(*claims(measured), sep="\n", file=sys.stderr, flush=True)  # whatever ends the table early
    print("", setting(len(x), turns), "", *kept, sep="\n")
    return 0 if all(claim.holds for claim in kept) else 1


def _calibrate(networks: dict[str, nn.Module], x: Tensor, y: Tensor) -> int:
    for norm in EPS:
        eps = calibrate(norm, networks["adversarial"], x, y)
        shares = (f"{name} {standing(norm, eps, f, x, y):.1%}" for name, f in networks.items())
        print(f"{norm}: eps {eps:.4f}; standing: {', '.join(shares)}", flush=True)
    return 0


def first(images: Dataset[tuple[Tensor, int]], count: int) -> tuple[Tensor, Tensor]:
    """``(N, C, H, W)`` and ``(N,)``: the first images and their labels."""
    samples = [images[i] for i in range(count)]
    return torch.stack([x for x, _ in samples]), torch.tensor([int(y) for _, y in samples])


def _options(argv: list[str] | None) -> Namespace:
    parser = ArgumentParser(prog="python -m tests.benchmarks", description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--data", default=environ.get("ROBUST_TRAIN_DATA", "data"), help="folder of FashionMNIST"
    )
    parser.add_argument("--download", action="store_true", help="fetch Fashion-MNIST if it is not there")
    for name in NAMES:
        parser.add_argument(f"--{name}", type=Path, metavar="FILE", help=f"weights of the {name} SmallCNN")
    parser.add_argument("--images", type=int, default=1000, help="test images")
    parser.add_argument("--quick", dest="images", action="store_const", const=256, help="256 images")
    parser.add_argument(
        "--turns", type=int, default=5, help="batches to clock everybody on, at least (default: 5)"
    )
    parser.add_argument(
        "--only", default="", metavar="WORDS", help="contests with these words in their title"
    )
    parser.add_argument("--calibrate", action="store_true", help="find the budgets anew instead")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
