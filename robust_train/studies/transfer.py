"""Do perturbations that were made on one network deceive another?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from robust_train.attacking.box import scale_to
from robust_train.attacking.modes import attack_mode, untouched
from robust_train.attacking.rejection import deceived
from robust_train.evaluation.batches import unpack
from robust_train.evaluation.blocks import Blocks
from robust_train.evaluation.deployed import Deployed
from robust_train.evaluation.judging import Judge, judge_of
from robust_train.evaluation.lessons import LEARNING, Lessons, learners, share
from robust_train.evaluation.preflight import preflight, training_modules
from robust_train.evaluation.processes import by_index, gather, rank_and_world
from robust_train.evaluation.progress import progress as progress_bar
from robust_train.evaluation.refusals import check_block, check_data
from robust_train.metrics.estimate import Estimate, rate
from robust_train.metrics.mcnemar import mcnemar
from robust_train.norms import norm
from robust_train.perturbations.base import Perturbation
from robust_train.randomness import Streams
from robust_train.types import Network, predict

_NOISE = 0x7A  # purpose of the streams that the baseline draws from


@dataclass(frozen=True, eq=False)
class Transfer:
    """What was made on each of K networks, tried on all of them.

    Args:
        names: Names of the K networks.
        index: ``(n,)`` positions in the data set.
        right: ``(n, K)`` whether a network gets the clean sample right.
        broken: ``(n, K, K)`` whether what was made on the first network makes the second one wrong,
            unflagged.
        noise: ``(n, K, K)`` the same of random noise with the l2 norm of what was made on the first,
            in the same box.
        draws: How many draws of its noise each network is attacked on, and judged on as many others.
        warnings: What to know before the figures are read.

    Example:
        >>> right = torch.ones(2, 2, dtype=torch.bool)
        >>> broken = torch.tensor([[[True, True], [True, True]], [[True, False], [False, True]]])
        >>> found = Transfer(("a", "b"), torch.arange(2), right, broken, torch.zeros_like(broken))
        >>> found.rate(0, 1).value, found.robust(0).value  # of what was made on a, half breaks b
        (0.5, 0.0)
    """

    names: tuple[str, ...]
    index: Tensor
    right: Tensor
    broken: Tensor
    noise: Tensor
    draws: tuple[int, ...] = ()
    warnings: tuple[str, ...] = ()

    def rate(self, source: int, target: int) -> Estimate:
        """Share of samples that the perturbation breaks, out of those that both networks get right."""
        return rate(self.broken[self._both(source, target), source, target])

    def baseline(self, source: int, target: int) -> Estimate:
        """The same share for noise of equal norm: what size alone would do."""
        return rate(self.noise[self._both(source, target), source, target])

    def robust(self, network: int) -> Estimate:
        """Share of all samples that a network gets right, also under what was made on itself."""
        return rate(self._stands(network))

    def difference(self, one: int, other: int) -> float:
        """P-value of McNemar's test that two networks are equally robust."""
        return mcnemar(self._stands(one), self._stands(other))

    def _stands(self, network: int) -> Tensor:
        return self.right[:, network] & ~self.broken[:, network, network]

    def _both(self, source: int, target: int) -> Tensor:
        return self.right[:, source] & self.right[:, target]


