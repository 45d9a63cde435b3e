"""A detector on an intermediate layer, trained against an adversary that knows it."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, softplus

from robust_train.attacking.gradients import backward
from robust_train.attacking.modes import differentiable, evaluating, frozen
from robust_train.defenses.base import Defense, Step
from robust_train.defenses.detecting import check_rate, detector
from robust_train.defenses.headed import Headed
from robust_train.defenses.precision import widened
from robust_train.defenses.schedule import Ramp, at, check_budget, check_schedule
from robust_train.norms import Ball, steepest, unsqueeze_like
from robust_train.perturbations.admissible import check_batch
from robust_train.types import Batches, Network, Norm


@dataclass(frozen=True)
class DetectorHead(Defense):
    r"""Tell attacked from clean images by a small network on what one layer makes of them.

    The head D puts out the log-odds s that the input was attacked. It is trained beside the classifier, on
    clean images and on those of a dynamic adversary, who climbs the losses of both from there,

    .. math:: J_{det} = \tfrac{1}{2}\big[\mathrm{softplus}(s(x_i)) + \mathrm{softplus}(-s(x'_i))\big], \qquad
        x'_i \leftarrow \Pi\big(x'_i + \alpha [(1 - \sigma_i)\, \mathrm{steepest}\, \nabla J_{cls} +
        \sigma_i\, \mathrm{steepest}\, \nabla\, \mathrm{softplus}(-s)]\big)

    with :math:`\sigma_i` uniform in [0, 1], drawn in each training step. The threshold is that at which a
    given share of held-out clean images is flagged. Where the classifier learns too, its batch normalisation
    sees clean and attacked images in one batch; ``freeze`` it, as published, to keep its statistics.

    It holds against attacks that do not know of it, ``Static(PGD)``, and falls to those on the pair: ``PGD``
    as it is, which sees the flag as one more class to avoid (Carlini and Wagner).

    Args:
        layer: Path of the module whose output the head sees, such as ``features.4``, or the end of it.
        in_shape: ``(C, H, W)`` of the images.
        width: Channels of the head.
        freeze: Train the head alone; the classifier keeps its weights, which are to be loaded. They ask for
            no gradient from then on, until ``requires_grad_`` lets the classifier learn again.
        weight: Weight of the detection loss.
        eps: Budget of the adversary, in pixel units; a ramp for one that grows.
        norm: Norm of the budget: linf, l2 or l1.
        steps: Gradient steps of the adversary.
        step_size: Length of a step in the norm; by default ``2.5 * eps / steps``.
        dynamic: Whether the adversary knows the head; without, sigma is 0.
        false_positives: Share of clean images that may be flagged.

    Raises:
        ValueError: A number has no meaning, or the network has no such layer or a detector already.

    References:
        On detecting adversarial perturbations (Metzen et al., 2017)
        Adversarial examples are not easily detected: bypassing ten detection methods (Carlini and
        Wagner, 2017)

    Example:
        >>> network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(144, 10))
        >>> pair = DetectorHead(layer="0", in_shape=(1, 8, 8)).wrap(network)
        >>> pair(torch.rand(2, 1, 8, 8)).shape  # until it is calibrated
        torch.Size([2, 10])
    """

    layer: str
    in_shape: tuple[int, int, int]
    width: int = 32
    freeze: bool = False
    weight: float = 1.0
    eps: float | Ramp = 8 / 255
    norm: Norm = "linf"
    steps: int = 10
    step_size: float | None = None
    dynamic: bool = True
    false_positives: float = 0.05

    def __post_init__(self) -> None:
        check_rate("DetectorHead", self.false_positives)
        if self.norm not in ("linf", "l2", "l1"):
            raise ValueError(f"DetectorHead: there is no ball of {self.norm}: give linf, l2 or l1.")
        check_schedule(self, "eps")
        check_budget(self, self.eps, self.norm)
        step_size = 1.0 if self.step_size is None else self.step_size
        if not (min(self.steps, step_size, self.width) > 0 and self.weight >= 0):
            raise ValueError(
                "DetectorHead: eps, steps, step_size and width must be positive, and weight at least 0."
            )

    def wrap(self, network: nn.Module) -> nn.Module:
        return Headed(network, self.layer, self.in_shape, self.width, self.freeze)

    def loss(self, network: Network, step: Step, loss: Tensor) -> Tensor:
        pair = detector(network, Headed)  # type: ignore[arg-type]
        attacked = self._attack(pair, step)
        s = widened(pair.scored(torch.cat([step.clean.detach(), attacked]))[1])
        clean, adversarial = s.chunk(2)
        return loss + self.weight * (softplus(clean) + softplus(-adversarial)) / 2

    def calibrate(self, network: nn.Module, batches: Batches, held_out: Batches) -> None:
        detector(network, Headed).settle(held_out, self.false_positives)

    def _attack(self, pair: Headed, step: Step) -> Tensor:
        """``(N, C, H, W)`` what the dynamic adversary makes of the clean images."""
        check_batch(step.clean, step.labels, (0.0, 1.0))
        x, y, eps = step.clean.detach(), step.labels, at(self.eps, step.progress)
        alpha = self.step_size or 2.5 * eps / self.steps
        ball = Ball.around(x, self.norm, eps, (0.0, 1.0))
        sigma = unsqueeze_like(self.dynamic * step.rng.fold(0xDE7).uniform((), x), x)
        precise = torch.autocast(x.device.type, enabled=False)
        with evaluating(pair), frozen(pair), differentiable(), precise:
            for _ in range(self.steps):
                cls, det = (steepest(g, self.norm) for g in _slopes(pair, x, y))
                x = ball.project(x + alpha * ((1 - sigma) * cls + sigma * det))
        return ball.confine(x)


def _slopes(pair: Headed, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of the losses of classifier and head, of images that pass for clean to the latter."""
    x = x.detach().requires_grad_()
    z, s = pair.scored(x)
    cls = backward(cross_entropy(z, y, reduction="none"), x, retain_graph=True)
    return cls, backward(softplus(-s), x)
