"""FAB: projections onto the linearised boundary, biased towards the input."""

from dataclasses import dataclass

import torch
from torch import Tensor

from robust_train.attacking.aims import aims_at
from robust_train.attacking.best import Best
from robust_train.attacking.segments import pull_back
from robust_train.checks import check_positive
from robust_train.norms import norm, uniform_in_ball, unsqueeze_like
from robust_train.perturbations.base import Minimal, unmeasured
from robust_train.perturbations.linearised import check_candidates, linearise, smallest_step
from robust_train.randomness import Streams
from robust_train.types import BallNorm, Goal, Network, Perturbed

_MISSED = 1e-3  # share of the lead that a step may leave


@dataclass(frozen=True, kw_only=True)
class FAB(Minimal):
    r"""Projects the iterate and the input onto the nearest linearised boundary and goes between both.

    With :math:`\delta` and :math:`\delta_0` the smallest steps inside the box from the iterate
    :math:`x_i` and from the input :math:`x_0` onto the boundary that is linearised at :math:`x_i`,

    .. math:: x_{i+1} = (1 - \alpha) (x_i + \eta\, \delta) + \alpha (x_0 + \eta\, \delta_0), \qquad
        \alpha = \min\Big(\frac{\|\delta\|_p}{\|\delta\|_p + \|\delta_0\|_p}, \alpha_{\max}\Big)

    clipped to the box. Where that crosses, it counts if it is the nearest so far, and the search
    goes back to :math:`x_0 + \beta (x_{i+1} - x_0)`. At the end the nearest is bisected with the input.

    The paper chooses the boundary by its distance without the box; inside the box another one can be
    nearer, and is taken here. It linearises every class, where in l2 the four best do as well, and ends
    with secants.

    Args:
        norm: Norm that is minimised: linf, l2 or l1.
        steps: Steps of each run.
        restarts: Runs; all but the first begin at random points, half as far away as the nearest
            that crosses (as 1 where none does).
        alpha_max: Largest weight of the input's projection.
        eta: Factor on the steps, more than 1 so as to land behind the boundary.
        beta: Share of the perturbation that is kept once it crosses.
        targets: Classes that are run towards one at a time, by descending logit; 0 for runs towards
            the nearest boundary. A goal that has a target of its own has its way.
        candidates: Classes that a step considers, the one to leave included, by descending logit.
        bisections: Halvings, at the end, of the way from the input to what was found.

    Raises:
        ValueError: A hyper-parameter has no meaning.

    References:
        Minimally distorted adversarial examples with a fast adaptive boundary attack (Croce and
        Hein, 2020)

    Example:
        >>> network = torch.nn.Linear(2, 2)
        >>> _ = network.weight.data.copy_(torch.eye(2)), network.bias.data.zero_()
        >>> found = FAB(steps=20)(network, torch.tensor([[0.8, 0.4]]), torch.tensor([0]))
        >>> round(found.size.item(), 2)  # 0.4 / sqrt(2)
        0.28
    """

    norm: BallNorm = "l2"
    steps: int = 100
    restarts: int = 1
    alpha_max: float = 0.1
    eta: float = 1.05
    beta: float = 0.9
    targets: int = 0
    candidates: int = 4
    bisections: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self, "steps", "restarts")
        check_candidates(self)
        check_positive(self, "alpha_max", "targets", "bisections", zero=True)
        if not (self.alpha_max <= 1 <= self.eta and 0 < self.beta < 1):
            raise ValueError("FAB: alpha_max is at most 1, eta at least 1, and beta between 0 and 1.")

    def search(self, network: Network, inputs: Tensor, goal: Goal, rng: Streams) -> Perturbed:
        best = Best(inputs)
        runs = aims_at(network, inputs, goal, self.targets)
        for restart in range(self.restarts):
            start = self._start(inputs, best, rng.fold(restart)) if restart else inputs
            for aim in runs:
                self._run(network, inputs, start, goal, aim, best)
        found = best.score.isfinite().nonzero().squeeze(1)
        clean, behind = inputs[found], best.inputs[found]
        x = pull_back(network, clean, behind, goal.take(found), self.bisections)
        best.update(found, x, -norm(x - clean, self.norm))
        return Perturbed(best.inputs, unmeasured(inputs))

    def _start(self, clean: Tensor, best: Best, rng: Streams) -> Tensor:
        radius = (-best.score).masked_fill(best.score.isinf(), 1) / 2
        return self._inside(clean + unsqueeze_like(radius, clean) * uniform_in_ball(rng, clean, self.norm))

    def _run(self, network: Network, clean: Tensor, x: Tensor, goal: Goal, aim: Goal, best: Best) -> None:
        for _ in range(self.steps):
            x = self._step(network, clean, x, aim)
            crossed = unsqueeze_like(self._judge(network, clean, x, goal, best), x)
            x = torch.where(crossed, clean + self.beta * (x - clean), x)

    def _step(self, network: Network, clean: Tensor, x: Tensor, aim: Goal) -> Tensor:
        """Between the projections of the iterate and of the input onto the nearest boundary."""
        f, w = linearise(network, x, aim, self.candidates - 1)
        r, f, w = self._nearest(x, w, f)
        f_clean = f + (w * (clean - x).flatten(1)).sum(1)
        r_clean = self._onto(clean, w, f_clean)
        d, d_clean = norm(r, self.norm), norm(r_clean, self.norm)
        alpha = (d / (d + d_clean).clamp_min(1e-30)).clamp_max(self.alpha_max)
        return self._inside(
            torch.lerp(x + self.eta * r, clean + self.eta * r_clean, unsqueeze_like(alpha, x))
        )

    def _nearest(self, x: Tensor, w: Tensor, f: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The smallest step onto any of the boundaries, and the lead and the gradient that belong to it."""
        each = x.repeat_interleave(f.shape[1], 0)
        r = self._onto(each, w.flatten(0, 1), f.flatten())
        gained = (w * r.view_as(w)).sum(2)
        beyond = (f + gained).abs() > _MISSED * f.abs()  # the box ends before the boundary
        sizes = norm(r, self.norm).view_as(f).masked_fill(beyond, torch.inf)
        s = sizes.argmin(1)
        rows = torch.arange(len(x), device=x.device)
        return r.view(*f.shape, *x.shape[1:])[rows, s], f[rows, s], w[rows, s]

    def _onto(self, x: Tensor, w: Tensor, f: Tensor) -> Tensor:
        """Smallest steps onto the boundary of each row, from either side of it."""
        towards = torch.where(f > 0, -1, 1)[:, None] * w
        return smallest_step(x, towards[:, None], f.abs()[:, None], self.norm, self.bounds)

    def _judge(self, network: Network, clean: Tensor, x: Tensor, goal: Goal, best: Best) -> Tensor:
        """Record what crosses the boundary; ``(N,)`` whether it does."""
        with torch.no_grad():
            crossed = goal.reached(network(x))
        rows = torch.arange(len(x), device=x.device)
        best.update(rows, x, (-norm(x - clean, self.norm)).masked_fill(~crossed, -torch.inf))
        return crossed

    def _inside(self, x: Tensor) -> Tensor:
        return x if self.bounds is None else x.clamp(*self.bounds)
