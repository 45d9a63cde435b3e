"""The one contract of every defense: where it may act on a training step."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from robust_train.checks import check_choices
from robust_train.defenses.recording import Activation
from robust_train.randomness import Streams
from robust_train.types import Batches, Network


def _plain(step: "Step") -> Tensor:
    raise RuntimeError("The step is of no classifier, which alone knows the losses of all defenses.")


@dataclass(frozen=True, eq=False)
class Step:
    """One training step, as defenses see and change it.

    Args:
        inputs: ``(N, C, H, W)`` what the network is trained on.
        targets: ``(N,)`` labels or ``(N, K)`` probabilities that it is trained towards.
        clean: The inputs without any perturbation: the data, augmented.
        labels: ``(N,)`` the true labels.
        progress: Share of the training that is done, in [0, 1].
        rng: A stream of random numbers for each sample of the step.
        logits: ``(N, K)`` of the network on ``inputs``, in single precision or better; empty until they
            are known.
        activations: Activations of the modules that the defense watches, in the pass that gave the logits.
        objective: ``(N,)`` losses that all defenses together make of a step, in a forward pass of its own.
        weights: What to put back, by name, where a defense moved weights for the time of the step.

    Example:
        >>> images, labels = torch.rand(8, 1, 2, 2), torch.zeros(8, dtype=torch.int64)
        >>> step = Step(images, labels, images, labels, progress=0.5, rng=Streams.of(0, range(8)))
        >>> brighter = replace(step, inputs=(step.inputs + 0.1).clamp(0, 1))  # as a defense changes it
        >>> bool((brighter.inputs >= brighter.clean).all())
        True
    """

    inputs: Tensor
    targets: Tensor
    clean: Tensor
    labels: Tensor
    progress: float
    rng: Streams
    logits: Tensor = field(default_factory=lambda: torch.empty(0))
    activations: list[Activation] = field(default_factory=list)
    objective: Callable[["Step"], Tensor] = _plain
    weights: dict[str, Tensor] = field(default_factory=dict)

    def put_back(self, network: nn.Module) -> None:
        """Undo what was done to the weights of the network, bit for bit."""
        with torch.no_grad():
            for name, weight in network.named_parameters():
                if name in self.weights:
                    weight.copy_(self.weights[name])

    def seen_by(self, defense: "Defense") -> "Step":
        """The step with the activations that this defense watches, and no other's."""
        seen = [one for one in self.activations if isinstance(one.module, defense.watch)]
        return replace(self, activations=seen)


class Defense:
    """Something that makes a network robust, by acting on any of these points; none by default.

    It is stateless: what must be remembered is a buffer of what ``wrap`` returns, or, in the course of one
    training, an attribute of the network that ``begin`` removes. Defenses stack
    in the order in which a recipe lists them.

    Example:
        >>> from robust_train.defenses.gradient_penalty import GradientPenalty
        >>> images, labels = torch.rand(8, 4), torch.zeros(8, dtype=torch.int64)
        >>> step = Step(images, labels, images, labels, progress=0.5, rng=Streams.of(0, range(8)))
        >>> losses = GradientPenalty().loss(nn.Linear(4, 2), step, torch.zeros(8))
        >>> bool((losses > 0).all())  # the penalty was added
        True
    """

    watch: ClassVar[tuple[type[nn.Module], ...]] = ()
    """Modules whose activations the defense reads in ``loss``."""

    replaces_loss: ClassVar[bool] = False
    """Whether ``loss`` takes the place of the one that it is given: then it acts before all others."""

    maximises: ClassVar[bool] = False
    """Whether ``batch`` searches for the worst inputs, which can be done once."""

    augments: ClassVar[bool] = False
    """Whether ``batch`` moves the images themselves, the clean ones too: the data are others then."""

    moves_weights: ClassVar[bool] = False
    """Whether ``batch`` moves weights, until ``after_backward`` puts them back: then it acts last."""

    reads_input_gradient: ClassVar[bool] = False
    """Whether ``after_backward`` reads ``step.inputs.grad``, that of the mean loss: then what augments acts
    before, by the same draws in all replays of a batch."""

    needs_replays: ClassVar[bool] = False
    """Whether it climbs in the replays of a batch, and has nothing to climb by where each comes once."""

    needs_end: ClassVar[bool] = False
    """Whether it takes turns by ``step.progress``, which stays 0 in a training that has no end."""

    def __post_init__(self) -> None:
        check_choices(self)

    def wrap(self, network: nn.Module) -> nn.Module:
        """The network to train and to deploy in place of this one."""
        return network

    def begin(self, network: nn.Module) -> None:
        """Forget what an earlier training left; called when a training starts, and when it is done."""

    def batch(self, network: nn.Module, step: Step) -> Step:
        """Other inputs or targets: the inner maximisation, augmentation, soft labels.

        Under the trainer's autocast, unless that is to float16, in which small gradients vanish.
        """
        return step

    def loss(self, network: Network, step: Step, loss: Tensor) -> Tensor:
        """``(N,)`` losses with a penalty added, or another loss in their place."""
        return loss

    def after_backward(self, network: nn.Module, step: Step) -> None:
        """Change gradients before the optimizer sees them."""

    def after_step(self, network: nn.Module) -> None:
        """Change weights after the optimizer did."""

    def calibrate(self, network: nn.Module, batches: Batches, held_out: Batches) -> None:
        """Fill buffers of ``wrap``, such as densities and thresholds, when the training is done.

        Args:
            network: In evaluation mode; nothing asks for gradients.
            batches: Training images and labels, without augmentation by any defense.
            held_out: Images and labels that the network was not trained on.
        """