def transfer(
    networks: Mapping[str, Network],
    data: Any,
    perturbation: Perturbation,
    *,
    training: Any | None = None,
    limit: int | None = None,
    block: int = 128,
    seed: int = 0,
    device: str | torch.device | None = None,
    draws: Mapping[str, int] | None = None,
    name: str = "transfer",
    progress: bool = True,
) -> Transfer:
    """Make perturbations on every network and try them on every other.

    In a distributed program every process calls it and gets the same.

    Args:
        networks: Networks by name, images to logits; modules are moved to ``device``.
        data: A data set of ``(image, label)`` with images in [0, 1].
        perturbation: What is made; one that learns does so on each network.
        training: A data set to learn from; else a share of the data is, and is then not judged.
        limit: Number of samples, drawn by the seed; all by default.
        block: Samples that are searched together.
        seed: Seed of all random draws.
        device: Where to compute; by default where the parameters of all networks are.
        draws: Draws of the noise of stochastic networks, by name: the mean over so many is attacked, and the
            mean over as many others is judged. The first draw is all of a network that is not named.
        name: Name of the perturbation, shown beside the bar.
        progress: Show a bar.

    Raises:
        ValueError: There are no networks or no samples, or they do not fit each other, or several draws
            are asked of a network without ``Noise``.

    References:
        Intriguing properties of neural networks (Szegedy et al., 2014)

    Example:
        >>> from robust_train.perturbations import FGSM
        >>> data = [(torch.full((4,), i / 4), i % 2) for i in range(4)]
        >>> networks = {"a": torch.nn.Linear(4, 2), "b": torch.nn.Linear(4, 2)}
        >>> found = transfer(networks, data, FGSM(eps=0.1), progress=False)
        >>> found.broken.shape
        torch.Size([4, 2, 2])
    """
    if not networks:
        raise ValueError("transfer: networks is empty: give one at least.")
    check_data(data)
    deployed = [Deployed(network) for network in networks.values()]
    places = [network.placed(device) for network in deployed]
    counts = tuple((draws or {}).get(title, 1) for title in networks)
    judges = [judge_of(*pair) for pair in zip(deployed, counts, strict=True)]
    held = share(len(data), learners([perturbation])) if training is None else 0
    blocks, parts = Blocks(data, block, limit, seed, held=held), list[tuple[Tensor, ...]]()
    warnings = [f"{title}: {told}" for title, made in networks.items() for told in training_modules(made)]

    def read(batch: Any) -> tuple[Tensor, Tensor]:
        inputs, labels = (part.to(places[0]) for part in unpack(batch))
        for network in deployed:
            with attack_mode(network):
                check_block(network, inputs, labels)
        return inputs, labels

    rank, world = rank_and_world()
    mine = len(range(rank, len(blocks), world))
    with untouched(torch.nn.ModuleList(deployed)), progress_bar(1, mine, progress and rank == 0) as tick:
        lessons = Lessons.of(blocks, training, read) if held or training is not None else None
        makers = [_taught(perturbation, judge, lessons, seed) for judge in judges]
        for index, batch in blocks.of_rank(rank, world):
            inputs, labels = read(batch)
            if not parts:
                warnings += _warnings(tuple(networks), judges, inputs, labels)
            parts.append((index, *_matrix(judges, makers, index, inputs, labels, seed)))
            tick(name)
    columns = (torch.cat(column) for column in zip(*gather(parts), strict=True))
    index, right, broken, noise = by_index(*columns)
    told = tuple(dict.fromkeys(gather(warnings)))
    return Transfer(tuple(networks), index, right, broken, noise, counts, told)


def _warnings(names: tuple[str, ...], judges: list[Judge], inputs: Tensor, labels: Tensor) -> list[str]:
    """What an evaluation would warn of, behind the name of the network."""
    found = []
    for name, judge in zip(names, judges, strict=True):
        with attack_mode(judge.network):
            found += [f"{name}: {told}" for told in preflight(judge.network, inputs, labels)]
            judge.check(inputs[:1])
    return found


def _taught(perturbation: Perturbation, judge: Judge, lessons: Lessons | None, seed: int) -> Perturbation:
    """The perturbation of one network."""
    if perturbation.fitted or lessons is None:
        return perturbation
    with attack_mode(judge.network):
        limited = lessons.limited(getattr(perturbation, "images", None))
        rng = Streams.of(seed, [0]).fold(LEARNING)
        return perturbation.fit(judge.attacked(judge.network), limited, rng)


def _matrix(
    judges: list[Judge],
    makers: list[Perturbation],
    index: Tensor,
    inputs: Tensor,
    labels: Tensor,
    seed: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """``(N, K)`` right and ``(N, K, K)`` broken by the perturbation and by noise."""
    streams, made = Streams.of(seed, index), []
    for maker, judge in zip(makers, judges, strict=True):
        with attack_mode(judge.network):
            made.append(judge.searched(maker, judge.network, inputs, labels, streams).inputs)
    v = streams.fold(_NOISE).normal(tuple(inputs.shape[1:]), inputs)
    noise = [inputs + scale_to(inputs, v, norm(y - inputs, "l2"), makers[0].bounds) for y in made]
    right = torch.stack([_right(judge, inputs, labels) for judge in judges], 1)
    tried = [
        torch.stack([torch.stack([_broken(b, y, labels) for b in judges], 1) for y in kind], 1)
        for kind in (made, noise)
    ]
    return right, tried[0], tried[1]


def _right(judge: Judge, x: Tensor, labels: Tensor) -> Tensor:
    with attack_mode(judge.network):
        return (predict(judge.verdict(x)[0]) == labels).cpu()


def _broken(judge: Judge, x: Tensor, labels: Tensor) -> Tensor:
    with attack_mode(judge.network):
        return deceived(judge.network, judge.verdict(x)[0], labels).cpu()
