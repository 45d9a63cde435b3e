r"""The one contract of every perturbation regime: budgeted and minimal searches.

Everything here is an instance of

.. math:: r^*(x) = \arg\min \|r\|_R \quad \text{subject to} \quad f(T_r(x)) \neq f(x)

A subclass is a frozen dataclass whose fields are its hyper-parameters and writes ``search``; what
every caller relies on is enforced once, in ``__call__``.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar, Self, final

import torch
from torch import Tensor

from robust_train.attacking.modes import channels_last, differentiable, frozen
from robust_train.attacking.rejection import leaving
from robust_train.checks import check_choices, check_positive
from robust_train.networks.rejecting import rejects
from robust_train.norms import Ball, norm, unsqueeze_like
from robust_train.perturbations.admissible import check_batch
from robust_train.randomness import Streams
from robust_train.types import BallNorm, Batches, Bounds, Goal, Network, Norm, Perturbed

_ROUNDINGS, _COARSEST = 16, 2.0**-20  # of the largest logit
_STRETCHES = [2.0**-k for k in (13, 11, 9, 7, 5)]  # of a minimal perturbation, up to 3 %


@dataclass(frozen=True, kw_only=True)
class Perturbation(ABC):
    """A way to perturb images, and the metric in which that is measured.

    It holds hyper-parameters, never a network: the same value serves any network.

    Args:
        bounds: The box of admissible pixels, or ``None`` for an unbounded image space.

    Raises:
        ValueError: A field is none of the values that its hint lists, such as a norm that is not searched.

    Example:
        >>> from robust_train.perturbations.pgd import PGD
        >>> images, labels = torch.rand(2, 4), torch.tensor([0, 1])
        >>> found = PGD(eps=0.1)(torch.nn.Linear(4, 3), images, labels)
        >>> found.inputs.shape, found.size.shape
        (torch.Size([2, 4]), torch.Size([2]))
    """

    bounds: Bounds = (0.0, 1.0)

    minimal: ClassVar[bool] = False
    """Whether the question is how small, rather than whether within a budget."""

    learns: ClassVar[bool] = False
    """Whether ``fit`` has to see data before a search; its field ``images`` says how many at the most."""

    def __post_init__(self) -> None:
        check_choices(self)

    @property
    def fitted(self) -> bool:
        """Whether it can be called: there is nothing to learn, or that is learnt."""
        return not self.learns

    def fit(self, network: Network, batches: Batches, rng: Streams) -> Self:
        """The perturbation that has learnt what it needs of a network and a data set; itself by default.

        Every process sees all batches, in order, and so learns the same.

        Args:
            network: Images to logits, frozen and in evaluation mode.
            batches: To be walked as often as needed: ``(N, ...)`` images and ``(N,)`` labels that
                are not those on which it is judged.
            rng: One stream, for what is drawn once for all.
        """
        return self

    @final
    def __call__(
        self,
        network: Network,
        inputs: Tensor,
        labels: Tensor,
        *,
        goal: Goal | None = None,
        rng: Streams | None = None,
    ) -> Perturbed:
        """Perturb a batch.

        The network is called in the mode that it is in; its parameters are frozen meanwhile.

        Args:
            network: Images to logits.
            inputs: ``(N, ...)`` float32 or float64, inside ``bounds``.
            labels: ``(N,)`` int64 true labels.
            goal: What counts as success; by default to leave the true label (budgeted) or the
                predicted one (minimal).
            rng: A stream of random numbers for each sample; by default of seed 0.

        Raises:
            TypeError: The inputs are in half precision or not floating at all.
            ValueError: The inputs leave the bounds, or the labels do not match them.
        """
        check_batch(inputs, labels, self.bounds)
        with differentiable(), frozen(network):
            # A clone: tensors made under inference mode cannot take part in a gradient.
            inputs, labels = inputs.detach().clone(), labels.detach().clone()
            if not len(inputs):
                return Perturbed(inputs, torch.zeros(0, dtype=torch.float64, device=inputs.device))
            goal = self.goal(network, inputs, labels) if goal is None else goal
            rng = Streams.of(0, range(len(inputs))) if rng is None else rng
            with channels_last(network):
                found = self.search(network, inputs, goal, rng)
            with torch.no_grad():
                return self.certify(network, inputs, goal, found)

    @abstractmethod
    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        """The algorithm. Sizes may be left to ``measure``."""

    @abstractmethod
    def measure(self, inputs: Tensor, perturbed: Tensor, parameters: Tensor | None = None) -> Tensor:
        """``(N,)`` float64 size of the change in the regime's metric; ``inf`` outside of it.

        Args:
            inputs: ``(N, ...)`` clean.
            perturbed: ``(N, ...)``.
            parameters: ``(N, P)`` what the search returned of them.
        """

    def goal(self, network: Network, inputs: Tensor, labels: Tensor) -> Goal:
        """What counts as success unless the caller says otherwise.

        To leave the true label within a budget, and the predicted one by a minimal perturbation; both
        unflagged, where the network flags inputs.
        """
        if not self.minimal:
            return Goal(labels, reject=rejects(network))
        with torch.no_grad():
            return leaving(network, network(inputs))

    @abstractmethod
    def certify(self, network: Network, inputs: Tensor, goal: Goal, found: Perturbed) -> Perturbed:
        """What the base guarantees, whatever the search did."""

    def maximising(self) -> Self:
        """The same search run to its end for the sake of the loss, as training wants it."""
        return self


@dataclass(frozen=True, kw_only=True)
class Additive(Perturbation):
    r"""What adds to the pixels, :math:`T_r(x) = x + r`, and is measured in a norm.

    Args:
        norm: Norm in which r is measured.

    Example:
        >>> from robust_train.perturbations.ddn import DDN
        >>> DDN(norm="l2").measure(torch.zeros(1, 2), torch.tensor([[3.0, 4.0]]))
        tensor([5.], dtype=torch.float64)
    """

    norm: Norm = "l2"

    def measure(self, inputs: Tensor, perturbed: Tensor, parameters: Tensor | None = None) -> Tensor:
        return norm(perturbed.double() - inputs.double(), self.norm)


@dataclass(frozen=True, kw_only=True)
class Budgeted(Additive):
    r"""Is the label safe within a budget? Leaves the true label, within :math:`\|r\|_p \le \epsilon`.

    Args:
        norm: Norm of the budget.
        eps: Budget, in pixel units.

    Example:
        >>> from robust_train.perturbations.fgsm import FGSM
        >>> found = FGSM(eps=0.1)(torch.nn.Linear(4, 3), torch.rand(2, 4), torch.tensor([0, 1]))
        >>> bool((found.size <= 0.1).all())
        True
    """

    norm: BallNorm = "linf"
    eps: float = 8 / 255

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self, "eps", zero=True)
        if self.norm == "linf" and self.bounds and self.eps > self.bounds[1] - self.bounds[0]:
            raise ValueError(
                f"{type(self).__name__}: eps {self.eps:g} is more than the whole range of pixels "
                f"{list(self.bounds)}: give eps in pixel units, such as {self.eps:g}/255."
            )

    def ball(self, inputs: Tensor) -> Ball:
        """The admissible inputs."""
        return Ball.around(inputs, self.norm, self.eps, self.bounds)

    @final
    def certify(self, network: Network, inputs: Tensor, goal: Goal, found: Perturbed) -> Perturbed:
        """Ball and box hold exactly; eps = 0 returns the input bit for bit."""
        perturbed = inputs if self.eps == 0 else self.ball(inputs).confine(found.inputs)
        finite = perturbed.flatten(1).isfinite().all(1)
        perturbed = torch.where(unsqueeze_like(finite, inputs), perturbed, inputs)
        return replace(found, inputs=perturbed.detach(), size=self.measure(inputs, perturbed))


@dataclass(frozen=True, kw_only=True)
class Minimal(Additive):
    """How small a perturbation changes the label? Leaves the predicted label.

    Args:
        norm: Norm that is minimised.

    Example:
        >>> from robust_train.perturbations.deepfool import DeepFool
        >>> def network(x):  # class 0 where the first pixel is above 1/2
        ...     return torch.stack([x[:, 0] - 0.5, torch.zeros(len(x))], 1)
        >>> found = DeepFool()(network, torch.tensor([[0.7, 0.1]]), torch.tensor([0]))
        >>> round(found.size.item(), 2)
        0.2
    """

    norm: Norm = "l2"
    minimal: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_choices(self, norm=" FMN minimises linf, l2, l1 and l0.")

    @final
    def certify(self, network: Network, inputs: Tensor, goal: Goal, found: Perturbed) -> Perturbed:
        """What does not reach the goal inside the box is a failure: the clean input, size inf.

        What crosses by no more than rounding, which differs between layouts and sizes of batches, is
        stretched a little where that takes it clearly across.
        """
        perturbed = self._boxed(found.inputs.detach())
        logits = network(perturbed)
        reached, clear = goal.reached(logits), _clear(goal, logits)
        for stretch in _STRETCHES:
            rows = (~clear & (perturbed != inputs).flatten(1).any(1)).nonzero().squeeze(1)
            if not len(rows):
                break
            longer = self._boxed(torch.lerp(inputs[rows], perturbed[rows], 1 + stretch))
            crossed = _clear(goal.take(rows), network(longer))
            perturbed = perturbed.index_copy(0, rows[crossed], longer[crossed])
            clear = clear.index_fill(0, rows[crossed], True)
        reached |= clear
        perturbed = torch.where(unsqueeze_like(reached, inputs), perturbed, inputs)
        size = self.measure(inputs, perturbed).masked_fill(~reached, float("inf"))
        return replace(found, inputs=perturbed, size=size)

    def _boxed(self, x: Tensor) -> Tensor:
        return x if self.bounds is None else x.clamp(*self.bounds)


def _clear(goal: Goal, logits: Tensor) -> Tensor:
    """``(N,)`` whether the goal is reached by more than rounding."""
    eps = min(torch.finfo(logits.dtype).eps, _COARSEST)  # in half precision, logits are apart by far more
    rounding = _ROUNDINGS * eps * logits.abs().amax(1)
    return goal.margin(logits) < -rounding


def check_fitted(user: object, *perturbations: Perturbation) -> None:
    """Refuse what has to learn where nobody will call its ``fit``, and a class in place of an instance."""
    for perturbation in perturbations:
        if isinstance(perturbation, type):
            name = perturbation.__name__
            raise TypeError(f"{type(user).__name__}: {name} is a class: give an instance, {name}(...).")
        if not perturbation.fitted:
            raise ValueError(
                f"{type(user).__name__}: {type(perturbation).__name__} has to learn: give a search that has "
                "not, or what its fit returns."
            )


def unmeasured(inputs: Tensor) -> Tensor:
    """Sizes that the base will fill in."""
    return torch.full((len(inputs),), float("nan"), dtype=torch.float64, device=inputs.device)
