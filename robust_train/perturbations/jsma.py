"""JSMA: pairs of components, one after the other, chosen by a saliency map."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from robust_train.attacking.aims import aims_at
from robust_train.attacking.best import Best
from robust_train.attacking.dropping import Standing
from robust_train.attacking.gradients import backward
from robust_train.checks import check_positive
from robust_train.norms import norm
from robust_train.perturbations.base import Minimal, unmeasured
from robust_train.randomness import Streams
from robust_train.types import Goal, Network, Perturbed


@dataclass(frozen=True, kw_only=True)
class JSMA(Minimal):
    r"""Change the most salient pair of components, again and again, until the label changes.

    With :math:`\alpha` the gradient of the logit of the class to reach, and :math:`\beta` that of the
    sum of all others, each step moves by ``theta`` the two components

    .. math:: \arg\max_{i,j} \; -(\alpha_i + \alpha_j)(\beta_i + \beta_j) \quad \text{where} \quad
        \alpha_i + \alpha_j > 0 > \beta_i + \beta_j

    among those that the box leaves room. It ends where there is none, or with the budget.

    The published search has a target. Without one, each of the strongest other classes is headed for, and the
    fewest components that change the label count. Of the D (D - 1) / 2 pairs, those of the ``candidates``
    most salient components are looked at: the largest in :math:`\alpha / \max|\alpha| - \beta / \max|\beta|`.

    Args:
        theta: Change of a component in a step, in pixel units; negative: components are lowered.
        gamma: Share of the components that may change.
        candidates: Components of which all pairs are looked at.
        targets: Classes that are headed for one at a time, by descending logit, where the goal is to leave
            one; with 0, each step heads for the runner-up of the time.
        of: What alpha and beta are gradients of: the ``logits``, or the ``probabilities`` as in the attacks
            on distilled networks, whose softmax is flat in single precision and hides them.

    References:
        The limitations of deep learning in adversarial settings (Papernot et al., 2016)
        Distillation as a defense to adversarial perturbations against deep neural networks (Papernot et
        al., 2016), of probabilities

    Example:
        >>> network = torch.nn.Linear(3, 2)
        >>> _ = network.weight.data.copy_(torch.tensor([[-4.0, -2.0, -1.0], [4.0, 2.0, 1.0]]))
        >>> _ = network.bias.data.copy_(torch.tensor([8.0, 0.0]))
        >>> JSMA(gamma=1)(network, torch.zeros(1, 3), torch.tensor([0])).size  # 2 (4 + 2) > 8
        tensor([2.], dtype=torch.float64)
    """

    norm: Literal["l0"] = "l0"
    theta: float = 1.0
    gamma: float = 0.145
    candidates: int = 64
    targets: int = 3
    of: Literal["logits", "probabilities"] = "logits"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self, "gamma")
        check_positive(self, "targets", zero=True)
        if not self.theta:
            raise ValueError("JSMA: theta must not be 0, as nothing would change.")
        if self.candidates < 2:
            raise ValueError(f"JSMA: candidates must be at least 2, a pair, not {self.candidates}.")

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        best = Best(inputs)
        for aim in aims_at(network, inputs, goal, self.targets):
            self._walk(network, inputs, aim, goal, best)
        return Perturbed(best.inputs, unmeasured(inputs))

    def _walk(self, network: Network, inputs: Tensor, aim: Goal, goal: Goal, best: Best) -> None:
        """Towards the aim, until the goal is reached."""
        standing, x = Standing(len(inputs), inputs.device), inputs
        for _ in range(int(self.gamma * inputs[:1].numel()) // 2 + 1):
            logits, alpha, beta = self._jacobian(network, x, aim)
            reached, changed = goal.reached(logits), norm(x - inputs, "l0")
            best.update(standing.rows, x, -changed.masked_fill(~reached, torch.inf))
            pair, salient = self._pair(alpha, beta, self._free(x))
            x = self._step(x, pair, salient)
            x, inputs, aim, goal = standing.drop(reached | ~salient, x, inputs, aim, goal)
            if not len(x):
                break

    def _jacobian(self, network: Network, x: Tensor, aim: Goal) -> tuple[Tensor, Tensor, Tensor]:
        """Logits, and the ``(N, D)`` gradients of the class to reach and of the sum of the others."""
        x = x.detach().requires_grad_()
        logits = network(x)
        f = logits if self.of == "logits" else logits.softmax(1)
        target = f.masked_fill(aim.avoided(logits), -torch.inf).amax(1)
        alpha = backward(target, x, retain_graph=True).flatten(1)
        beta = backward(f.sum(1), x).flatten(1) - alpha
        sign = 1 if self.theta > 0 else -1
        return logits.detach(), sign * alpha, sign * beta

    def _free(self, x: Tensor) -> Tensor:
        """``(N, D)`` which components the box leaves room."""
        if self.bounds is None:
            return torch.ones_like(x.flatten(1), dtype=torch.bool)
        return (x < self.bounds[1] if self.theta > 0 else x > self.bounds[0]).flatten(1)

    def _pair(self, alpha: Tensor, beta: Tensor, free: Tensor) -> tuple[Tensor, Tensor]:
        """``(N, 2)`` positions of the most salient pair, and ``(N,)`` whether there is one."""
        ahead = (_relative(alpha) - _relative(beta)).masked_fill(~free, -torch.inf)
        ahead, top = ahead.topk(min(self.candidates, ahead.shape[1]), dim=1)
        a, b = (values.gather(1, top) for values in (alpha, beta))
        a, b = a[:, :, None] + a[:, None], b[:, :, None] + b[:, None]
        possible = ((a > 0) & (b < 0) & ahead.isfinite()[:, None] & ahead.isfinite()[:, :, None]).triu(1)
        value, place = (-a * b).masked_fill(~possible, -torch.inf).flatten(1).max(1)
        pair = torch.stack([place // top.shape[1], place % top.shape[1]], 1)
        return top.gather(1, pair), value.isfinite()

    def _step(self, x: Tensor, pair: Tensor, salient: Tensor) -> Tensor:
        theta = self.theta * salient[:, None].to(x).expand(-1, 2)
        change = torch.zeros_like(x.flatten(1)).scatter_(1, pair, theta).view_as(x)
        return x + change if self.bounds is None else (x + change).clamp(*self.bounds)


def _relative(values: Tensor) -> Tensor:
    return values / values.abs().amax(1, keepdim=True).clamp_min(torch.finfo(values.dtype).tiny)
