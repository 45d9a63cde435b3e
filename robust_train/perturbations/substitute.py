"""Black-box attacks through a substitute that is trained on label queries."""

from dataclasses import dataclass, field, replace
from math import prod
from typing import ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from robust_train.attacking.gradients import input_gradient
from robust_train.attacking.modes import differentiable, frozen
from robust_train.checks import check_positive
from robust_train.perturbations.base import Budgeted
from robust_train.perturbations.pgd import PGD
from robust_train.perturbations.training import descend, drawn, first_images, like, shuffled
from robust_train.randomness import Streams
from robust_train.types import Batches, Goal, Network, Perturbed, predict


@dataclass(frozen=True, kw_only=True)
class Substitute(Budgeted):
    r"""Train a network of one's own on the labels that the target gives, and attack that instead.

    In each round the substitute F is trained on all points so far with the target's labels, and the
    points are doubled by a step in the direction in which F changes most for their label:

    .. math:: S \leftarrow S \cup \{x + \lambda\, \mathrm{sign} \nabla_x F_{f(x)}(x) : x \in S\}

    Only labels are asked of the target, and only while learning: no logits, no gradients. The
    search runs to its end on F, as one that stops once F is fooled transfers worse.

    Args:
        budgeted: The search on the substitute, in this norm; eps and bounds are those given here. One that
            learns does so on the substitute, from the same images.
        images: Images to start from, at the most; the target is asked for ``images * 2**rounds`` labels.
        rounds: Doublings of the points.
        epochs: Epochs of training in each round, with Adam.
        learning_rate: Learning rate of the training.
        batch_size: Images in a batch of the training.
        step_size: Length lambda of a step of the doubling, in pixel units.
        width: Channels of the substitute's first layer.
        network: What ``fit`` trained.

    Raises:
        ValueError: The search is in another norm.

    References:
        Practical black-box attacks against machine learning (Papernot et al., 2017)

    Example:
        >>> images, labels = torch.rand(8, 4), torch.zeros(8, dtype=torch.int64)
        >>> target = torch.nn.Linear(4, 3)
        >>> attack = Substitute(eps=0.1, rounds=1, epochs=1)
        >>> attack = attack.fit(target, [(images, labels)], Streams.of(0, [0]))
        >>> bool((attack(target, images, labels).size <= 0.1).all())
        True
    """

    budgeted: Budgeted = field(default_factory=PGD)
    images: int = 400
    rounds: int = 2
    epochs: int = 20
    learning_rate: float = 3e-3
    batch_size: int = 64
    step_size: float = 0.1
    width: int = 32
    network: nn.Module | None = field(default=None, compare=False, repr=False)
    learns: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self, "images", "epochs", "learning_rate", "batch_size", "step_size", "width")
        check_positive(self, "rounds", zero=True)
        if self.budgeted.norm != self.norm:
            raise ValueError(
                f"Substitute: {type(self.budgeted).__name__} searches {self.budgeted.norm} but the budget is "
                f"{self.norm}: give both the same norm."
            )

    @property
    def fitted(self) -> bool:
        return self.network is not None

    def fit(self, network: Network, batches: Batches, rng: Streams) -> Self:
        """Train the substitute.

        Raises:
            ValueError: There are no images.
        """
        with differentiable(), frozen(network):
            images = points = first_images(batches, self.images, "Substitute")
            labels, classes = self._ask(network, points)
            kind = _convolutional if points.ndim == 4 else _fully_connected
            shape = tuple(points.shape[1:])
            substitute = drawn(lambda: kind(shape, self.width, classes), rng.fold(self.rounds + 1), points)
            for round_ in range(self.rounds + 1):
                if round_:
                    new = self._augment(substitute, points, labels)
                    points, labels = torch.cat([points, new]), torch.cat([labels, self._ask(network, new)[0]])
                self._train(substitute, points, labels, rng.fold(round_))
            substitute.requires_grad_(False).eval()
            learnt = self._budgeted().fit(
                substitute, [(images, labels[: len(images)])], rng.fold(self.rounds + 2)
            )
        return replace(self, network=substitute, budgeted=learnt)

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        if self.network is None:
            raise ValueError(
                "Substitute has not been trained: call fit(network, batches, rng) on training images, or "
                "let evaluate(...) do so."
            )
        search = self._budgeted().maximising()
        return search(like(self.network, inputs), inputs, goal.labels, goal=goal, rng=rng)

    def _budgeted(self) -> Budgeted:
        return replace(self.budgeted, eps=self.eps, bounds=self.bounds)

    def _ask(self, network: Network, points: Tensor) -> tuple[Tensor, int]:
        """The target's labels, -1 where it gives none, and how many classes it has."""
        with torch.no_grad():
            logits = [network(part) for part in torch.split(points, self.batch_size)]
        return torch.cat([predict(z) for z in logits]), logits[0].shape[1]

    def _augment(self, substitute: nn.Module, points: Tensor, labels: Tensor) -> Tensor:
        rows = labels.clamp_min(0)[:, None]
        gradient = input_gradient(substitute, points, lambda z: z.gather(1, rows).squeeze(1)).gradient
        new = points + self.step_size * gradient.sign()
        return new if self.bounds is None else new.clamp(*self.bounds)

    def _train(self, substitute: nn.Module, points: Tensor, labels: Tensor, rng: Streams) -> None:
        rows = (labels >= 0).nonzero().squeeze(1)
        optimizer = torch.optim.Adam(substitute.parameters(), self.learning_rate)
        for positions in shuffled(len(rows), self.epochs, self.batch_size, rng):
            batch = rows[positions.to(rows.device)]
            descend(optimizer, cross_entropy(substitute(points[batch]), labels[batch]), substitute)


def _convolutional(shape: tuple[int, ...], width: int, classes: int) -> nn.Sequential:
    channels, rows, columns = shape
    return nn.Sequential(
        nn.Conv2d(channels, width, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(2 * width * ((rows + 1) // 2) * ((columns + 1) // 2), classes),
    )


def _fully_connected(shape: tuple[int, ...], width: int, classes: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Flatten(), nn.Linear(prod(shape), 4 * width), nn.ReLU(), nn.Linear(4 * width, classes)
    )
